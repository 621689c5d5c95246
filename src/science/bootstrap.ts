import { uniform } from '../model/random.ts';
import type { Interval } from './scored.ts';

/** Interval of a mean whose values come in groups, by resampling. Pure: the seed is fixed. */

const resamples = 2000;

/**
 * Percentile interval, 95 %, of the mean over all values, with whole groups drawn again: films of one patient are no
 * independent films. Null for fewer than two groups.
 */
export function groupedMean(values: readonly { readonly group: string; readonly value: number }[]): Interval | null {
  const groups = [...Map.groupBy(values, ({ group }) => group).values()].map((members) => ({
    n: members.length,
    sum: members.reduce((total, { value }) => total + value, 0),
  }));
  if (groups.length < 2) return null;
  const draw = uniform(1);
  const means = Float64Array.from({ length: resamples }, () => {
    let [n, sum] = [0, 0];
    for (let i = 0; i < groups.length; i++) {
      const group = groups[Math.floor(draw() * groups.length)]!;
      n += group.n;
      sum += group.sum;
    }
    return sum / n;
  }).sort();
  return [means[Math.round(0.025 * resamples)]!, means[Math.round(0.975 * resamples) - 1]!];
}
