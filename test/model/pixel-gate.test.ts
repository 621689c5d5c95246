import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import type { Radiograph } from '../../src/core/study.ts';
import { readPicture } from '../../src/model/picture-file.ts';
import { expectChest } from '../../src/model/pixel-gate.ts';
import { drawPhantom } from '../../src/sandbox/phantom.ts';

/** Every eighth pixel of the drawn chest. */
const chest = ((): Radiograph => {
  const { columns, rows, values } = drawPhantom('opacity', 3);
  const [wide, high] = [Math.floor(columns / 8), Math.floor(rows / 8)];
  const pixels = Float32Array.from({ length: wide * high }, (_, at) => {
    return values[Math.floor(at / wide) * 8 * columns + (at % wide) * 8]! / 4095;
  });
  return { columns: wide, rows: high, pixels, pixelAspect: 1 };
})();

function verdictOf(film: Radiograph): string {
  try {
    expectChest(film);
    return 'chest';
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown.code;
    throw thrown;
  }
}

/** The chest with other greys, told each pixel's place as shares of the film. */
const changed = (grey: (old: number, x: number, y: number) => number): Radiograph => ({
  ...chest,
  pixels: chest.pixels.map((old, at) =>
    grey(old, (at % chest.columns) / chest.columns, Math.floor(at / chest.columns) / chest.rows),
  ),
});

function turned(film: Radiograph): Radiograph {
  const { columns, rows, pixels } = film;
  const at = (index: number) => {
    const [y, x] = [Math.floor(index / rows), index % rows];
    return pixels[x * columns + (columns - 1 - y)]!;
  };
  return { ...film, columns: rows, rows: columns, pixels: Float32Array.from(pixels, (_, index) => at(index)) };
}

describe('the pixels of a film (faults 89 and 90)', () => {
  test('that show an upright chest pass, small in a collimated field or pale too', () => {
    expect(verdictOf(chest)).toBe('chest');
    expect(verdictOf(changed((old) => 0.6 + 0.05 * old))).toBe('chest');
    expect(verdictOf(changed((old, x, y) => (Math.min(x, 1 - x, y, 1 - y) < 0.06 ? 0 : old)))).toBe('chest');
  });

  test.each<readonly [string, Radiograph, string]>([
    ['the negative of a chest', changed((old) => 1 - old), 'inverted-pixels'],
    ['a chest on its side', turned(chest), 'turned-pixels'],
    ['a chest upside down', turned(turned(chest)), 'turned-pixels'],
    ['a film whose right half was not exposed', changed((old, x) => (x > 0.45 ? 0 : old)), 'half-exposed'],
    ['a film whose lower half is white', changed((old, _x, y) => (y > 0.45 ? 1 : old)), 'half-exposed'],
    ['an overexposed film', changed((old, x, y) => ((x * 40 + y * 56) % 1 < 0.3 ? old : 0)), 'saturated'],
    ['stripes', changed((_old, x) => 0.5 + 0.4 * Math.sin(40 * x)), 'no-chest-seen'],
    [
      'a chequered pattern',
      changed((_old, x, y) => ((Math.floor(6 * x) + Math.floor(6 * y)) % 2 ? 0.3 : 0.7)),
      'no-chest-seen',
    ],
  ])('that show %s are stopped with a reason', (_name, film, code) => {
    expect(verdictOf(film)).toBe(code);
  });
});

const collection = resolve(import.meta.dirname, '../../../shared/data/radiographs');
const testWithFilms = existsSync(collection) || process.env['CI'] ? test : test.skip;

testWithFilms(
  'of real chest films none is stopped but one that is inverted and one that is upside down',
  async () => {
    const folders = ['covid-hannover', 'normal', 'nih-more/none', 'nih-more/other'];
    const files = folders.flatMap((folder) => {
      const names = readdirSync(join(collection, folder)).sort();
      return names.filter((name, at) => at % 12 === 0 || odd.has(name)).map((name) => join(folder, name));
    });
    const stopped = new Map<string, string>();
    for (const file of files) {
      const verdict = verdictOf(await readPicture(readFileSync(join(collection, file)), 1e8));
      if (verdict !== 'chest') stopped.set(file.replace(/.*\//, ''), verdict);
    }
    expect(files.length).toBeGreaterThan(200);
    expect(stopped).toEqual(odd);
  },
  120_000,
);

/** Found by the gate, and seen by eye. */
const odd = new Map([
  ['00017999_000.jpg', 'inverted-pixels'],
  ['00002898_001.jpg', 'turned-pixels'],
]);
