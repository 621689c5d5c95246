import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createGatewayMetrics } from '../../src/http/index.ts';
import { createPace } from '../../src/http/pace.ts';
import { openStore } from '../../src/jobs/index.ts';
import { event } from '../jobs/event.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

const studies = 100_000;
const hourMs = 3_600_000;

/** A store as a night without a gateway leaves it: a study every 0.3 s, none of them read. */
function openBacklog() {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-backlog-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  openStore(folder).close();
  const database = new DatabaseSync(join(folder, 'store.sqlite'));
  database.exec(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${studies})
    INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at, ready)
    SELECT '1.' || i, 'test', 0, 'announced', i * 300, i * 300, i * 300, 1 FROM n`);
  database.close();
  const store = openStore(folder);
  ends.push(() => store.close());
  return store;
}

describe('fault 77: a backlog of 100,000 studies', () => {
  test('is taken up by priority and shown by lane with its age and the time that it will take', async () => {
    const clock = { ms: studies * 300 };
    const { queue, board } = openBacklog();
    const { metrics, observe } = createGatewayMetrics(board, () => clock.ms);
    await queue.announce(event('9.1', { priority: 'stat' }), clock.ms - 5_000);
    let text = await metrics.text();
    expect(text).toContain('cxr_gateway_queue_depth{lane="stat"} 1\n');
    expect(text).toContain('cxr_gateway_queue_depth{lane="routine"} 100000\n');
    expect(text).toContain('cxr_gateway_queue_oldest_seconds{lane="stat"} 5\n');
    expect(text).toContain('cxr_gateway_queue_oldest_seconds{lane="routine"} 30000\n');
    expect(text).not.toMatch(/^cxr_gateway_queue_eta_seconds /m);

    expect(await queue.claim(clock.ms)).toMatchObject({ studyInstanceUid: '9.1' });
    expect(await queue.claim(clock.ms)).toMatchObject({ studyInstanceUid: '1.99999' });

    clock.ms += 100_000;
    for (let job = 0; job < 100; job++) observe({ time: '', event: 'job', job, state: 'done' });
    observe({ time: '', event: 'job', job: 1, state: 'retrying' });
    text = await metrics.text();
    expect(text).toContain('cxr_gateway_queue_eta_seconds 99999\n');
  });
});

test('the pace forgets what is older than ten minutes, because a gateway that stands still has no time of arrival', () => {
  const clock = { ms: 0 };
  const pace = createPace(() => clock.ms);
  for (let job = 0; job < 60; job++) pace.ended();
  clock.ms = 30_000;
  expect(pace.perSecond()).toBe(2);
  clock.ms = hourMs;
  expect(pace.perSecond()).toBe(0);
});

test('a clock that is set back gives no pace of the future', () => {
  const clock = { ms: hourMs };
  const pace = createPace(() => clock.ms);
  pace.ended();
  clock.ms = 0;
  expect(pace.perSecond()).toBe(0);
});
