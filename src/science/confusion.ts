import { type Estimate, type Interval, isPresent, type Scored, z975 } from './scored.ts';

/** Decisions against the truth at one threshold. Pure. */

export interface Confusion {
  readonly truePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  readonly falsePositives: number;
}

export interface Performance {
  readonly sensitivity: Estimate;
  readonly specificity: Estimate;
  readonly accuracy: Estimate;
}

export function confusionAt(films: readonly Scored[], threshold: number): Confusion {
  const count = (positive: boolean, present: boolean): number =>
    films.filter((film) => film.positive === positive && isPresent(film.score, threshold) === present).length;
  return {
    truePositives: count(true, true),
    falseNegatives: count(true, false),
    trueNegatives: count(false, false),
    falsePositives: count(false, true),
  };
}

/** Sensitivity, specificity and accuracy of the films as they are, with Wilson's intervals. */
export function performanceOf(confusion: Confusion): Performance {
  const { truePositives, falseNegatives, trueNegatives, falsePositives } = confusion;
  const positives = truePositives + falseNegatives;
  const negatives = trueNegatives + falsePositives;
  return {
    sensitivity: proportion(truePositives, positives),
    specificity: proportion(trueNegatives, negatives),
    accuracy: proportion(truePositives + trueNegatives, positives + negatives),
  };
}

/** k of n with Wilson's score interval (JASA 1927; 22:209): right for small n and near 0 and 1. */
export function proportion(k: number, n: number): Estimate {
  return n === 0 ? { value: null, ci95: null } : { value: k / n, ci95: wilson(k, n) };
}

function wilson(k: number, n: number): Interval {
  const share = k / n;
  const z2 = z975 * z975;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z975 / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return [k === 0 ? 0 : centre - half, k === n ? 1 : centre + half];
}

/** What a site would see whose share of positive studies is `prevalence`. */
export interface AtPrevalence {
  readonly prevalence: number;
  readonly accuracy: number | null;
  readonly ppv: number | null;
  readonly npv: number | null;
  /** Studies in a thousand that are called positive, right or wrong. */
  readonly flagsPerThousand: number | null;
}

/** Bayes' rule: sensitivity and specificity are the classes' own, the mix of the classes is the site's. */
export function atPrevalence(confusion: Confusion, prevalence: number): AtPrevalence {
  const { sensitivity, specificity } = performanceOf(confusion);
  if (sensitivity.value === null || specificity.value === null) {
    return { prevalence, accuracy: null, ppv: null, npv: null, flagsPerThousand: null };
  }
  const found = sensitivity.value * prevalence;
  const missed = prevalence - found;
  const cleared = specificity.value * (1 - prevalence);
  const alarms = 1 - prevalence - cleared;
  return {
    prevalence,
    accuracy: found + cleared,
    ppv: found + alarms === 0 ? null : found / (found + alarms),
    npv: cleared + missed === 0 ? null : cleared / (cleared + missed),
    flagsPerThousand: 1000 * (found + alarms),
  };
}
