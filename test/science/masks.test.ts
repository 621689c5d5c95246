import { inLungs } from '../../src/core/lungs.ts';
import { readPicture } from '../../src/model/picture-file.ts';
import { greyPng, levelsOf, squashedJpeg } from '../../src/model/picture-writer.ts';
import { uniform } from '../../src/model/random.ts';
import { type MaskName, maskFilm, masks, medianLevel } from '../../src/science/masks.ts';

const draw = uniform(5);
const [columns, rows] = [50, 25] as const;
const film = { columns, rows, levels: Uint8Array.from({ length: columns * rows }, () => draw() * 256) };
const names = Object.keys(masks) as readonly MaskName[];

/** Rows of the film as text: `#` is masked. Two chessboards whose median is black show each pixel in one of them. */
function drawn(name: MaskName): readonly string[] {
  const board = (white: number) => film.levels.map((_, at) => (at % 2 === white ? 200 : 0));
  const changed = [0, 1].map((white) => {
    const levels = board(white);
    return maskFilm({ columns, rows, levels }, name).levels.map((level, at) => Number(level !== levels[at]));
  });
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const at = row * columns + column;
      return changed[0]![at] || changed[1]![at] ? '#' : '.';
    }).join(''),
  );
}

test('the median is the grey in the middle, the lower of two', () => {
  expect(medianLevel(Uint8Array.of(9, 1, 5))).toBe(5);
  expect(medianLevel(Uint8Array.of(9, 1, 5, 7))).toBe(5);
  expect(medianLevel(Uint8Array.of(255, 255, 0))).toBe(255);
});

test.each(names)('%s changes masked pixels to the median and no other, bit for bit', (name) => {
  const { levels } = maskFilm(film, name);
  const median = medianLevel(film.levels);
  for (let at = 0; at < levels.length; at++) {
    const place = [((at % columns) + 0.5) / columns, (Math.floor(at / columns) + 0.5) / rows] as const;
    expect(levels[at]).toBe(masks[name](place) ? median : film.levels[at]);
  }
});

test('edges are 12 % of each side, corners 20 %', () => {
  const edges = drawn('edges_masked');
  expect(edges[2]).toBe('#'.repeat(columns));
  expect(edges[3]).toBe(`${'#'.repeat(6)}${'.'.repeat(38)}${'#'.repeat(6)}`);
  const corners = drawn('corners_masked');
  expect(corners[4]).toBe(`${'#'.repeat(10)}${'.'.repeat(30)}${'#'.repeat(10)}`);
  expect(corners[5]).toBe('.'.repeat(columns));
  expect(corners.at(-1)).toBe(corners[0]);
});

test('lungs masked and lungs alone are each the other’s rest, because together they are the film', () => {
  const [masked, alone] = [drawn('lungs_masked').join(''), drawn('lungs_alone').join('')];
  expect(masked).toContain('#');
  expect(masked.replaceAll('#', 'x').replaceAll('.', '#').replaceAll('x', '.')).toBe(alone);
  expect(inLungs([0.3, 0.4])).toBe(true);
});

test('a film that was written is read again to the last grey, because a change must be the mask’s alone', async () => {
  const read = await readPicture(await greyPng(film), 1e6);
  expect(levelsOf(read)).toEqual(film);
});

test('an equalised film is a square of one size, whatever it was', async () => {
  const pixels = Float32Array.from(film.levels, (level) => level / 255);
  const read = await readPicture(await squashedJpeg({ columns, rows, pixels, pixelAspect: 1 }, 64, 85), 1e6);
  expect([read.columns, read.rows]).toEqual([64, 64]);
});
