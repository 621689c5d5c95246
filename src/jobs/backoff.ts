import type { FailureCode } from '../core/failure.ts';
import type { Job } from '../core/ports.ts';

/** When a failed run is tried again. Pure: clock and random are handed in. */

export const firstDelayMs = 1_000;
export const defaultLongestPauseMs = 10 * 60_000;
/** A peer may ask for more patience than our own longest delay, but not for a day. */
export const longestRetryAfterMs = 60 * 60_000;

/** A claimed job with the start of its present run of failures, from which the retry window counts. */
export interface ClaimedJob extends Job {
  /** Milliseconds since 1970; null when nothing has failed since the study was last announced. */
  readonly failingSince: number | null;
}

export interface RetryRules {
  readonly retryWindowMs: number;
  /** Longest pause between two tries that no peer asked for; 10 min by default. */
  readonly longestPauseMs?: number;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
}

export type RetrySettlement =
  | { readonly state: 'retrying'; readonly dueAt: number; readonly code: FailureCode }
  | { readonly state: 'dead'; readonly code: 'retries-exhausted'; readonly cause: FailureCode };

/**
 * The delay after a failure, milliseconds: decorrelated jitter, between the first delay and three times the delay before,
 * never longer than `longestPauseMs`. Many studies that failed together do not come back together.
 */
export function nextDelayMs(
  previousDelayMs: number,
  { random, longestPauseMs = defaultLongestPauseMs }: Pick<RetryRules, 'random' | 'longestPauseMs'>,
): number {
  const delayMs = firstDelayMs + random() * (previousDelayMs * 3 - firstDelayMs);
  return Math.round(Math.min(longestPauseMs, Math.max(firstDelayMs, delayMs)));
}

/**
 * The delay that a job waited last, milliseconds. A job that settled or was interrupted since its last failure has no delay of
 * its own: then the attempts count, so that a study which fails after each settling still backs off.
 */
export function previousDelayMs(job: Job): number {
  if (job.state === 'retrying') return Math.max(firstDelayMs, job.dueAt - job.updatedAt);
  return Math.min(defaultLongestPauseMs, firstDelayMs * 2 ** Math.min(job.attempt, 16));
}

/** Retrying at a later time, or dead once the retry window is over; a peer's Retry-After is a lower bound. */
export function retryOrDie(
  job: ClaimedJob,
  failure: { readonly code: FailureCode; readonly retryAfterSeconds: number | undefined },
  now: number,
  rules: RetryRules,
): RetrySettlement {
  if (now - (job.failingSince ?? now) >= rules.retryWindowMs) {
    return { state: 'dead', code: 'retries-exhausted', cause: failure.code };
  }
  const askedMs = Math.min(longestRetryAfterMs, Math.max(0, (failure.retryAfterSeconds ?? 0) * 1_000));
  const delayMs = Math.max(askedMs, nextDelayMs(previousDelayMs(job), rules));
  return { state: 'retrying', dueAt: now + delayMs, code: failure.code };
}

/** A study that is not found is looked for again after these, a minute in all: archives move and re-index studies (fault 4). */
const goneDelaysMs = [10_000, 20_000, 30_000] as const;

/** Looked for again, or gone. The delays count from the last time that the study was found, or failed otherwise. */
export function lookAgainOrGone(
  job: Job,
  now: number,
): RetrySettlement | { readonly state: 'source-gone'; readonly code: 'source-gone' } {
  const wasGone = job.state === 'retrying' && job.code === 'source-gone';
  const last = wasGone ? previousDelayMs(job) : 0;
  const delayMs = goneDelaysMs.find((each) => each > last);
  if (delayMs === undefined) return { state: 'source-gone', code: 'source-gone' };
  return { state: 'retrying', dueAt: now + delayMs, code: 'source-gone' };
}
