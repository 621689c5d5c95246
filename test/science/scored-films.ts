import { type FilmWindow, wholeFilm } from '../../src/core/lungs.ts';
import type { Film } from '../../src/science/predictions.ts';

/** A scored film: each test gives what matters to it. */
export function makeFilm(overrides: Partial<Film> = {}): Film {
  const score = overrides.score ?? 0.9;
  return {
    ...{ file: 'film.png', path: 'film.png', label: 'opacity', group: '1', source: 'east', view: 'PA', device: null },
    ...{ score, positive: true, decision: score >= 0.5 ? 'present' : 'absent' },
    ...{ map: mapWith({}), window: wholeFilm },
    ...overrides,
  };
}

/** 7 × 7 cells, those named hot. */
export const mapWith = (cells: Readonly<Record<number, number>>) => ({
  columns: 7,
  rows: 7,
  values: Array.from({ length: 49 }, (_, index) => cells[index] ?? 0),
});

/** What a central crop of 76 % leaves. */
export const cropped: FilmWindow = { left: 0.12, top: 0.12, width: 0.76, height: 0.76 };
