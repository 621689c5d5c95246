import { areaChange, areaUnderCurve } from '../../src/science/delong.ts';
import { drawnFilms } from './reference.ts';

const before = drawnFilms(3, 200, 20);
const after = drawnFilms(4, 200, null).map(({ score }, i) => ({
  positive: before[i]!.positive,
  score: 0.7 * before[i]!.score + 0.3 * score,
}));

/** DeLong's covariances by counting all pairs: another way to the same numbers. */
function counted() {
  const kernel = (x: number, y: number) => (x > y ? 1 : x === y ? 0.5 : 0);
  const indices = before.map((_, i) => i);
  const [sick, well] = [indices.filter((i) => before[i]!.positive), indices.filter((i) => !before[i]!.positive)];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const gain = (i: number, j: number) =>
    kernel(after[i]!.score, after[j]!.score) - kernel(before[i]!.score, before[j]!.score);
  const rows = sick.map((i) => mean(well.map((j) => gain(i, j))));
  const columns = well.map((j) => mean(sick.map((i) => gain(i, j))));
  const spread = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1) / values.length;
  return { value: mean(rows), error: Math.sqrt(spread(rows) + spread(columns)) };
}

test('the change of an AUC has the interval of correlated curves, as counting all pairs gives it', () => {
  const { value, ci95 } = areaChange(before, after);
  const reference = counted();
  expect(value).toBeCloseTo(reference.value, 12);
  expect(value).toBeCloseTo(areaUnderCurve(after).value! - areaUnderCurve(before).value!, 12);
  expect((ci95![1] - ci95![0]) / 2).toBeCloseTo(1.959963984540054 * reference.error, 12);
});

test('no change has no width, one class no value, and one film of a class no interval', () => {
  expect(areaChange(before, before)).toEqual({ value: 0, ci95: [0, 0] });
  const one = before.filter(({ positive }) => positive);
  expect(areaChange(one, one)).toEqual({ value: null, ci95: null });
  const few = [...one.slice(0, 1), ...before.filter(({ positive }) => !positive)];
  expect(areaChange(few, few)).toEqual({ value: 0, ci95: null });
});
