import { readdirSync, readFileSync } from 'node:fs';

/** From what was seen from outside to figures. */

/** Nearest rank: the value that this share of the values does not exceed. Raises a RangeError of nothing. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('a percentile of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** Counts by upper bound in seconds, cumulative, as Prometheus has them; the last bound is infinite. */
export type Buckets = ReadonlyMap<number, number>;

/** The buckets of the one series of a histogram in the Prometheus text format. Raises when it is not there. */
export function bucketsOf(text: string, name: string): Buckets {
  const lines = [...text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\d+)$`, 'gm'))];
  if (lines.length === 0) throw new Error(`expected ${name} in the metrics`);
  return new Map(lines.map(([, bound, count]) => [bound === '+Inf' ? Infinity : Number(bound), Number(count)]));
}

/** What was counted between two looks. */
export const between = (before: Buckets, after: Buckets): Buckets =>
  new Map([...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));

export const sum = (all: readonly Buckets[]): Buckets =>
  new Map(
    [...(all[0] ?? [])].map(([bound]) => [bound, all.reduce((total, each) => total + (each.get(bound) ?? 0), 0)]),
  );

/** Straight between the bounds, as `histogram_quantile` has it; above the last finite bound that bound, and 0 of nothing. */
export function quantileOf(buckets: Buckets, share: number): number {
  const all = [...buckets].sort(([a], [b]) => a - b);
  const total = all.at(-1)?.[1] ?? 0;
  if (total === 0) return 0;
  const rank = share * total;
  let [low, below] = [0, 0];
  for (const [bound, count] of all) {
    if (count >= rank && count > below) {
      return bound === Infinity ? low : low + ((bound - low) * (rank - below)) / (count - below);
    }
    [low, below] = [bound, count];
  }
  return low;
}

export interface StateChange {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly state: string;
}

/** Seconds from the moment in which the study had settled until its results were read back. Raises for a study that is not done. */
export function secondsToReadBack(history: readonly StateChange[], quietSeconds: number): number {
  const settling = history.find(({ state }) => state === 'settling');
  const done = history.findLast(({ state }) => state === 'done');
  if (!settling || !done) throw new Error(`expected settling and done, got ${history.map(({ state }) => state)}`);
  return (done.at - settling.at) / 1000 - quietSeconds;
}

/** Studies a minute between two ends: from the end number `first` to the end number `last`, counted from 0; milliseconds in. */
export const studiesPerMinute = (endsAt: readonly number[], first: number, last: number): number =>
  ((last - first) * 60_000) / (endsAt[last]! - endsAt[first]!);

/** Clock ticks a second in /proc on Linux. */
const ticksPerSecond = 100;

/** Processor time in seconds of a process, with or without those that it started, dead ones that were waited for included; null without /proc. */
export function cpuSeconds(pid: number, whose: 'own' | 'with children'): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, deadUser = 0, deadSystem = 0] = fields.slice(11, 15);
    if (whose === 'own') return (user + system) / ticksPerSecond;
    const dead = deadUser + deadSystem;
    return (
      (user + system + dead) / ticksPerSecond +
      children(pid).reduce((all, child) => all + (cpuSeconds(child, whose) ?? 0), 0)
    );
  } catch {
    return null;
  }
}

/** Every thread of a process may have started some. */
function children(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
    return text.trim().split(/\s+/).filter(Boolean).map(Number);
  });
}
