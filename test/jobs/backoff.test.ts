import { describe, expect, test } from '@jest/globals';
import {
  type ClaimedJob,
  defaultLongestPauseMs,
  firstDelayMs,
  longestRetryAfterMs,
  lookAgainOrGone,
  nextDelayMs,
  previousDelayMs,
  retryOrDie,
} from '../../src/jobs/backoff.ts';
import { makeJob } from '../support/readings.ts';

const hour = 3_600_000;
const busy = { code: 'pacs-busy', retryAfterSeconds: undefined } as const;
const rules = { retryWindowMs: 72 * hour, random: () => 0.5 };

/** A study that fails at every attempt, until it is dead: the delays, and how long it was tried. */
function failForever(random: () => number, retryAfterSeconds?: number) {
  const delays: number[] = [];
  let job: ClaimedJob = { ...makeJob(), failingSince: null };
  for (let now = 0; ; ) {
    const settled = retryOrDie(job, { ...busy, retryAfterSeconds }, now, { ...rules, random });
    if (settled.state === 'dead') return { delays, settled, triedMs: now };
    const { state, code, dueAt } = settled;
    job = {
      ...job,
      state,
      code,
      dueAt,
      updatedAt: now,
      attempt: job.attempt + 1,
      failingSince: job.failingSince ?? now,
    };
    delays.push(dueAt - now);
    now = dueAt;
  }
}

/** A small generator with a seed, 0 ≤ x < 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('fault 24: a PACS that fails for days', () => {
  test('delays lie between 1 s and 10 min, because a peer that is back must not wait, and one that is down must rest', () => {
    const { delays } = failForever(seeded(24));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(firstDelayMs);
    expect(Math.max(...delays)).toBe(defaultLongestPauseMs);
    expect(delays.length).toBeLessThan(1_000);
  });

  test('never pauses longer than the site wants, because a small archive would rather be asked again', () => {
    const rules = { random: () => 0.999_999, longestPauseMs: 5_000 };
    const delays = Array.from({ length: 8 }).reduce<number[]>(
      (before) => [...before, nextDelayMs(before.at(-1)!, rules)],
      [firstDelayMs],
    );
    expect(Math.max(...delays)).toBe(5_000);
  });

  test('two hundred studies that failed together spread out, because a herd would bring the PACS down again', () => {
    const random = seeded(7);
    const sixth = Array.from({ length: 200 }, () => {
      let [dueAt, delay] = [0, firstDelayMs];
      for (let attempt = 0; attempt < 6; attempt++) {
        delay = nextDelayMs(delay, { random });
        dueAt += delay;
      }
      return Math.floor(dueAt / 1_000);
    });
    const crowd = Math.max(...sixth.map((slot) => sixth.filter((other) => other === slot).length));
    expect(crowd).toBeLessThan(40);
    expect(new Set(sixth).size).toBeGreaterThan(50);
  });

  test('the longest delays triple up to ten minutes, because an outage of a second needs no minute', () => {
    const { delays } = failForever(() => 1);
    expect(delays.slice(0, 8)).toEqual([3_000, 9_000, 27_000, 81_000, 243_000, 600_000, 600_000, 600_000]);
  });

  test('after 72 h it is dead and says why it failed last, because a person must look now', () => {
    const { settled, triedMs } = failForever(seeded(1));
    expect(settled).toEqual({ state: 'dead', code: 'retries-exhausted', cause: 'pacs-busy' });
    expect(triedMs).toBeGreaterThanOrEqual(72 * hour);
    expect(triedMs).toBeLessThanOrEqual(72 * hour + defaultLongestPauseMs);
  });

  test('the window opens at the first failure, because a study may have waited in a backlog for days', () => {
    const job: ClaimedJob = { ...makeJob({ announcedAt: 0 }), failingSince: null };
    expect(retryOrDie(job, busy, 100 * hour, rules)).toMatchObject({ state: 'retrying' });
    expect(retryOrDie({ ...job, failingSince: 1 }, busy, 100 * hour, rules)).toMatchObject({ state: 'dead' });
  });
});

describe('fault 4: a study that is not found', () => {
  const gone = (job: ReturnType<typeof makeJob>) => lookAgainOrGone(job, job.updatedAt);

  test('is looked for three times more within a minute, and is gone then', () => {
    let job = makeJob({ state: 'announced' });
    const delays: number[] = [];
    for (;;) {
      const settled = gone(job);
      if (settled.state !== 'retrying') {
        expect(settled).toEqual({ state: 'source-gone', code: 'source-gone' });
        break;
      }
      delays.push(settled.dueAt - job.updatedAt);
      job = makeJob({ ...settled, attempt: job.attempt + 1, updatedAt: job.updatedAt });
    }
    expect(delays).toEqual([10_000, 20_000, 30_000]);
  });

  test('after an outage has its three looks too, because the outage said nothing of the study', () => {
    const job = makeJob({ state: 'retrying', code: 'pacs-unavailable', attempt: 40, dueAt: 600_000, updatedAt: 0 });
    expect(gone(job)).toEqual({ state: 'retrying', dueAt: 10_000, code: 'source-gone' });
  });
});

describe('Retry-After', () => {
  const job: ClaimedJob = { ...makeJob(), failingSince: null };
  const dueAt = (retryAfterSeconds: number) => retryOrDie(job, { ...busy, retryAfterSeconds }, 0, rules);

  test('is a lower bound, because the peer knows when it is back', () => {
    expect(dueAt(300)).toMatchObject({ dueAt: 300_000 });
    expect(dueAt(0.1)).toMatchObject({ dueAt: 2_000 });
  });

  test('is held to an hour and never negative, because a wrong clock must not lose a study', () => {
    expect(dueAt(1e9)).toMatchObject({ dueAt: longestRetryAfterMs });
    expect(dueAt(-1e9)).toMatchObject({ dueAt: 2_000 });
  });

  test('of an hour does not lengthen our own delays, because they have their own ceiling', () => {
    expect(nextDelayMs(longestRetryAfterMs, { random: () => 0.999_999 })).toBeLessThanOrEqual(defaultLongestPauseMs);
  });
});

test('a study that settles between its failures still backs off, because else it would be asked for every second', () => {
  const delays = [0, 1, 2, 5, 20].map((attempt) => previousDelayMs(makeJob({ state: 'settling', attempt })));
  expect(delays).toEqual([1_000, 2_000, 4_000, 32_000, 600_000]);
});
