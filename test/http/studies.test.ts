import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createFlags } from '../../src/core/flags.ts';
import { createGatewayMetrics, createHttpServer, type GatewayMetrics, type HttpServer } from '../../src/http/index.ts';
import { openStore, type Store } from '../../src/jobs/index.ts';
import { makeArtifact, makeReceipt } from '../contracts/ledger.ts';
import { event } from '../jobs/event.ts';
import { makeImageReading, makeReading, makeStudyHeader } from '../support/readings.ts';

/** The API on a real store: what a screening desk sees. */

const token = 'a-token-of-the-tests-0123456789';
const canary = 'CANARY^PATRICIA';

describe('the studies of a store over HTTP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-http-'));
  let store: Store;
  let server: HttpServer;
  let gateway: GatewayMetrics;

  beforeAll(async () => {
    store = openStore(folder, (line) => gateway.observe(line));
    gateway = createGatewayMetrics(store.board, () => 3_600_000);
    for (const [index, score] of [0.2, 0.91, 0.55].entries()) await readOne(store, `1.${index}`, score);
    await store.queue.announce(event('1.9'), 10);
    const lateral = (await store.queue.claim(10))!;
    await store.queue.settle(lateral, { state: 'skipped', code: 'no-eligible-image' }, 1_010);
    server = createHttpServer({
      host: '127.0.0.1',
      port: 0,
      token,
      allowedHosts: [],
      checks: [],
      metrics: gateway.metrics,
      board: store.board,
      history: store.history,
      ask: (announced) => store.queue.announce(announced, 2_000),
      flags: createFlags(store.memory('reconcile')),
      receive: (announced) => store.queue.announce(announced, 2_000),
      log: () => {},
      now: Date.now,
    });
    await server.listen();
  });
  afterAll(async () => {
    await server.close();
    store.close();
    rmSync(folder, { recursive: true });
  });

  const get = async (path: string) => {
    const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, text: await answer.text() };
  };
  const list = async (query: string) => {
    const { status, text } = await get(`/api/v1/studies${query}`);
    const body = JSON.parse(text) as { total: number; studies: Record<string, unknown>[] };
    return { status, ...body, uids: body.studies?.map(({ studyInstanceUid }) => studyInstanceUid) };
  };

  test('flags stand at their study and in a list of their own, because an alert names only a job (fault 6)', async () => {
    const flags = createFlags(store.memory('reconcile'));
    const since = '2026-03-14T09:20:00.000Z';
    await flags.keep('1.0', ['patient-differs'], Date.parse(since));
    await flags.keep('1.0', ['patient-differs', 'result-missing'], Date.parse(since) + 1_000);
    const [first, second] = [
      { code: 'patient-differs', since },
      { code: 'result-missing', since: '2026-03-14T09:20:01.000Z' },
    ];
    expect(JSON.parse((await get('/api/v1/studies/1.0')).text)).toMatchObject({ flags: [first, second] });
    expect(JSON.parse((await get('/api/v1/studies/1.1')).text)).toMatchObject({ flags: [] });
    const all = async () => JSON.parse((await get('/api/v1/flags')).text) as unknown;
    expect(await all()).toEqual({ studies: [{ studyInstanceUid: '1.0', flags: [first, second] }] });
    await flags.keep('1.0', [], 0);
    expect(await all()).toEqual({ studies: [] });
  });

  test('the triage list has the highest score first and only suspicious films, because a screening begins there', async () => {
    const { total, uids, studies } = await list('?decision=present&sort=-score');
    expect({ total, uids }).toEqual({ total: 2, uids: ['1.1', '1.2'] });
    expect(studies.map(({ score }) => score)).toEqual([0.91, 0.55]);
  });

  test('every row says that no person reviewed it, because it is what a model thinks', async () => {
    const { studies } = await list('');
    expect(studies).toHaveLength(4);
    for (const study of studies) expect(study).toMatchObject({ reviewed: false });
  });

  test('filters and pages work together, because a list of thousands is read in pieces', async () => {
    expect(await list('?state=done&sort=score&limit=2&offset=1')).toMatchObject({ total: 3, uids: ['1.2', '1.1'] });
    expect(await list('?state=skipped')).toMatchObject({ uids: ['1.9'] });
    expect(await list('?code=no-eligible-image')).toMatchObject({ uids: ['1.9'] });
    expect(await list('?decision=undetermined')).toMatchObject({ total: 0, uids: [] });
  });

  test.each([
    '?sort=name',
    '?sort=score&sort=-score',
    '?state=gone',
    '?decision=maybe',
    '?limit=0',
    '?limit=501',
    '?limit=1e9',
    '?offset=-1',
    '?limit=ten',
    '?desicion=present',
    '?code=A%20B',
    '?state[]=done',
  ])('%s is refused, because a filter that is ignored shows the wrong list', async (query) => {
    expect(await get(`/api/v1/studies${query}`)).toMatchObject({ status: 400 });
  });

  test('a study tells artifacts, receipts and its way, because "where is the report" is the question', async () => {
    const { status, text } = await get('/api/v1/studies/1.1');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      studyInstanceUid: '1.1',
      state: 'done',
      decision: 'present',
      announcedAt: '1970-01-01T00:00:00.001Z',
      artifacts: [{ name: 'sr', id: '2.25.1.1', kind: 'sr' }],
      receipts: [makeReceipt('sr')],
      history: [{ state: 'announced' }, { state: 'done', durationMs: 1_000 }],
    });
  });

  test('no answer holds a name, because the list is for work and the PACS has the patients', async () => {
    for (const path of ['/api/v1/studies', '/api/v1/studies/1.1', '/metrics']) {
      expect((await get(path)).text).not.toContain(canary);
    }
  });

  test('the metrics count changes, waiting jobs and durations without a UID, because they leave the house', async () => {
    const { text } = await get('/metrics');
    expect(text).toContain('cxr_gateway_job_changes_total{state="done",code=""} 3\n');
    expect(text).toContain('cxr_gateway_job_changes_total{state="skipped",code="no-eligible-image"} 1\n');
    expect(text).toContain('cxr_gateway_jobs{state="done"} 3\n');
    expect(text).toContain('cxr_gateway_queue_depth{lane="stat"} 0\n');
    expect(text).toContain('cxr_gateway_queue_oldest_seconds{lane="stat"} 0\n');
    expect(text).toContain('cxr_gateway_state_duration_seconds_bucket{state="done",le="0.3"} 0\n');
    expect(text).toContain('cxr_gateway_state_duration_seconds_bucket{state="done",le="1"} 3\n');
    expect(text).toContain('cxr_gateway_state_duration_seconds_count{state="done"} 3\n');
    expect(text).not.toMatch(/\b1\.[0-9]\b(?=")/);
  });

  test('an announcement over HTTP is a job on the disk when it is answered, because a 202 is a promise', async () => {
    const answer = await fetch(`${server.url}/api/v1/studies`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json; charset=utf-8' },
      body: '{"studyInstanceUid":"1.77"}',
    });
    expect(answer.status).toBe(202);
    expect((await store.board.get('1.77'))?.job).toMatchObject({ state: 'announced', source: 'webhook' });
  });
});

async function readOne(store: Store, uid: string, score: number): Promise<void> {
  const now = Number(uid.slice(2));
  await store.queue.announce(event(uid), now);
  const job = (await store.queue.claim(now))!;
  const study = makeStudyHeader({ StudyInstanceUID: uid, PatientName: canary });
  const reading = makeReading({ images: [makeImageReading({ score })], study });
  await store.ledger.record(job, reading, [makeArtifact(`2.25.${uid}`, uid)]);
  await store.ledger.receive(reading, [makeReceipt('sr')]);
  await store.queue.settle(job, { state: 'done', partial: false }, now + 1_000);
}
