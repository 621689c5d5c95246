import { setTimeout as wait } from 'node:timers/promises';
import { asFailure } from '../core/failure.ts';

/**
 * Version conflicts within one delivery (fault 49). Somebody wrote at the same time: what was read no longer holds, so all of
 * it is read and applied anew, soon, because the other has finished. HAPI answers 409 to all but one of several equal
 * transactions that arrive together. After the last try the job waits as for every other failure.
 */

export const mostTries = 5;
const firstDelayMs = 100;

export interface Patience {
  readonly sleep: (delayMs: number) => Promise<unknown>;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
}

export const patience: Patience = { sleep: (delayMs) => wait(delayMs), random: Math.random };

/** `settle`: what can be mended before the next try. Raises what the attempt raises, `fhir-conflict` after the last. */
export async function againOnConflict<T>(
  attempt: () => Promise<T>,
  settle: () => Promise<void>,
  { sleep, random }: Patience,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (thrown) {
      if (asFailure(thrown).code !== 'fhir-conflict' || tries === mostTries) throw thrown;
    }
    await settle();
    await sleep(conflictDelayMs(tries, random));
  }
}

/** Between half and all of a time that doubles: those who collided do not come back together. */
export const conflictDelayMs = (tries: number, random: () => number): number =>
  Math.round(firstDelayMs * 2 ** (tries - 1) * (0.5 + random() * 0.5));
