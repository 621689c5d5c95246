import { corners, rocCurve } from '../../src/science/roc.ts';
import type { Scored } from '../../src/science/scored.ts';
import { drawnFilms } from './reference.ts';

const films = (positives: readonly number[], negatives: readonly number[]): readonly Scored[] => [
  ...positives.map((score) => ({ score, positive: true })),
  ...negatives.map((score) => ({ score, positive: false })),
];

describe('the ROC curve', () => {
  test('goes through tied scores in one slope, because their order is nobody’s knowledge', () => {
    const curve = rocCurve(films([0.9, 0.5], [0.5, 0.1]));
    expect(curve.map(({ falsePositiveRate, sensitivity }) => [falsePositiveRate, sensitivity])).toEqual([
      [0, 0],
      [0, 0.5],
      [0.5, 1],
      [1, 1],
    ]);
  });

  test('keeps its area when only the corners are kept, because the report draws those', () => {
    const curve = rocCurve(drawnFilms(5, 400, 30));
    const area = (points: ReturnType<typeof rocCurve>) =>
      points.reduce((sum, { falsePositiveRate, sensitivity }, i) => {
        const before = points[i - 1];
        if (!before) return sum;
        return sum + ((sensitivity + before.sensitivity) / 2) * (falsePositiveRate - before.falsePositiveRate);
      }, 0);
    const few = corners(rocCurve(films([0.9, 0.8, 0.7], [0.3, 0.2])));
    expect(few).toHaveLength(3);
    expect(area(corners(curve))).toBeCloseTo(area(curve), 12);
  });
});
