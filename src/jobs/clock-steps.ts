/**
 * Steps of the wall clock, found by a clock that nobody can set (fault 75). Due times are wall time, because they outlive the process:
 * after a step back they lie too far ahead. A step forward makes them come early, which harms nothing.
 */

/** Less is a correction that a time service makes all the time, and shorter than any wait that matters. */
export const noticedStepMs = 5_000;

export interface Clocks {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds since any moment; never set. */
  readonly monotonic: () => number;
}

/** Gives by how much the clock was set since the last call, milliseconds, below 0 when it was set back; 0 for less than `noticedStepMs`. */
export function watchSteps({ now, monotonic }: Clocks): () => number {
  const lead = (): number => now() - monotonic();
  let before = lead();
  return () => {
    const stepMs = lead() - before;
    before += stepMs;
    return Math.abs(stepMs) > noticedStepMs ? Math.round(stepMs) : 0;
  };
}
