import type { Scored } from './scored.ts';

/** The receiver operating characteristic. Pure. */

export interface RocPoint {
  /** A film is positive at or above it; infinite at the first point, where none is. */
  readonly threshold: number;
  readonly sensitivity: number;
  readonly falsePositiveRate: number;
}

/**
 * One point for each distinct score, from (0, 0) to (1, 1): films with one score turn positive together, so that ties make a
 * slope and never a staircase of our own choice. Both classes must be there.
 */
export function rocCurve(films: readonly Scored[]): readonly RocPoint[] {
  const sorted = films.toSorted((a, b) => b.score - a.score);
  const positives = sorted.filter(({ positive }) => positive).length;
  const negatives = sorted.length - positives;
  const points: RocPoint[] = [{ threshold: Number.POSITIVE_INFINITY, sensitivity: 0, falsePositiveRate: 0 }];
  let truePositives = 0;
  sorted.forEach(({ score, positive }, index) => {
    if (positive) truePositives++;
    if (sorted[index + 1]?.score === score) return;
    const falsePositives = index + 1 - truePositives;
    const sensitivity = truePositives / positives;
    points.push({ threshold: score, sensitivity, falsePositiveRate: falsePositives / negatives });
  });
  return points;
}

/** The curve without the points in the middle of a straight piece: the same drawing in far fewer points. */
export function corners(curve: readonly RocPoint[]): readonly RocPoint[] {
  return curve.filter((point, index) => {
    const before = curve[index - 1];
    const after = curve[index + 1];
    if (!before || !after) return true;
    const rise = (point.sensitivity - before.sensitivity) * (after.falsePositiveRate - point.falsePositiveRate);
    const run = (after.sensitivity - point.sensitivity) * (point.falsePositiveRate - before.falsePositiveRate);
    return Math.abs(rise - run) > 1e-15;
  });
}
