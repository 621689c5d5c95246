import { atPrevalence, confusionAt, performanceOf, proportion } from '../../src/science/confusion.ts';

/** The figures of the paper: 154 positives, 5,828 negatives. */
const paper = { truePositives: 119, falseNegatives: 35, trueNegatives: 4182, falsePositives: 1646 };
const percent = (value: number | null) => (100 * value!).toFixed(1);

describe('decisions against the truth', () => {
  test('give the paper’s figures from the paper’s counts, because that is the known answer', () => {
    const { sensitivity, specificity, accuracy } = performanceOf(paper);
    expect([sensitivity, specificity, accuracy].map(({ value }) => percent(value))).toEqual(['77.3', '71.8', '71.9']);
    for (const prevalence of [154 / 5982, 0.0257]) {
      const weighed = atPrevalence(paper, prevalence);
      expect([percent(weighed.ppv), percent(weighed.npv), percent(weighed.accuracy)]).toEqual(['6.7', '99.2', '71.9']);
    }
    expect(atPrevalence(paper, 0.0257).flagsPerThousand).toBeCloseTo(295.0, 0);
  });

  test('re-weighted to the films’ own mix are the plain ones, because then nothing is re-weighted', () => {
    const mix = atPrevalence(paper, 154 / 5982);
    expect(mix.accuracy).toBeCloseTo(performanceOf(paper).accuracy.value!, 12);
    expect(mix.ppv).toBeCloseTo(119 / (119 + 1646), 12);
    expect(mix.npv).toBeCloseTo(4182 / (4182 + 35), 12);
    expect(mix.flagsPerThousand).toBeCloseTo((1000 * (119 + 1646)) / 5982, 9);
  });

  test('call a score at the threshold positive, because the product does', () => {
    const films = [
      { score: 0.5, positive: true },
      { score: 0.499999, positive: true },
      { score: 0.5, positive: false },
    ];
    expect(confusionAt(films, 0.5)).toEqual({
      truePositives: 1,
      falseNegatives: 1,
      trueNegatives: 0,
      falsePositives: 1,
    });
  });

  test('have Wilson’s interval, which has a width even where all or none succeed', () => {
    // Newcombe, Stat Med 1998; 17:857, table I: 81/263, 15/148, 0/20, 1/29, method 3.
    const shown = (k: number, n: number) => proportion(k, n).ci95!.map((bound) => bound.toFixed(4));
    expect(shown(81, 263)).toEqual(['0.2553', '0.3662']);
    expect(shown(15, 148)).toEqual(['0.0624', '0.1605']);
    expect(shown(0, 20)).toEqual(['0.0000', '0.1611']);
    expect(shown(1, 29)).toEqual(['0.0061', '0.1718']);
    expect(shown(20, 20)).toEqual(['0.8389', '1.0000']);
  });

  test('are undefined where a class is missing, because nothing over nothing is no number', () => {
    const onlyPositives = { truePositives: 3, falseNegatives: 1, trueNegatives: 0, falsePositives: 0 };
    expect(performanceOf(onlyPositives).specificity).toEqual({ value: null, ci95: null });
    expect(atPrevalence(onlyPositives, 0.1).ppv).toBeNull();
  });
});
