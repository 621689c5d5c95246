import { describe, expect, test } from '@jest/globals';
import type { Log } from '../../src/core/ports.ts';
import type { Demand } from '../../src/core/study.ts';
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
    describe('demands', () => demands(bench));
    describe('claims', () => claims(bench));
    describe('lanes', () => lanes(bench));
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
      const again = (await queue.claim(3))!;
      expect(again.claim).not.toBe(first.claim);
      expect({ ...again, claim: first.claim }).toEqual({
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
    await queue.announce(event('1.1', { priority: 'stat' }), 1);
    const running = (await queue.claim(2))!;
    expect(running).toMatchObject({ studyInstanceUid: '1.1', priority: 'stat' });
    const routine = (await queue.claim(2))!;
    await queue.announce(event(routine.studyInstanceUid, { priority: 'stat' }), 3);
    await queue.settle(routine, { state: 'retrying', dueAt: 5, code: 'pacs-busy' }, 4);
    expect(await queue.claim(5)).toMatchObject({ studyInstanceUid: routine.studyInstanceUid, priority: 'stat' });
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
    await queue.announce(event('1.2'), 10);
    expect(await queue.nextDueAt()).toBe(10);
    const first = (await queue.claim(10))!;
    expect(first).toMatchObject({ state: 'announced', attempt: 0, dueAt: 10, failingSince: null });
    expect(await queue.claim(11)).toBeNull();
    await queue.settle(first, { state: 'settling', dueAt: 50, settling: { count: 1, since: 11 } }, 11);
    expect(await queue.claim(49)).toBeNull();
    expect(await queue.claim(50)).toMatchObject({ state: 'settling', dueAt: 50 });
    expect(await queue.claim(99)).toBeNull();
    expect(await queue.nextDueAt()).toBeNull();
  });

  test('a named study is claimed whatever its due time and its lane, because a person stands and waits for it', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.1', { priority: 'stat' }), 0);
    await queue.announce(event('1.2'), 0);
    const failed = (await queue.claimStudy('1.2', 1))!;
    expect(failed).toMatchObject({ studyInstanceUid: '1.2', state: 'announced' });
    expect(await queue.claimStudy('1.2', 1)).toBeNull();
    await queue.settle(failed, { state: 'retrying', dueAt: 9_000, code: 'pacs-busy' }, 2);
    const again = (await queue.claimStudy('1.2', 3))!;
    expect(again).toMatchObject({ number: failed.number, state: 'retrying', attempt: 1, dueAt: 9_000 });
    await queue.settle(again, { state: 'done', partial: false }, 4);
    expect(await queue.claimStudy('1.2', 5)).toBeNull();
    expect(await queue.claimStudy('1.99', 5)).toBeNull();
    expect(await queue.claim(5)).toMatchObject({ studyInstanceUid: '1.1' });
  });

  test('a claimed job that is not ours to change is refused, because a parked run may end late', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    const job = (await queue.claim(0))!;
    await queue.park(job, 1);
    const refused = expect.objectContaining({ code: 'claim-lost' });
    await expect(queue.advance(job, 'read', 2)).rejects.toEqual(refused);
    await expect(queue.settle(job, { state: 'done', partial: false }, 2)).rejects.toEqual(refused);
    await expect(queue.park(job, 2)).rejects.toEqual(refused);
    expect(await queue.claim(3)).toMatchObject({ number: job.number, state: 'announced' });
  });
}

const replay: Demand = { kind: 'replay', reason: 'new threshold', by: 'command' };
const retract: Demand = { kind: 'retract', reason: 'wrong patient', by: 'dr.k' };
const done = { state: 'done', partial: false } as const;

function demands(bench: StoreBench): void {
  const wanted = (demand: Demand) => event('1.2', { demand });

  test('a demand waits with its study and outlives announcements and restarts, because a person said it once', async () => {
    const store = await bench.open();
    await store.queue.announce(event('1.2'), 0);
    expect((await store.board.get('1.2'))?.job.demand).toBeNull();
    await store.queue.announce(wanted(replay), 1);
    await store.queue.announce(event('1.2', { priority: 'stat' }), 2);
    const { queue, board } = await bench.reopen(store);
    expect((await board.get('1.2'))?.job.demand).toEqual(replay);
    expect(await queue.claim(3)).toMatchObject({ studyInstanceUid: '1.2', demand: replay });
  });

  test('the demand that came last counts, because a person may think again', async () => {
    const { queue } = await bench.open();
    await queue.announce(wanted(replay), 0);
    await queue.announce(wanted(retract), 1);
    expect(await queue.claim(2)).toMatchObject({ demand: retract });
  });

  test('a demand makes a study due that waits for its retry, because a person asks for it now', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    await queue.settle((await queue.claim(0))!, { state: 'retrying', dueAt: 9_000, code: 'pacs-busy' }, 1);
    await queue.announce(wanted(replay), 2);
    expect(await queue.claim(3)).toMatchObject({ state: 'retrying', attempt: 1, demand: replay });
  });

  test.each(['done', 'skipped', 'quarantined', 'source-gone', 'dead'] as const)(
    'a run that ends as %s takes its demand with it, because a wish is fulfilled once',
    async (state) => {
      const { queue, board } = await bench.open();
      await queue.announce(wanted(replay), 0);
      const job = (await queue.claim(0))!;
      await queue.settle(job, state === 'done' ? done : { state, code: 'not-chest' }, 1);
      expect((await board.get('1.2'))?.job).toMatchObject({ state, demand: null });
      await queue.announce(event('1.2'), 2);
      expect(await queue.claim(2)).toMatchObject({ demand: null });
    },
  );

  test('an ended study starts afresh with the demand, because a retraction comes after the report', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.2'), 0);
    await queue.settle((await queue.claim(0))!, done, 1);
    await queue.announce(wanted(retract), 2);
    expect(await queue.claim(2)).toMatchObject({ state: 'announced', demand: retract });
  });

  test('a demand for a running study gets a run of its own, because the one under way knows nothing of it', async () => {
    const { queue, board } = await bench.open();
    await queue.announce(wanted(replay), 0);
    const job = (await queue.claim(0))!;
    await queue.announce(wanted(retract), 1);
    await queue.announce(event('1.2'), 2);
    expect((await board.get('1.2'))?.job.demand).toEqual(replay);
    await queue.settle(job, done, 3);
    const next = (await queue.claim(3))!;
    expect(next).toMatchObject({ state: 'announced', demand: retract });
    await queue.settle(next, done, 4);
    expect(await queue.claim(5)).toBeNull();
    expect((await board.get('1.2'))?.job.demand).toBeNull();
  });

  test('a run that does not end keeps its demand, or the newer one, because nothing is fulfilled yet', async () => {
    const { queue } = await bench.open();
    await queue.announce(wanted(replay), 0);
    await queue.settle((await queue.claim(0))!, { state: 'retrying', dueAt: 10, code: 'pacs-busy' }, 1);
    const job = (await queue.claim(10))!;
    expect(job.demand).toEqual(replay);
    await queue.park(job, 11);
    const parked = (await queue.claim(11))!;
    expect(parked.demand).toEqual(replay);
    await queue.announce(wanted(retract), 12);
    await queue.settle(parked, { state: 'settling', dueAt: 20, settling: { count: 1, since: 12 } }, 13);
    expect(await queue.claim(20)).toMatchObject({ demand: retract });
  });

  test('a demand made during a run that dies is not lost, because the person will not ask again', async () => {
    const store = await bench.open();
    await store.queue.announce(event('1.2'), 0);
    await store.queue.claim(0);
    await store.queue.announce(wanted(retract), 1);
    const { queue } = await bench.reopen(store);
    await queue.recover(2);
    expect(await queue.claim(2)).toMatchObject({ demand: retract });
  });

  test('the log does not tell reason or person, because the text is free and may name a patient', async () => {
    const lines: unknown[] = [];
    const { queue } = await bench.open((line) => lines.push(line));
    await queue.announce(wanted(retract), 0);
    await queue.settle((await queue.claim(0))!, done, 1);
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toMatch(/wrong patient|dr\.k/);
  });
}

function lanes(bench: StoreBench): void {
  /** Urgent 8.x, routine 1.x; the higher the number, the later it came. */
  async function full(count: number): Promise<DurableQueue> {
    const { queue } = await bench.open();
    for (let index = 0; index < count; index++) {
      await queue.announce(event(`8.${index}`, { priority: 'stat' }), index);
      await queue.announce(event(`1.${index}`), index);
    }
    return queue;
  }

  async function take(queue: DurableQueue, count: number, now = 1_000): Promise<string[]> {
    const order: string[] = [];
    for (let turn = 0; turn < count; turn++) {
      const job = await queue.claim(now);
      if (job) order.push(job.studyInstanceUid);
    }
    return order;
  }

  test('fault 17: twelve claims of full lanes are eight stat, three newest and the oldest, because that is the share', async () => {
    const order = await take(await full(30), 12);
    expect(order.filter((uid) => uid.startsWith('8.'))).toEqual(Array.from({ length: 8 }, (_, index) => `8.${index}`));
    expect(order.filter((uid) => uid.startsWith('1.'))).toEqual(['1.29', '1.28', '1.27', '1.0']);
  });

  test('fault 17: the oldest routine study is claimed within twelve claims under endless stat, because nobody starves', async () => {
    const queue = await full(3);
    for (let turn = 0; turn < 12; turn++) {
      await queue.announce(event(`9.${turn}`, { priority: 'stat' }), 900 + turn);
      await queue.announce(event(`2.${turn}`), 900 + turn);
      if ((await queue.claim(1_000))?.studyInstanceUid === '1.0') return;
    }
    throw new Error('expected: the oldest study within twelve claims');
  });

  test('fault 17: a stat study is next but one however long the backlog is, because its ward waits', async () => {
    const { queue } = await bench.open();
    for (let index = 0; index < 200; index++) await queue.announce(event(`1.${index}`), index);
    for (let turn = 0; turn < 15; turn++) {
      await queue.announce(event(`9.${turn}`, { priority: 'stat' }), 900);
      expect(await take(queue, 2)).toContain(`9.${turn}`);
    }
  });

  test('an empty lane gives its turn on, because a claim that is free helps nobody', async () => {
    const { queue } = await bench.open();
    for (let index = 0; index < 8; index++) await queue.announce(event(`1.${index}`), index);
    expect(await take(queue, 9)).toEqual(['1.7', '1.6', '1.5', '1.0', '1.4', '1.3', '1.2', '1.1']);
    await queue.announce(event('8.1', { priority: 'stat' }), 50);
    await queue.announce(event('8.2', { priority: 'stat' }), 51);
    await queue.announce(event('8.3', { priority: 'stat' }), 52);
    expect(await take(queue, 4)).toEqual(['8.1', '8.2', '8.3']);
  });

  test('what is not due is in no lane, because its turn would be spent on a peer that asked for patience', async () => {
    const { queue } = await bench.open();
    await queue.announce(event('1.1'), 0);
    await queue.announce(event('1.2'), 1);
    await queue.settle((await queue.claimStudy('1.2', 2))!, { state: 'retrying', dueAt: 9_000, code: 'pacs-busy' }, 2);
    expect(await take(queue, 2)).toEqual(['1.1']);
    expect(await take(queue, 1, 9_000)).toEqual(['1.2']);
  });

  test('a settlement raises a study to stat, because its order is known only when its header is', async () => {
    const { queue } = await bench.open();
    for (let index = 0; index < 5; index++) await queue.announce(event(`1.${index}`), index);
    const job = (await queue.claimStudy('1.2', 10))!;
    const settling = { count: 1, since: 10 };
    await queue.settle(job, { state: 'settling', dueAt: 20, settling, priority: 'stat' }, 10);
    expect(await queue.claim(20)).toMatchObject({ studyInstanceUid: '1.2', priority: 'stat' });
    await queue.settle(
      (await queue.claimStudy('1.3', 21))!,
      { state: 'settling', dueAt: 30, settling: { count: 1, since: 21 } },
      21,
    );
    expect(await queue.claimStudy('1.3', 30)).toMatchObject({ priority: 'routine' });
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
    await store.queue.announce(event('1.1'), 1);
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
