/** How fast jobs end, out of the last ten minutes: long enough for a slow site, short enough to see that something stands still. */
export interface Pace {
  ended(): void;
  /** Of the last ten minutes, or of the time since the first look when that is shorter. 0 when none ended. */
  perSecond(): number;
}

const minutes = 10;
const minuteMs = 60_000;

/** @param now milliseconds since 1970 */
export function createPace(now: () => number): Pace {
  const began = now();
  const counts = new Map<number, number>();
  const minuteOf = (ms: number): number => Math.floor(ms / minuteMs);
  const forget = (): void => {
    const newest = minuteOf(now());
    for (const minute of counts.keys()) if (minute <= newest - minutes || minute > newest) counts.delete(minute);
  };
  return {
    ended() {
      forget();
      const minute = minuteOf(now());
      counts.set(minute, (counts.get(minute) ?? 0) + 1);
    },
    perSecond() {
      forget();
      const oldest = (minuteOf(now()) - minutes + 1) * minuteMs;
      const seconds = (now() - Math.max(began, oldest)) / 1_000;
      return [...counts.values()].reduce((sum, count) => sum + count, 0) / Math.max(1, seconds);
    },
  };
}
