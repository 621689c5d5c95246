import { inLungs, lungDistance, lungTemplate, type Place, type Zone, zoneAt, zones } from '../../src/core/lungs.ts';
import { zoneTold } from '../../src/core/reading.ts';
import { zoneSentences } from '../../src/core/wording.ts';
import { makeImageHeader, makeImageReading } from '../support/readings.ts';

const cell = [1 / 7, 1 / 7] as const;

test.each<readonly [Place, Zone]>([
  [[0.3, 0.2], 'right-upper'],
  [[0.3, 0.45], 'right-middle'],
  [[0.2, 0.75], 'right-lower'],
  [[0.7, 0.2], 'left-upper'],
  [[0.75, 0.45], 'left-middle'],
  [[0.8, 0.75], 'left-lower'],
])('%j is %s, because the patient’s right lies at the left edge of a usual film', (place, zone) => {
  expect(inLungs(place)).toBe(true);
  expect(lungDistance(place, cell)).toBe(0);
  expect(zoneAt(place, cell)).toBe(zone);
});

test('a place beside a lung is that lung’s within one cell, because a cell of the map is no finer', () => {
  expect(inLungs([0.05, 0.5])).toBe(false);
  expect(zoneAt([0.05, 0.5], cell)).toBe('right-middle');
  expect(zoneAt([0.6, 0.66], cell)).toBe('left-lower');
  expect(zoneAt([0.05, 0.5], [0.02, 0.02])).toBe('outside-lungs');
  expect(zoneAt([0.5, 0.99], cell)).toBe('outside-lungs');
});

test('a place near the midline is on no side, because the middle column of the map would be a coin’s throw', () => {
  for (const x of [0.49, 0.5, 0.51]) expect(zoneAt([x, 0.4], cell)).toBe('between-lungs');
  expect(zoneAt([0.44, 0.4], cell)).toBe('right-middle');
});

test('distance is told in cells, each axis by its own', () => {
  const [, lowest] = [lungTemplate.right, lungTemplate.left].map((lung) => lung.find(([, y]) => y === 0.84)!);
  const below: Place = [lowest![0], 0.84 + 0.1];
  expect(lungDistance(below, [0.1, 0.1])).toBeCloseTo(1, 12);
  expect(lungDistance(below, [0.1, 0.05])).toBeCloseTo(2, 12);
  expect(lungDistance([0, 0.7], [0.05, 1])).toBeCloseTo(2, 3);
});

test('the template leaves no lung outside the film and neither on the other’s side', () => {
  for (const [x, y] of lungTemplate.right) expect([x > 0 && x < 0.5, y > 0 && y < 1]).toEqual([true, true]);
  for (const [x, y] of lungTemplate.left) expect([x > 0.5 && x < 1, y > 0 && y < 1]).toEqual([true, true]);
});

describe('the zone of a reading', () => {
  const film = { decision: 'present', view: 'PA', image: makeImageHeader(), flags: [] } as const;
  const turned = (PatientOrientation: readonly [string, string] | null) => makeImageHeader({ PatientOrientation });

  test('is told of a positive film in the usual orientation', () => {
    expect(zoneTold('left-lower', film)).toBe('left-lower');
    expect(zoneTold(null, film)).toBeNull();
  });

  test('is not told of a negative, because there is nothing that it would be the place of', () => {
    expect(zoneTold('left-lower', { ...film, decision: 'absent' })).toBeNull();
    expect(zoneSentences(makeImageReading({ zone: 'left-lower', score: 0.1 }))).toEqual([]);
  });

  test('is not told where right and left may be the other way round, because a wrong side is worse than none', () => {
    expect(zoneTold('left-lower', { ...film, image: turned(['L', 'L']) })).toBeNull();
    expect(zoneTold('left-lower', { ...film, image: turned(['P', 'F']) })).toBeNull();
    // These are hung before they are read.
    for (const [row, column] of ['RF', 'LH', 'FL'])
      expect(zoneTold('left-lower', { ...film, image: turned([row!, column!]) })).toBe('left-lower');
    expect(zoneTold('left-lower', { ...film, image: turned(null) })).toBe('left-lower');
    expect(zoneTold('left-lower', { ...film, image: turned(null), view: 'frontal' })).toBeNull();
    expect(zoneTold('left-lower', { ...film, image: turned(null), flags: ['omitted:PatientOrientation'] })).toBeNull();
  });

  test('is a sentence of its own for every zone', () => {
    const told = zones.map((zone) => zoneSentences(makeImageReading({ zone })).join());
    expect(told[2]).toBe('The heat-map is hottest in the right lower zone, by a fixed template of the lungs.');
    expect(new Set(told).size).toBe(zones.length);
  });
});
