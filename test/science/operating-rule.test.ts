import { confusionAt } from '../../src/science/confusion.ts';
import { percentile } from '../../src/science/head-model.ts';
import { chooseOperatingPoint } from '../../src/science/operating-rule.ts';

const films = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9].map((score, i) => ({ score, positive: i === 2 || i > 4 }));

describe('the operating point of a new model', () => {
  test("is Youden's, half-way between the scores that it parts, because rounding elsewhere must tip no film", () => {
    expect(chooseOperatingPoint('youden', films)).toBe(0.65);
    expect(confusionAt(films, 0.65)).toMatchObject({ truePositives: 3, falsePositives: 0 });
  });

  test('is the highest sensitivity at a specificity where that is asked for', () => {
    expect(chooseOperatingPoint('specificity=0.5', films)).toBe(0.25);
    expect(chooseOperatingPoint('specificity=0.9', films)).toBe(0.65);
  });

  test('is the number that was given, kept off the ends that a manifest does not take', () => {
    expect(chooseOperatingPoint('0.42', films)).toBe(0.42);
    expect(chooseOperatingPoint('0.0', films)).toBe(1e-6);
  });

  test('is refused where the rule would call no film positive', () => {
    const upside = films.map(({ score, positive }) => ({ score, positive: !positive && score > 0 }));
    const inverted = [...upside.filter(({ positive }) => !positive), { score: 0.01, positive: true }];
    expect(() => chooseOperatingPoint('specificity=0.99', inverted)).toThrow(/--operating-point/);
  });

  test('leaves two scores apart that six decimals cannot part', () => {
    const close = [
      { score: 0.5, positive: false },
      { score: 0.5000001, positive: true },
    ];
    expect(chooseOperatingPoint('youden', close)).toBe(0.5000001);
  });
});

test('a percentile lies between ranks, linearly', () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(percentile([4, 1, 3, 2], 1)).toBe(4);
  expect(percentile([7], 0.995)).toBe(7);
});
