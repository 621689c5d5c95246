import { gaussian } from '../../src/model/random.ts';
import { alongColumns, alongRows, tapsOf } from '../../src/model/resample.ts';
import { openVectors } from '../../src/model/vectors.ts';

/** Both ways of weighing give one picture and one score, whatever the processor. */

const kernels = ['triangle', 'bicubic', 'lanczos3'] as const;
/** Sides that are multiples of four and of 128, and such that are not. */
const shapes = [
  [1, 1, 3, 2],
  [3, 7, 2, 5],
  [130, 61, 33, 30],
  [256, 128, 64, 100],
  [7, 7, 140, 163],
  [401, 263, 224, 224],
] as const;

const vectors = openVectors()!;
const cases = shapes.flatMap((shape) => kernels.map((kernel) => [...shape, kernel] as const));

test.each(cases)(
  '%i × %i to %i × %i by %s is the same to the last bit with vectors and without, because scores and pictures must not depend on the processor',
  (columns, rows, wide, tall, kernel) => {
    const draw = gaussian(columns * rows);
    const values = Float32Array.from({ length: columns * rows }, () => draw());
    const across = tapsOf({ start: 0.3 * columns, length: 0.6 * columns }, columns, wide, kernel);
    const down = tapsOf({ start: 0, length: rows }, rows, tall, kernel);
    const lines = alongRows(values, columns, rows, across);
    expect(vectors.alongRows(values, columns, rows, across)).toEqual(lines);
    expect(vectors.alongColumns(lines, wide, down)).toEqual(alongColumns(lines, wide, down));
  },
);

test('a large plane after a small one and before another is read right, because one memory serves them all and grows', () => {
  const plane = (side: number) => Float32Array.from({ length: side * side }, (_, i) => (i * 7919) % 257);
  for (const side of [8, 1200, 12]) {
    const taps = tapsOf({ start: 0, length: side }, side, 5, 'bicubic');
    expect(vectors.alongRows(plane(side), side, side, taps)).toEqual(alongRows(plane(side), side, side, taps));
  }
});
