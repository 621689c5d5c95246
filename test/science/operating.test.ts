import { atSpecificity, operatingPoints, youden } from '../../src/science/operating.ts';
import { rocCurve } from '../../src/science/roc.ts';
import { drawnFilms } from './reference.ts';

const films = drawnFilms(7, 500, 40);
const curve = rocCurve(films);
const options = { manifestPoint: 0.62, targetSpecificity: 0.718, prevalence: 0.0257 };

describe('operating points', () => {
  const points = operatingPoints(films, curve, options);

  test('always hold the model’s own and p = 0.5, because those were not chosen on these films', () => {
    expect(points.filter(({ chosenHere }) => !chosenHere).map(({ threshold }) => threshold)).toEqual([0.62, 0.5]);
  });

  test('have the counts of their own threshold, because a point of the curve is a decision rule', () => {
    for (const { threshold, performance } of points.filter(({ chosenHere }) => chosenHere)) {
      const onCurve = curve.find((point) => point.threshold === threshold)!;
      expect(performance.sensitivity.value).toBeCloseTo(onCurve.sensitivity, 12);
      expect(performance.specificity.value).toBeCloseTo(1 - onCurve.falsePositiveRate, 12);
    }
  });

  test('keep the specificity that was asked for and lose nothing beside, because that is the bargain', () => {
    const chosen = atSpecificity(curve, 0.718);
    expect(1 - chosen.falsePositiveRate).toBeGreaterThanOrEqual(0.718);
    const better = curve.filter((p) => 1 - p.falsePositiveRate >= 0.718 && p.sensitivity > chosen.sensitivity);
    expect(better).toEqual([]);
    expect(atSpecificity(curve, 1).falsePositiveRate).toBe(0);
  });

  test('find Youden’s J by looking at every point', () => {
    const best = Math.max(...curve.map((p) => p.sensitivity - p.falsePositiveRate));
    const found = youden(curve);
    expect(found.sensitivity - found.falsePositiveRate).toBe(best);
  });
});
