import { wholeFilm } from '../../src/core/lungs.ts';
import { identityAxis } from '../../src/model/geometry.ts';
import { hottestPlace, hottestZone, windowOf } from '../../src/model/hottest.ts';
import type { Step } from '../../src/model/preprocess-steps.ts';
import { preparePlane } from '../../src/model/tensor.ts';

const mapWith = (hot: number, value = 3) => ({
  columns: 7,
  rows: 7,
  values: Array.from({ length: 49 }, (_, index) => (index === hot ? value : 0)),
});

test('the peak of one hot cell is its middle', () => {
  const [x, y] = hottestPlace(mapWith(4 * 7 + 2), wholeFilm)!;
  expect([x, y]).toEqual([expect.closeTo(2.5 / 7, 6), expect.closeTo(4.5 / 7, 6)]);
  expect(hottestZone(mapWith(4 * 7 + 1), wholeFilm)).toBe('right-lower');
  expect(hottestZone(mapWith(1 * 7 + 5), wholeFilm)).toBe('left-upper');
});

test('a map without a positive value has no peak, because nothing speaks for an opacity', () => {
  expect(hottestPlace(mapWith(0, 0), wholeFilm)).toBeNull();
  expect(hottestZone(mapWith(0, 0), wholeFilm)).toBeNull();
});

test('a crop puts the map on its part of the film, by the very pixels that were cut', () => {
  const steps: readonly Step[] = [
    { step: 'central-crop', fraction: 0.76 },
    { step: 'resize', width: 224, height: 224, kernel: 'triangle' },
  ];
  const film = { columns: 101, rows: 50, pixels: new Float32Array(101 * 50), pixelAspect: 1 };
  const window = windowOf(preparePlane(film, steps).geometry);
  // 77 of 101 columns from the 12th on, 38 of 50 rows from the 6th on.
  expect(window.left).toBeCloseTo(12 / 101, 12);
  expect(window.width).toBeCloseTo(77 / 101, 12);
  expect([window.top, window.height]).toEqual([expect.closeTo(6 / 50, 12), expect.closeTo(38 / 50, 12)]);
  const [x, y] = hottestPlace(mapWith(8), window)!;
  expect([x, y]).toEqual([expect.closeTo((12 + (77 * 3) / 14) / 101, 6), expect.closeTo((6 + (38 * 3) / 14) / 50, 6)]);
});

test('a film that was not cut is covered whole', () => {
  expect(windowOf({ x: identityAxis(30), y: identityAxis(40) })).toEqual(wholeFilm);
});
