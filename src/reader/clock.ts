/** A limit of time that stands still while somebody else works. */

export interface Clock {
  /** Takes no time for as long as the work lasts. */
  standStill<T>(work: Promise<T>): Promise<T>;
  /** It never rings after this. */
  stop(): void;
}

/** Rings once, after `ms` of running. */
export function startClock(ms: number, ring: () => void): Clock {
  let leftMs = ms;
  let since = performance.now();
  let timer = setTimeout(ring, leftMs);
  let stopped = false;
  return {
    async standStill(work) {
      clearTimeout(timer);
      leftMs -= performance.now() - since;
      try {
        return await work;
      } finally {
        since = performance.now();
        if (!stopped) timer = setTimeout(ring, Math.max(0, leftMs));
      }
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
