import { proportion } from './confusion.ts';
import type { Interval, Scored } from './scored.ts';

/** Does a score of 0.8 mean eight in ten? Pure. */

export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** Null in an empty bin, as the two below. */
  readonly meanScore: number | null;
  readonly shareOfPositives: number | null;
  readonly ci95: Interval | null;
}

export interface Calibration {
  /** Ten bins of equal width, the upper edge outside but for the last. */
  readonly bins: readonly CalibrationBin[];
  /**
   * Expected calibration error: mean over the films of |share of positives − mean score| of their bin. It is of these films'
   * mix: at another prevalence the same scores are calibrated otherwise.
   */
  readonly ece: number;
  /** Mean squared distance of the score from the truth. */
  readonly brier: number;
}

export const binCount = 10;

/** At least one film must be there. */
export function calibrationOf(films: readonly Scored[]): Calibration {
  const binOf = (score: number) => Math.min(binCount - 1, Math.floor(score * binCount));
  const grouped = Map.groupBy(films, ({ score }) => binOf(score));
  const bins = Array.from({ length: binCount }, (_, index) => describeBin(index, grouped.get(index) ?? []));
  const gap = ({ n, meanScore, shareOfPositives }: CalibrationBin) =>
    n === 0 ? 0 : n * Math.abs(shareOfPositives! - meanScore!);
  return {
    bins,
    ece: sum(bins.map(gap)) / films.length,
    brier: sum(films.map(({ score, positive }) => (score - Number(positive)) ** 2)) / films.length,
  };
}

function describeBin(index: number, films: readonly Scored[]): CalibrationBin {
  const n = films.length;
  const { value, ci95 } = proportion(films.filter(({ positive }) => positive).length, n);
  return {
    low: index / binCount,
    high: (index + 1) / binCount,
    n,
    meanScore: n === 0 ? null : sum(films.map(({ score }) => score)) / n,
    shareOfPositives: value,
    ci95,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
