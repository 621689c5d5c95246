import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../../src/core/failure.ts';
import type { Announce, Memory, Source } from '../../src/core/ports.ts';
import type { StudyEvent } from '../../src/core/study.ts';
import type { Wait } from '../../src/sources/loop.ts';

/** A memory that keeps JSON, as the store does. */
export function makeMemory(): Memory & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    get: async (key) => (values.has(key) ? JSON.parse(values.get(key)!) : undefined),
    set: async (key, value) => void values.set(key, JSON.stringify(value)),
  };
}

export interface Round {
  /** The studies announced in this round, in order. */
  readonly announced: readonly string[];
  readonly failures: readonly Failure[];
}

/** Runs a source round by round: its pauses are where it stops. `build` gets what the source is to report and wait with. */
export interface Rounds {
  next(): Promise<Round>;
  /** Milliseconds of the last pause. */
  readonly pausedMs: number;
  stop(): Promise<void>;
}

export function runRounds(
  build: (tools: { report: (failure: Failure) => void; wait: Wait }) => Source,
  onAnnounce?: Announce,
): Rounds {
  const controller = new AbortController();
  let announced: StudyEvent[] = [];
  let failures: Failure[] = [];
  let pausedMs = 0;
  let paused = Promise.withResolvers<void>();
  let go = Promise.withResolvers<void>();
  const source = build({
    report: (failure) => void failures.push(failure),
    wait: async (ms, signal) => {
      pausedMs = ms;
      paused.resolve();
      await Promise.race([
        go.promise,
        new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
      ]);
      go = Promise.withResolvers();
    },
  });
  const announce: Announce = async (event) => {
    await onAnnounce?.(event);
    announced.push(event);
  };
  let running: Promise<void> | null = null;
  return {
    async next() {
      announced = [];
      failures = [];
      paused = Promise.withResolvers();
      if (running) go.resolve();
      running ??= source.run(announce, controller.signal);
      await paused.promise;
      return { announced: announced.map(({ studyInstanceUid }) => studyInstanceUid), failures };
    },
    get pausedMs() {
      return pausedMs;
    },
    async stop() {
      controller.abort();
      await running;
    },
  };
}

/** Waits until it holds; ends the test when it never does. */
export async function until(holds: () => boolean, timeoutMs = 15_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !holds(); ) {
    if (Date.now() > end) throw new Error('it did not come to hold in time');
    await sleep(50);
  }
}
