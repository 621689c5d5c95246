import { inLungs, lungTemplate, wholeFilm } from '../../src/core/lungs.ts';
import { groupedMean } from '../../src/science/bootstrap.ts';
import type { Box } from '../../src/science/boxes.ts';
import { assessHeatMaps, coverOf } from '../../src/science/heat-map.ts';
import type { Film } from '../../src/science/predictions.ts';
import { cropped, makeFilm, mapWith } from './scored-films.ts';

const none: ReadonlyMap<string, readonly Box[]> = new Map();
const cellAt = (row: number, column: number) => 7 * row + column;
const massOf = (film: Film) => assessHeatMaps([film], none).all;

describe('the mass of a map', () => {
  test('deep in a lung is inside, in a corner of the film outside', () => {
    expect(massOf(makeFilm({ map: mapWith({ [cellAt(3, 1)]: 2 }) }))).toMatchObject({ mean: 1 });
    expect(massOf(makeFilm({ map: mapWith({ [cellAt(6, 3)]: 2 }) })).strict.mean).toBe(0);
    const split = massOf(makeFilm({ map: mapWith({ [cellAt(3, 1)]: 3, [cellAt(6, 3)]: 1 }) }));
    expect(split.strict.mean).toBeCloseTo(0.75 * coverOf(mapWith({}), wholeFilm).strict[cellAt(3, 1)]!, 12);
  });

  test('is weighed by the area of a cell that lies inside, because a cell is a seventh of the film', () => {
    const { strict, widened } = coverOf(mapWith({}), wholeFilm);
    // The shoelace formula over the template's corners: another way to the same area.
    const area = Object.values(lungTemplate).reduce((sum, corners) => {
      const twice = corners.reduce((total, [x, y], i) => {
        const [nextX, nextY] = corners[(i + 1) % corners.length]!;
        return total + x * nextY - nextX * y;
      }, 0);
      return sum + Math.abs(twice) / 2;
    }, 0);
    const covered = strict.reduce((sum, share) => sum + share, 0) / 49;
    expect(covered).toBeCloseTo(area, 2);
    for (const [cell, share] of strict.entries()) expect(widened[cell]).toBeGreaterThanOrEqual(share);
  });

  test('lies where the crop was, because the map is of what the network saw and the template of the film', () => {
    // The lowest row of the map: below the lungs on a whole film, at their bases after the crop.
    const map = mapWith({ [cellAt(6, 0)]: 1 });
    const whole = massOf(makeFilm({ map }));
    const cut = massOf(makeFilm({ map, window: cropped }));
    expect(whole.strict.mean).toBe(0);
    expect(cut.strict.mean).toBeGreaterThan(0.3);
    expect(inLungs([cropped.left + (0.5 / 7) * 0.76, cropped.top + (6.2 / 7) * 0.76])).toBe(true);
  });

  test('of a map that is everywhere the same is told beside it, because the widened template is most of the film', () => {
    const flat = massOf(makeFilm({ map: { ...mapWith({}), values: new Array<number>(49).fill(0.3) } }));
    expect(flat.mean).toBeCloseTo(flat.meanOfFlat!, 12);
    expect(flat.strict.mean).toBeCloseTo(flat.strict.meanOfFlat!, 12);
    expect(flat.meanOfFlat).toBeGreaterThan(0.7);
  });

  test('of an empty map is none, and counted, because zero of zero is no share', () => {
    const maps = assessHeatMaps([makeFilm(), makeFilm({ group: '2', map: mapWith({ [cellAt(3, 1)]: 1 }) })], none);
    expect(maps.all).toMatchObject({ n: 1, withoutMass: 1, mean: 1, median: 1, meanCi95: null });
    expect(assessHeatMaps([makeFilm({ score: 0.1 })], none).calledPositive).toMatchObject({
      n: 0,
      mean: null,
      median: null,
    });
  });

  test('is told of films called positive and of all, by source too', () => {
    const good = mapWith({ [cellAt(3, 1)]: 1 });
    const bad = mapWith({ [cellAt(6, 3)]: 1 });
    const films = [
      makeFilm({ map: good, group: 'a' }),
      makeFilm({ map: good, group: 'b' }),
      makeFilm({ map: bad, group: 'c', score: 0.1, source: 'west' }),
    ];
    const maps = assessHeatMaps(films, none);
    expect([maps.calledPositive.n, maps.calledPositive.mean]).toEqual([2, 1]);
    expect(maps.all.mean).toBeLessThan(1);
    expect(maps.bySource.map(({ name, mass }) => [name, mass.n])).toEqual([
      ['east', 2],
      ['west', 1],
    ]);
  });
});

test('the interval of a mean resamples groups, because forty films of one patient are one patient', () => {
  const values = Array.from({ length: 40 }, (_, i) => ({ group: String(i), value: i % 2 }));
  const [low, high] = groupedMean(values)!;
  // 0.5 ± 1.96 × 0.5 / √40.
  expect([low, high]).toEqual([expect.closeTo(0.345, 1), expect.closeTo(0.655, 1)]);
  const paired = values.map(({ value }, i) => ({ group: String(i % 4), value }));
  const [wideLow, wideHigh] = groupedMean(paired)!;
  expect(wideHigh - wideLow).toBeGreaterThan(2 * (high - low));
  expect(groupedMean(values.map(({ value }) => ({ group: 'one', value })))).toBeNull();
  expect(groupedMean(values)).toEqual([low, high]);
});

describe('the pointing game', () => {
  /** Around the cell in the third row and second column. */
  const box: Box = { left: 1 / 7, top: 2 / 7, right: 2 / 7, bottom: 3 / 7 };
  const boxes = new Map([['film.png', [box]]]);
  const game = (cell: number, of = boxes) => assessHeatMaps([makeFilm({ map: mapWith({ [cell]: 5 }) })], of).pointing!;

  test('is won where the peak lies in the box, nearly where it is one cell beside it, else lost', () => {
    const score = (cell: number) => [game(cell).hit.value, game(cell).near.value];
    expect(score(cellAt(2, 1))).toEqual([1, 1]);
    expect(score(cellAt(3, 1))).toEqual([0, 1]);
    expect(score(cellAt(4, 1))).toEqual([0, 0]);
    expect(score(cellAt(2, 5))).toEqual([0, 0]);
  });

  test('is won by any of several boxes, and lost by a map without a peak', () => {
    const far: Box = { left: 5 / 7, top: 4 / 7, right: 6 / 7, bottom: 5 / 7 };
    expect(game(cellAt(4, 5), new Map([['film.png', [box, far]]])).hit.value).toBe(1);
    expect(assessHeatMaps([makeFilm()], boxes).pointing).toMatchObject({ n: 1, hit: { value: 0 }, near: { value: 0 } });
  });

  test('finds the peak on the film, not on what the crop left of it', () => {
    const film = makeFilm({
      map: mapWith({ [cellAt(2, 1)]: 5 }),
      window: { left: 0.5, top: 0.5, width: 0.5, height: 0.5 },
    });
    expect(assessHeatMaps([film], boxes).pointing!.hit.value).toBe(0);
  });

  test('tells what chance would reach, because a box over both lungs is hit by anything', () => {
    const both: Box = { left: 0, top: 0, right: 1, bottom: 1 };
    const all = game(cellAt(6, 6), new Map([['film.png', [both]]]));
    expect(all).toMatchObject({ chance: 1, chanceNear: 1, centre: 1, hit: { value: 1 } });
    const right: Box = { left: 0, top: 0, right: 0.5, bottom: 1 };
    const half = game(cellAt(2, 1), new Map([['film.png', [right]]]));
    expect(half.centre).toBe(0.5);
    expect(half.chance).toBeCloseTo(0.53, 1);
  });

  test('counts films with boxes alone, and has none without', () => {
    expect(assessHeatMaps([makeFilm()], none).pointing).toBeNull();
    const films = [makeFilm({ map: mapWith({ [cellAt(2, 1)]: 5 }) }), makeFilm({ file: 'other.png' })];
    const absent = makeFilm({ score: 0.2, file: 'low.png', map: mapWith({ [cellAt(2, 1)]: 5 }) });
    const pointing = assessHeatMaps([...films, absent], new Map([...boxes, ['low.png', [box]]])).pointing!;
    expect([pointing.n, pointing.calledPositive.n]).toEqual([2, 1]);
    expect(pointing.hit.ci95![0]).toBeCloseTo(0.342, 3);
  });
});

test('zones are told of films called positive alone', () => {
  const at = (cell: number, score = 0.9) => makeFilm({ score, map: mapWith({ [cell]: 1 }) });
  const films = [at(cellAt(4, 1)), at(cellAt(4, 1)), at(cellAt(1, 5)), at(cellAt(1, 5), 0.1), makeFilm()];
  expect([...assessHeatMaps(films, none).zones]).toEqual([
    ['right-lower', 2],
    ['left-upper', 1],
    [null, 1],
  ]);
});
