import { type Estimate, negativesOf, positivesOf, type Scored, z975 } from './scored.ts';

/** Area under the ROC curve with DeLong's variance. Pure. */

export interface Area extends Estimate {
  /** Null unless there are at least two films of each class. */
  readonly standardError: number | null;
}

/**
 * AUC = P(score of a positive > score of a negative) + ½ P(equal), with the variance of DeLong, DeLong & Clarke-Pearson
 * (Biometrics 1988; 44:837) computed from midranks (Sun & Xu, IEEE Signal Process Lett 2014; 21:1389).
 * The interval is symmetric on the logit scale, so that it never leaves 0 to 1 and holds its coverage near 1
 * (Pepe, 2003, section 5.2). It is null where the variance is zero (complete separation): no width can be told there.
 */
export function areaUnderCurve(films: readonly Scored[]): Area {
  const placements = placementsOf(films);
  if (!placements) return { value: null, ci95: null, standardError: null };
  const value = mean(placements.placed);
  const standardError = standardErrorOf(placements);
  return { value, ci95: standardError === null ? null : logitInterval(value, standardError), standardError };
}

/**
 * AUC by the scores `after` less AUC by the scores `before` of the same films in the same order. The interval is DeLong's for
 * correlated curves, symmetric on the plain scale, since a difference has no bounds to keep to but −1 and 1.
 */
export function areaChange(before: readonly Scored[], after: readonly Scored[]): Estimate {
  const [one, other] = [placementsOf(before), placementsOf(after)];
  if (!one || !other) return { value: null, ci95: null };
  const difference = {
    placed: other.placed.map((share, i) => share - one.placed[i]!),
    beaten: other.beaten.map((share, j) => share - one.beaten[j]!),
  };
  const value = mean(difference.placed);
  const standardError = standardErrorOf(difference);
  if (standardError === null) return { value, ci95: null };
  return { value, ci95: [value - z975 * standardError, value + z975 * standardError] };
}

interface Placements {
  /** Share of the negatives that each positive beats. */
  readonly placed: readonly number[];
  /** Share of the positives that beat each negative. */
  readonly beaten: readonly number[];
}

/** Null without films of both classes. */
function placementsOf(films: readonly Scored[]): Placements | null {
  const x = positivesOf(films).map(({ score }) => score);
  const y = negativesOf(films).map(({ score }) => score);
  if (x.length === 0 || y.length === 0) return null;
  const together = midranks([...x, ...y]);
  const amongPositives = midranks(x);
  const amongNegatives = midranks(y);
  return {
    placed: x.map((_, i) => (together[i]! - amongPositives[i]!) / y.length),
    beaten: y.map((_, j) => 1 - (together[x.length + j]! - amongNegatives[j]!) / x.length),
  };
}

/** Null unless there are two films of each class. */
function standardErrorOf({ placed, beaten }: Placements): number | null {
  if (placed.length < 2 || beaten.length < 2) return null;
  return Math.sqrt(variance(placed) / placed.length + variance(beaten) / beaten.length);
}

function logitInterval(value: number, standardError: number): Estimate['ci95'] {
  if (value <= 0 || value >= 1 || standardError === 0) return null;
  const logit = Math.log(value / (1 - value));
  const half = (z975 * standardError) / (value * (1 - value));
  return [logistic(logit - half), logistic(logit + half)];
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Rank of each value from 1; equal values share the mean of their ranks. */
export function midranks(values: readonly number[]): readonly number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) ranks[order[i]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of a sample: n − 1 below the line. */
function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}
