import { calibrationOf } from '../../src/science/calibration.ts';

describe('calibration', () => {
  test('is perfect where as many are positive as the score says, and worst where all are wrong', () => {
    const tens = Array.from({ length: 10 }, (_, i) => ({ score: 0.3, positive: i < 3 }));
    expect(calibrationOf(tens).ece).toBeCloseTo(0, 12);
    const wrong = [
      { score: 1, positive: false },
      { score: 0, positive: true },
    ];
    expect(calibrationOf(wrong)).toMatchObject({ ece: 1, brier: 1 });
  });

  test('has a score of 1 in the last bin and leaves empty bins empty, because a bin of nothing says nothing', () => {
    const { bins } = calibrationOf([{ score: 1, positive: true }]);
    expect(bins).toHaveLength(10);
    expect(bins[9]).toMatchObject({ n: 1, meanScore: 1, shareOfPositives: 1 });
    expect(bins[0]).toMatchObject({ n: 0, meanScore: null, shareOfPositives: null, ci95: null });
  });
});
