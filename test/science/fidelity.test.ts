import {
  type Comparison,
  compare,
  correlation,
  int8Passes,
  requireInt8,
  requireStored,
} from '../../src/science/fidelity.ts';
import { parseTable } from '../../src/science/table.ts';

const rows = parseTable('file,label,group\na,opacity,1\nb,none,2\nc,covid,3\nd,none,4\n', 'films.csv');
const map = [0, 1, 2, 3];
const shot = (score: number, cells: readonly number[] = map) => ({ score, map: cells });
const options = { operatingPoint: 0.5, heatMax: 10 };
const float = [shot(0.9), shot(0.2), shot(0.6), shot(0.4)];

test('counts what changes: decisions at the operating point, ranking, maps, the largest difference', () => {
  const other = [shot(0.8), shot(0.2), shot(0.3, [3, 2, 1, 0]), shot(0.4)];
  const got = compare(rows, float, other, options);
  expect(got).toMatchObject({ films: 4, aucFloat: 1, aucOther: 0.75, decisionsChanged: 0.25 });
  expect(got.largestDifference).toBeCloseTo(0.3, 12);
  expect(got.mapCorrelation).toBeCloseTo((1 + 1 - 1 + 1) / 4, 12);
});

test('a film that one side could not read counts on neither', () => {
  expect(compare(rows, float, [null, ...float.slice(1)], options).films).toBe(3);
});

test('maps that the picture does not show are not compared, because their noise says nothing', () => {
  const faint = map.map((value) => value / 10);
  expect(
    compare(
      rows,
      float.map(({ score }) => shot(score, faint)),
      float,
      options,
    ).mapCorrelation,
  ).toBeNull();
});

test('a map that has gone empty correlates by nothing', () => {
  expect(correlation([0, 1, 2], [0, 0, 0])).toBe(0);
  expect(correlation([0, 1, 2], [5, 7, 9])).toBeCloseTo(1, 12);
});

describe('the limits', () => {
  const same: Comparison = {
    films: 1000,
    aucFloat: 0.85,
    aucOther: 0.8481,
    decisionsChanged: 0.002,
    mapCorrelation: 0.95,
    largestDifference: 0.1,
  };

  test('are 0.002 of AUC, 0.2 % of decisions, a correlation of 0.95', () => {
    expect(int8Passes(same)).toBe(true);
    for (const worse of [
      { aucOther: 0.8479 },
      { decisionsChanged: 0.003 },
      { mapCorrelation: 0.949 },
      { mapCorrelation: null },
    ]) {
      expect(int8Passes({ ...same, ...worse })).toBe(false);
      expect(() => requireInt8({ ...same, ...worse })).toThrow(/model-unusable.*1000 films, AUC 0\.8500 to/);
    }
  });

  test('ask stored weights for the ranking alone', () => {
    expect(() => requireStored({ ...same, decisionsChanged: 1, mapCorrelation: null })).not.toThrow();
    expect(() => requireStored({ ...same, aucOther: 0.853 })).toThrow(/weights in 8 bits.*AUC 0\.8500 to 0\.8530/);
  });
});
