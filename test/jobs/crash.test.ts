import { describe, expect, test } from '@jest/globals';
import type { Store } from '../../src/jobs/index.ts';
import { model } from '../support/readings.ts';
import { acknowledgedReading, acknowledgedSr } from './acknowledged.ts';
import { closeTracked, makeFolder, openTracked } from './bench.ts';
import { type Child, startChild } from './processes.ts';

/** Whatever a process said was done is there after it was killed. */

const numbers = (lines: readonly string[], word: string) =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

async function checkEverythingSaid(store: Store, child: Child): Promise<void> {
  for (const index of numbers(child.lines, 'announced')) expect(await store.board.get(`1.${index}`)).not.toBeNull();
  for (const uid of numbers(child.lines, 'recorded')) {
    const recorded = await store.ledger.latest(uid, model.id);
    expect(recorded?.reading).toEqual(acknowledgedReading(uid));
    expect(Buffer.compare(recorded!.artifacts[0]!.bytes, acknowledgedSr(uid).bytes)).toBe(0);
  }
  for (const uid of numbers(child.lines, 'received')) {
    expect((await store.ledger.latest(uid, model.id))?.receipts).toHaveLength(1);
  }
  for (const uid of numbers(child.lines, 'done')) expect((await store.board.get(uid))?.job.state).toBe('done');
}

describe('fault 66: kill -9', () => {
  test('between record and receipt nothing is lost and the bytes are the same, because a retry must not score again', async () => {
    const folder = makeFolder();
    const child = startChild('work', folder, '1');
    await child.said('recorded 1.1');
    await child.kill('SIGKILL');
    const store = openTracked(folder);
    await checkEverythingSaid(store, child);
    await store.queue.recover(1);
    await store.queue.announce({ studyInstanceUid: '1.1', source: 'test', priority: 'stat' }, 2);
    const job = await store.queue.claim(2);
    expect(job).not.toBeNull();
    const again = await store.ledger.record(job!, acknowledgedReading('1.1'), [
      { ...acknowledgedSr('other'), id: acknowledgedSr('1.1').id },
    ]);
    expect(Buffer.compare(again.artifacts[0]!.bytes, acknowledgedSr('1.1').bytes)).toBe(0);
  });

  test('after each kind of word everything said stays true, because each word came after its fsync', async () => {
    const folder = makeFolder();
    const before: Child[] = [];
    for (const [round, word] of [
      'announced',
      'recorded 1.',
      'received 1.',
      'done 1.',
      'announced',
      'done 1.',
    ].entries()) {
      const first = round * 1_000;
      const child = startChild('work', folder, String(first));
      await child.said(`done 1.${first}`);
      await child.said(`${word}${word.endsWith('.') ? '' : ' '}${first + 1 + round}`);
      await child.kill('SIGKILL');
      before.push(child);
    }
    expect(before.flatMap(({ lines }) => numbers(lines, 'done')).length).toBeGreaterThan(6);
    const store = openTracked(folder);
    for (const child of before) await checkEverythingSaid(store, child);
    await store.queue.recover(1);
    for (let job = await store.queue.claim(1e6); job; job = await store.queue.claim(1e6)) {
      await store.queue.settle(job, { state: 'done', partial: false }, 1e6);
    }
    expect(Object.keys(await store.board.countsByState())).toEqual(['done']);
  });
});

describe('fault 72: two processes on one state folder', () => {
  test('the second is refused with the pid of the first, because two writers would deliver twice', async () => {
    const folder = makeFolder();
    const first = startChild('hold', folder);
    await first.said('open');
    expect(() => openTracked(folder)).toThrow(
      expect.objectContaining({
        code: 'store-locked',
        message: expect.stringContaining(`held by process ${first.pid} on `),
      }),
    );
    const second = startChild('hold', folder);
    expect(await second.said('store-locked')).toContain(`process ${first.pid} `);
    expect(await second.ended).toBe(75);
  });

  test('a killed process leaves no lock, because nobody is there at night to remove one', async () => {
    const folder = makeFolder();
    const first = startChild('hold', folder);
    await first.said('open');
    await first.kill('SIGKILL');
    expect(() => openTracked(folder)).not.toThrow();
  });

  test('of four that start together one gets the folder and the others name it, because the lock is taken in one step', async () => {
    const folder = makeFolder();
    const children = [1, 2, 3, 4].map(() => startChild('hold', folder));
    await Promise.all(children.map((child) => Promise.race([child.said('open'), child.said('store-locked')])));
    const winners = children.filter(({ lines }) => lines[0]?.startsWith('open'));
    expect(winners).toHaveLength(1);
    for (const { lines } of children.filter((child) => child !== winners[0])) {
      expect(lines[0]).toContain(`process ${winners[0]!.pid} `);
    }
  });

  test('a second store in the same process is refused too, because a POSIX lock alone would not see it', () => {
    const folder = makeFolder();
    openTracked(folder);
    expect(() => openTracked(folder)).toThrow(expect.objectContaining({ code: 'store-locked' }));
  });
});

describe('fault 74: SIGTERM during work', () => {
  test('the process ends with 0, finishes what it can and parks the rest, because a stop is not a failure', async () => {
    const folder = makeFolder();
    const store = openTracked(folder);
    await store.queue.announce({ studyInstanceUid: '1.1', source: 'test', priority: 'routine' }, 0);
    closeTracked(store);
    const child = startChild('serve', folder);
    await child.said('reading 1.1');
    const asked = performance.now();
    expect(await child.kill('SIGTERM')).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    const after = openTracked(folder);
    expect(await after.queue.claim(1)).toMatchObject({ studyInstanceUid: '1.1', attempt: 0, failingSince: null });
  });
});
