import { describe, expect, test } from '@jest/globals';
import { Failure, type FailureCode } from '../../src/core/failure.ts';
import type { Job, Settlement } from '../../src/core/ports.ts';
import { type RunnerOptions, runJobs, type Store } from '../../src/jobs/index.ts';
import { makeFolder, openTracked } from './bench.ts';
import { event } from './event.ts';

type Line = Readonly<Record<string, unknown>>;
const done: Settlement = { state: 'done', partial: false };

/** A runner on a real store with a clock that the test moves. */
function start(readStudy: (job: Job) => Promise<Settlement>, overrides: Partial<RunnerOptions> = {}) {
  const lines: Line[] = [];
  const log = (line: Line) => void lines.push(line);
  const store = openTracked(makeFolder(), log);
  const clock = { now: 1_000 };
  const stop = new AbortController();
  const runner = runJobs({
    queue: store.queue,
    readStudy,
    log,
    now: () => clock.now,
    random: () => 0,
    concurrency: 1,
    retryWindowMs: 72 * 3_600_000,
    signal: stop.signal,
    graceMs: 200,
    ...overrides,
  });
  const announce = async (uid: string) => {
    await store.queue.announce(event(uid), clock.now);
    runner.poke();
  };
  const end = async () => {
    stop.abort();
    await runner.done;
  };
  return { store, lines, clock, runner, announce, end };
}

/** Waits for what must come; the test's own deadline ends a vain wait. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Waits for the study to come to a state; the test's own deadline ends a vain wait. */
async function reached(store: Store, uid: string, state: string): Promise<Job> {
  for (;;) {
    const row = await store.board.get(uid);
    if (row?.job.state === state) return row.job;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('what a failure makes of a study', () => {
  test.each<[FailureCode, string]>([
    ['not-chest', 'skipped'],
    ['decode-failed', 'quarantined'],
    ['source-gone', 'retrying'],
    ['pacs-unavailable', 'retrying'],
    ['pacs-unconfirmed', 'retrying'],
    ['pacs-refused', 'dead'],
    ['internal', 'dead'],
  ])('%s makes it %s, because its class says so', async (code, state) => {
    const { store, announce, end } = start(async () => {
      throw new Failure(code);
    });
    await announce('1.2');
    expect(await reached(store, '1.2', state)).toMatchObject({ code });
    await end();
  });

  test('one poisoned study does not hold the next, because a failure belongs to its study', async () => {
    const { store, announce, end } = start(async ({ studyInstanceUid }) => {
      if (studyInstanceUid === '1.1') throw new TypeError('poison');
      if (studyInstanceUid === '1.2') throw new Failure('pacs-timeout');
      return done;
    });
    for (const uid of ['1.1', '1.2', '1.3']) await announce(uid);
    await reached(store, '1.3', 'done');
    expect((await store.board.get('1.1'))?.job).toMatchObject({ state: 'dead', code: 'internal' });
    expect((await store.board.get('1.2'))?.job).toMatchObject({ state: 'retrying', code: 'pacs-timeout' });
    await end();
  });

  test('a retry comes by itself when it is due, because nobody announces it', async () => {
    let attempts = 0;
    const { store, clock, runner, announce, end } = start(async () => {
      attempts += 1;
      if (attempts < 3) throw new Failure('pacs-busy', { retryAfterSeconds: 60 });
      return done;
    });
    await announce('1.2');
    for (const attempt of [1, 2]) {
      const job = await reached(store, '1.2', 'retrying');
      expect(job).toMatchObject({ attempt, dueAt: clock.now + 60_000 });
      clock.now = job.dueAt;
      runner.poke();
      await until(() => attempts > attempt);
    }
    await reached(store, '1.2', 'done');
    await end();
  });

  test('the timer alone wakes it for what is due, because a quiet night has no announcements', async () => {
    const { store, runner, end } = start(async () => done, { now: Date.now });
    await store.queue.announce(event('1.2'), Date.now() + 150);
    runner.poke();
    await reached(store, '1.2', 'done');
    await end();
  });

  test('a store that fails stops the runner, because nothing is durable any more', async () => {
    const { runner, announce } = start(async () => {
      throw new Failure('store-failed', { where: 'an artifact file', got: 'ENOSPC at write' });
    });
    await announce('1.2');
    await expect(runner.done).rejects.toMatchObject({ code: 'store-failed' });
  });
});

describe('how many run, and when', () => {
  test('as many run at once as told and no more, because the PACS counts', async () => {
    const gates: (() => void)[] = [];
    const { store, announce, end } = start(
      async () => {
        await new Promise<void>((resolve) => gates.push(resolve));
        return done;
      },
      { concurrency: 3 },
    );
    for (let index = 1; index <= 5; index++) await announce(`1.${index}`);
    await until(() => gates.length >= 3);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(gates.length).toBe(3);
    gates[0]!();
    await until(() => gates.length > 3);
    expect(gates.length).toBe(4);
    for (const [index, uid] of ['1.2', '1.3', '1.4', '1.5'].entries()) {
      await until(() => gates.length > index + 1);
      gates[index + 1]!();
      await reached(store, uid, 'done');
    }
    await end();
  });

  test('an idle runner does not ask the queue in a loop, because a laptop has a fan', async () => {
    let asked = 0;
    const idle = openTracked(makeFolder());
    const queue = { ...idle.queue, claim: (now: number) => idle.queue.claim(now + 0 * ++asked) };
    const { end } = start(async () => done, { queue });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(asked).toBeLessThanOrEqual(2);
    await end();
  });
});

describe('fault 74: a stop', () => {
  test('lets a run finish and claims no other, because the work is nearly done', async () => {
    const gate = Promise.withResolvers<void>();
    const { store, announce, end } = start(
      async () => {
        await gate.promise;
        return done;
      },
      { graceMs: 5_000 },
    );
    await announce('1.1');
    await announce('1.2');
    const ended = end();
    setTimeout(gate.resolve, 20);
    await ended;
    expect((await store.board.get('1.1'))?.job.state).toBe('done');
    expect((await store.board.get('1.2'))?.job).toMatchObject({ state: 'announced', attempt: 0 });
  });

  test('parks a run that does not end and drops what it gives later, because another process may have it by then', async () => {
    const gate = Promise.withResolvers<Settlement>();
    const reading = Promise.withResolvers<void>();
    const { store, lines, announce, end } = start(async () => {
      reading.resolve();
      return gate.promise;
    });
    await announce('1.1');
    await reading.promise;
    const before = performance.now();
    await end();
    expect(performance.now() - before).toBeLessThan(2_000);
    const job = await store.queue.claim(2_000);
    expect(job).toMatchObject({ studyInstanceUid: '1.1', attempt: 0 });
    const told = lines.length;
    gate.reject(new Failure('pacs-refused'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lines.length).toBe(told);
    await store.queue.settle(job!, done, 3_000);
  });
});

describe('the log', () => {
  const canaries = ['1.2.840.113619.2.55.3', '2.25.987654321987654321', 'CANARY^PATRICIA', 'MRN-4711'];

  test('holds no UID and no name, whatever was thrown, because logs leave the house', async () => {
    const [uid, other, name, id] = canaries as [string, string, string, string];
    const thrown = [
      new Failure('pacs-refused', { where: `/studies/${uid}/series/${other}`, got: '409' }),
      new TypeError(`cannot read ${name} of\n    at ${id}`),
      new Failure('internal', { cause: new Error(`${name} ${uid}`) }),
      `${name} ${id}`,
    ];
    const { store, lines, announce, end } = start(async () => {
      throw thrown.shift();
    });
    for (let index = 0; index < 4; index++) {
      await announce(`${uid}.${index}`);
      await reached(store, `${uid}.${index}`, 'dead');
    }
    await end();
    expect(lines.filter(({ event }) => event === 'failure')).toHaveLength(4);
    for (const canary of canaries) expect(JSON.stringify(lines)).not.toContain(canary);
  });

  test('says where and from which line an unexpected error came, because somebody has to mend it', async () => {
    const { store, lines, announce, end } = start(async () => {
      throw new RangeError('text');
    });
    await announce('1.2');
    await reached(store, '1.2', 'dead');
    await end();
    const line = lines.find(({ event }) => event === 'failure');
    expect(line).toMatchObject({ code: 'internal', class: 'permanent', job: 1 });
    expect(line?.['stack']).toMatch(/^RangeError\nat .*runner\.test\.ts/);
  });

  test('keeps what an operator can act on, because a code alone does not say which setting', async () => {
    const { store, lines, announce, end } = start(async () => {
      throw new Failure('pacs-unavailable', {
        where: 'GET http://10.1.2.3:8042/dicom-web',
        expected: '2xx',
        got: '502',
      });
    });
    await announce('1.2');
    await reached(store, '1.2', 'retrying');
    await end();
    expect(lines.find(({ event }) => event === 'failure')?.['detail']).toBe(
      'The PACS could not be reached or answered with a server error. Where: GET http://10.1.2.3:8042/dicom-web. Expected: 2xx. Got: 502.',
    );
  });
});
