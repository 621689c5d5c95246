import { setTimeout as sleep } from 'node:timers/promises';
import { asFailure, type Failure } from '../core/failure.ts';

/** Asking again and again until the signal aborts. A failure makes the pause longer and never ends the loop. */
export interface Loop {
  readonly everyMs: number;
  readonly signal: AbortSignal;
  /** Told of every failure. */
  readonly report: (failure: Failure) => void;
  readonly wait?: Wait;
  /** Whether this process is the one that asks: of several gateways on one store one is. Always, where it is left out. */
  readonly leads?: () => Promise<boolean>;
}

/** Resolves after the time, or at the abort. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

const longestPauseMs = 10 * 60_000;

export const systemWait: Wait = async (ms, signal) => {
  await sleep(ms, undefined, { signal }).catch(() => {});
};

export async function repeat(
  work: () => Promise<void>,
  { everyMs, signal, report, wait = systemWait, leads = async () => true }: Loop,
): Promise<void> {
  let failed = 0;
  while (!signal.aborted) {
    let pauseMs = everyMs;
    try {
      if (await leads()) await work();
      failed = 0;
    } catch (thrown) {
      const failure = asFailure(thrown);
      report(failure);
      failed++;
      pauseMs = pauseAfter(failure, failed, everyMs);
    }
    if (!signal.aborted) await wait(pauseMs, signal);
  }
}

/** Doubles with every failure in a row; a peer that names a time is left alone for as long. */
function pauseAfter({ detail }: Failure, failed: number, everyMs: number): number {
  const backOffMs = Math.min(everyMs * 2 ** Math.min(failed, 20), Math.max(longestPauseMs, everyMs));
  return Math.max(backOffMs, (detail.retryAfterSeconds ?? 0) * 1000);
}
