import { describe, expect, test } from '@jest/globals';
import type { Log } from '../../src/core/ports.ts';
import type { DurableQueue, Store } from '../../src/jobs/index.ts';
import { event } from '../jobs/event.ts';

/** What every job queue promises. `open` gives a store that is empty, and one that was closed and opened again. */
export interface StoreBench {
  open(log?: Log): Promise<Store>;
  /** As after a restart: what was claimed stays claimed until `recover`. */
  reopen(store: Store, log?: Log): Promise<Store>;
}

/** Claims and settles everything that is due, in the order of the claims. */
async function drain(queue: DurableQueue, now: number): Promise<string[]> {
  const order: string[] = [];
  for (let job = await queue.claim(now); job; job = await queue.claim(now)) {
    order.push(job.studyInstanceUid);
    await queue.settle(job, { state: 'done', partial: false }, now);
  }
  return order;
}

export function jobQueueContract(name: string, bench: StoreBench): void {
  describe(`${name} keeps the contract of a job queue`, () => {
    describe('announcements', () => announcements(bench));
    describe('claims', () => claims(bench));
    describe('settlements', () => settlements(bench));
    describe('restarts', () => restarts(bench));
    describe('log and history', () => changes(bench));
  });
}

function announcements(bench: StoreBench): void {
  test('a waiting study announced ten times runs once, because sources repeat themselves', async () => {
    const { queue } = await bench.open();
    for (let time = 0; time < 10; time++) await queue.announce(event('1.2'), time);
    expect(await drain(queue, 100)).toEqual(['1.2']);
  });

  test('an announcement does not shorten a back-off, because a chatty source must not become a retry storm', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    await queue.settle((await queue.claim(0))!, { state: 'retrying', dueAt: 9_000, code: 'pacs-busy' }, 1);
    await queue.announce(event('1.2'), 2);
    expect(await queue.claim(8_999)).toBeNull();
    expect(await queue.claim(9_000)).toMatchObject({ studyInstanceUid: '1.2', state: 'retrying', attempt: 1 });
  });

  test('a study announced while it runs runs once more, because what was read may be old', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    const job = (await queue.claim(0))!;
    await queue.announce(event('1.2'), 1);
    await queue.announce(event('1.2'), 2);
    expect(await queue.claim(3)).toBeNull();
    await queue.settle(job, { state: 'done', partial: false }, 4);
    expect(await queue.nextDueAt()).toBe(4);
    expect(await drain(queue, 5)).toEqual(['1.2']);
  });

  test('a study announced while it fails keeps its back-off, because it runs again anyway', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    const job = (await queue.claim(0))!;
    await queue.announce(event('1.2'), 1);
    await queue.settle(job, { state: 'retrying', dueAt: 5_000, code: 'pacs-unavailable' }, 2);
    expect(await queue.nextDueAt()).toBe(5_000);
    await queue.settle((await queue.claim(5_000))!, { state: 'done', partial: false }, 5_001);
    expect(await queue.claim(9_999)).toBeNull();
  });

  test.each(['done', 'skipped', 'quarantined', 'source-gone', 'dead'] as const)(
    'a study that ended as %s and is announced again starts afresh, because something changed',
    async (state) => {
      const { queue } = await bench.open();
      await queue.announce(event('1.2', { priority: 'stat' }), 0);
      const first = (await queue.claim(0))!;
      await queue.settle(first, state === 'done' ? { state, partial: true } : { state, code: 'not-chest' }, 1);
      expect(await queue.claim(2)).toBeNull();
      await queue.announce(event('1.2', { source: 'other' }), 3);
      expect(await queue.claim(3)).toEqual({
        ...first,
        source: 'other',
        priority: 'routine',
        announcedAt: 3,
        dueAt: 3,
        updatedAt: 3,
      });
    },
  );

  test('stat raises a waiting and a running study, because the ward called after the film arrived', async () => {
    const { queue } = await bench.open();
    for (const uid of ['1.1', '1.2', '1.3']) await queue.announce(event(uid), 0);
    await queue.announce(event('1.3', { priority: 'stat' }), 1);
    const running = (await queue.claim(2))!;
    expect(running).toMatchObject({ studyInstanceUid: '1.3', priority: 'stat' });
    const routine = (await queue.claim(2))!;
    await queue.announce(event('1.1', { priority: 'stat' }), 3);
    await queue.settle(routine, { state: 'done', partial: false }, 4);
    expect(await queue.claim(5)).toMatchObject({ studyInstanceUid: '1.1', priority: 'stat' });
  });

  test('routine never lowers a waiting stat study, because a source does not know the urgency of another', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2', { priority: 'stat' }), 0);
    await queue.announce(event('1.2'), 1);
    expect(await queue.claim(2)).toMatchObject({ priority: 'stat' });
  });
}

function claims(bench: StoreBench): void {
  test('nothing is claimed before it is due or twice, because two runs of one study would race', async () => {
    const { queue } = await bench.open();
    expect(await queue.nextDueAt()).toBeNull();
    await queue.announce(event('1.2'), 50);
    expect(await queue.nextDueAt()).toBe(50);
    expect(await queue.claim(49)).toBeNull();
    expect(await queue.claim(50)).toMatchObject({ state: 'announced', attempt: 0, dueAt: 50, failingSince: null });
    expect(await queue.claim(99)).toBeNull();
    expect(await queue.nextDueAt()).toBeNull();
  });

  test('fault 17: stat comes before a backlog, the rest in order of arrival, because nobody may starve', async () => {
    const { queue } = await bench.open();
    for (let index = 0; index < 200; index++) await queue.announce(event(`1.${index}`), index);
    await queue.announce(event('9.1', { priority: 'stat' }), 900);
    await queue.announce(event('9.2', { priority: 'stat' }), 901);
    const order = await drain(queue, 1_000);
    expect(order).toEqual(['9.1', '9.2', ...Array.from({ length: 200 }, (_, index) => `1.${index}`)]);
  });

  test('a claimed job that is not ours to change is refused, because a parked run may end late', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    const job = (await queue.claim(0))!;
    await queue.park(job, 1);
    const refused = expect.objectContaining({ code: 'internal' });
    await expect(queue.advance(job, 'read', 2)).rejects.toEqual(refused);
    await expect(queue.settle(job, { state: 'done', partial: false }, 2)).rejects.toEqual(refused);
    await expect(queue.park(job, 2)).rejects.toEqual(refused);
    expect(await queue.claim(3)).toMatchObject({ number: job.number, state: 'announced' });
  });
}

function settlements(bench: StoreBench): void {
  test('a settling study comes back with its count, because the rule compares it', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    const settling = { count: 3, since: 7 };
    await queue.settle((await queue.claim(0))!, { state: 'settling', dueAt: 60, settling }, 10);
    const again = (await queue.claim(60))!;
    expect(again).toMatchObject({ state: 'settling', settling, announcedAt: 0, updatedAt: 10, attempt: 0 });
    await queue.settle(again, { state: 'settling', dueAt: 90, settling: { count: 4, since: 61 } }, 61);
    expect(await queue.claim(90)).toMatchObject({ settling: { count: 4, since: 61 }, updatedAt: 10 });
  });

  test('failures count and keep their beginning through settling, because the retry window starts at the first', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    await queue.settle((await queue.claim(0))!, { state: 'retrying', dueAt: 20, code: 'pacs-busy' }, 10);
    await queue.settle(
      (await queue.claim(20))!,
      { state: 'settling', dueAt: 30, settling: { count: 1, since: 20 } },
      25,
    );
    await queue.settle((await queue.claim(30))!, { state: 'retrying', dueAt: 50, code: 'pacs-timeout' }, 35);
    expect(await queue.claim(50)).toMatchObject({
      state: 'retrying',
      code: 'pacs-timeout',
      attempt: 2,
      failingSince: 10,
      dueAt: 50,
      updatedAt: 35,
    });
  });

  test('a done study says whether it is partial, because a missing image must be seen', async () => {
    const { queue, board } = await bench.open();
    for (const [uid, partial] of [
      ['1.1', true],
      ['1.2', false],
    ] as const) {
      await queue.announce(event(uid), 0);
      await queue.settle((await queue.claim(0))!, { state: 'done', partial }, 1);
      expect((await board.get(uid))?.job).toMatchObject({ state: 'done', partial, code: null });
    }
  });
}

function restarts(bench: StoreBench): void {
  test('fault 66: a claim of a dead process is free again after recover, because nobody else will settle it', async () => {
    const store = await bench.open();
    await store.queue.announce(event('1.2'), 0);
    const job = (await store.queue.claim(0))!;
    await store.queue.advance(job, 'delivering', 1);
    const { queue } = await bench.reopen(store);
    expect(await queue.claim(2)).toBeNull();
    await queue.recover(3);
    expect(await queue.claim(3)).toMatchObject({ number: job.number, state: 'announced', attempt: 0 });
  });

  test('a study under which the process dies again and again makes way, because it may be the cause', async () => {
    let store = await bench.open();
    await store.queue.announce(event('1.1'), 0);
    await store.queue.announce(event('1.2'), 0);
    for (let death = 0; death < 2; death++) {
      expect(await store.queue.claim(1)).toMatchObject({ studyInstanceUid: '1.1' });
      store = await bench.reopen(store);
      await store.queue.recover(1);
    }
    expect(await store.queue.claim(1)).toMatchObject({ studyInstanceUid: '1.2' });
    expect(await store.queue.nextDueAt()).toBeGreaterThan(1);
    expect(await store.queue.claim(60_000)).toMatchObject({ studyInstanceUid: '1.1' });
  });

  test('a parked job is due at once and not blamed, because stopping was not its fault', async () => {
    const store = await bench.open();
    await store.queue.announce(event('1.2'), 0);
    for (let stop = 0; stop < 5; stop++) await store.queue.park((await store.queue.claim(1))!, 2);
    const { queue } = await bench.reopen(store);
    await queue.recover(3);
    expect(await queue.claim(3)).toMatchObject({ attempt: 0, failingSince: null });
  });
}

function changes(bench: StoreBench): void {
  test('the log has one line per change of state and the history the same, because they are one record', async () => {
    const lines: Record<string, unknown>[] = [];
    const { queue, history } = await bench.open((line) => lines.push(line));
    await queue.announce(event('1.2.840.99'), 1_000);
    await queue.announce(event('1.2.840.99'), 1_500);
    await queue.settle((await queue.claim(2_000))!, { state: 'retrying', dueAt: 4_000, code: 'pacs-busy' }, 3_000);
    const job = (await queue.claim(4_000))!;
    await queue.advance(job, 'selected', 4_100);
    await queue.settle(job, { state: 'dead', code: 'retries-exhausted', cause: 'pacs-timeout' }, 4_600);
    const number = job.number;
    const base = { event: 'job', job: number, code: null, class: null };
    expect(lines).toEqual([
      { ...base, time: '1970-01-01T00:00:01.000Z', state: 'announced', attempt: 0, durationMs: 0 },
      {
        ...base,
        time: '1970-01-01T00:00:03.000Z',
        state: 'retrying',
        code: 'pacs-busy',
        class: 'transient',
        attempt: 1,
        durationMs: 2_000,
      },
      { ...base, time: '1970-01-01T00:00:04.100Z', state: 'selected', attempt: 1, durationMs: 1_100 },
      {
        ...base,
        time: '1970-01-01T00:00:04.600Z',
        state: 'dead',
        code: 'retries-exhausted',
        class: 'permanent',
        cause: 'pacs-timeout',
        attempt: 2,
        durationMs: 500,
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('1.2.840.99');
    const told = await history('1.2.840.99');
    expect(told.map(({ state, code, attempt }) => ({ state, code, attempt }))).toEqual(
      lines.map(({ state, code, attempt }) => ({ state, code, attempt })),
    );
    expect(told.at(-1)?.cause).toBe('pacs-timeout');
    expect(await history('9.9')).toEqual([]);
  });
}
