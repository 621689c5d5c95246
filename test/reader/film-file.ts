import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenRadiograph } from '../../src/model/golden.ts';
import { makeSmallFilm } from '../support/films.ts';

/** A small file with a drawn picture of 12 bits. */

export const filmUid = '2.25.4711.1.1';

/** PatientOrientation: directions of the rows and of the columns. */
export type Lying = readonly [row: 'L' | 'R' | 'F' | 'H', column: 'L' | 'R' | 'F' | 'H'];

/** Where a place of the matrix lies on the hung film: each direction says which of its edges is left behind. */
export function onHungFilm([x, y]: readonly [number, number], lying: Lying, width: number, height: number) {
  const place: [number, number] = [0, 0];
  for (const [direction, along] of [[lying[0], x] as const, [lying[1], y] as const]) {
    if (direction === 'L') place[0] = along;
    if (direction === 'R') place[0] = width - along;
    if (direction === 'F') place[1] = along;
    if (direction === 'H') place[1] = height - along;
  }
  return place;
}

/** A film of 12 bits whose matrix lies as told; without telling, the header names no orientation. */
export function writeFilm(folder: string, seed = 1, lying: Lying | null = null): string {
  const hung = goldenRadiograph(seed);
  const acrossFirst = lying === null || ['L', 'R'].includes(lying[0]);
  const [columns, rows] = acrossFirst ? [hung.columns, hung.rows] : [hung.rows, hung.columns];
  const stored = Uint16Array.from({ length: rows * columns }, (_, at) => {
    const [x, y] = [(at % columns) + 0.5, Math.floor(at / columns) + 0.5];
    const [across, along] = onHungFilm([x, y], lying ?? ['L', 'F'], hung.columns, hung.rows);
    return Math.round(hung.pixels[Math.floor(along) * hung.columns + Math.floor(across)]! * 4095);
  });
  const file = makeSmallFilm(seed, {
    SOPInstanceUID: filmUid,
    PatientOrientation: lying,
    Rows: rows,
    Columns: columns,
    WindowCenter: 2048,
    WindowWidth: 4096,
    PixelData: new Uint8Array(stored.buffer),
  });
  const path = join(folder, `${seed}${lying?.join('') ?? ''}.dcm`);
  writeFileSync(path, file);
  return path;
}
