import { describe, expect, test } from '@jest/globals';
import { hang, hung, inMatrix, isHung, turnOf } from '../../src/core/orientation.ts';
import type { Radiograph } from '../../src/core/study.ts';

const film: Radiograph = { columns: 3, rows: 2, pixels: Float32Array.of(1, 2, 3, 4, 5, 6), pixelAspect: 2 };
const turned = (row: string, column: string) => hang(film, turnOf([row, column])!);

describe('a film', () => {
  test.each<[string, string, number, readonly number[], number]>([
    ['L', 'F', 3, [1, 2, 3, 4, 5, 6], 2],
    ['R', 'F', 3, [3, 2, 1, 6, 5, 4], 2],
    ['L', 'H', 3, [4, 5, 6, 1, 2, 3], 2],
    ['R', 'H', 3, [6, 5, 4, 3, 2, 1], 2],
    ['F', 'L', 2, [1, 4, 2, 5, 3, 6], 0.5],
    ['F', 'R', 2, [4, 1, 5, 2, 6, 3], 0.5],
    ['H', 'L', 2, [3, 6, 2, 5, 1, 4], 0.5],
    ['H', 'R', 2, [6, 3, 5, 2, 4, 1], 0.5],
  ])('whose rows run to %s and columns to %s is hung', (row, column, columns, pixels, pixelAspect) => {
    const { pixels: got, ...rest } = turned(row, column);
    expect([...got]).toEqual(pixels);
    expect(rest).toEqual({ columns, rows: 6 / columns, pixelAspect });
  });

  test('that is hung is not copied, because a film may have 256 MiB', () => {
    expect(hang(film, hung)).toBe(film);
    expect(isHung(turnOf(['LF', 'FR'])!)).toBe(true);
  });

  test.each(['LL', 'FF', 'AF', 'PF', 'FA', 'LR', 'HF'])('cannot lie as %s', (way) => {
    expect(turnOf([way[0]!, way[1]!])).toBeNull();
  });

  test('keeps the way to its matrix when it was decoded at a smaller size, from whichever end', () => {
    // 5 columns halved are 3: the samples lie at the middles of columns 0, 2 and 4.
    const x = { offset: -0.5, scale: 2, length: 5 };
    const y = { offset: -0.5, scale: 2, length: 4 };
    const mirrored = hang({ ...film, reduced: { x, y } }, turnOf(['R', 'F'])!);
    expect(mirrored.reduced).toEqual({ x: { offset: -0.5, scale: 2, length: 5 }, y });
    const overturned = hang({ ...film, reduced: { x, y } }, turnOf(['L', 'H'])!);
    // Rows 0 and 2 of four: from the other end they are rows 1 and 3.
    expect(overturned.reduced).toEqual({ x, y: { offset: 0.5, scale: 2, length: 4 } });
  });
});

test('a point of the hung film goes back to where it came from', () => {
  for (const way of ['LF', 'RF', 'LH', 'RH', 'FL', 'FR', 'HL', 'HR']) {
    const turn = turnOf([way[0]!, way[1]!])!;
    const { columns, rows, pixels } = hang(film, turn);
    for (const [at, value] of pixels.entries()) {
      const [column, row] = inMatrix([(at % columns) + 0.5, Math.floor(at / columns) + 0.5], turn, { columns, rows });
      expect([way, film.pixels[Math.floor(row) * film.columns + Math.floor(column)]]).toEqual([way, value]);
    }
  }
});
