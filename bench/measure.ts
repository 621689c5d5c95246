/** Medians, and contestants that take turns: a shared machine changes under a measurement, but not between two turns. */

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Contestant {
  readonly name: string;
  /** Does `times` pieces of work; gives the seconds that it took where it has a clock of its own. */
  readonly work: (times: number) => Promise<unknown>;
  /** Pieces a turn. */
  readonly times: number;
}

/** Seconds a piece, one entry a round. */
export type Timings = ReadonlyMap<string, readonly number[]>;

/** Every contestant in turn, round after round; a round before the first is not counted. Milliseconds come from `now`. */
export async function takeTurns(
  contestants: readonly Contestant[],
  rounds: number,
  now: () => number = () => performance.now(),
): Promise<Timings> {
  const timings = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, work, times } of contestants) {
      const began = now();
      const own = await work(times);
      const seconds = typeof own === 'number' ? own : (now() - began) / 1000;
      if (round > 0) timings.get(name)!.push(seconds / times);
    }
  }
  return timings;
}

export const perMinute = (seconds: number): number => 60 / seconds;

/** How many times as fast as another: the median over the rounds, each held against the other's turn in the same round. */
export function speedRatio(own: readonly number[], other: readonly number[]): number {
  return median(own.map((seconds, round) => other[round]! / seconds));
}
