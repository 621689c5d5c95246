import { inLungs, type Place } from '../core/lungs.ts';

/** Films with a part painted over, to see what a model's figures lean on. Pure. */

/** Grey levels of 8 bits, row by row. */
export interface GreyFilm {
  readonly columns: number;
  readonly rows: number;
  readonly levels: Uint8Array;
}

/** What is painted over, by place as shares of the film. */
export const masks = {
  edges_masked: (place: Place) => edgeDistance(place) < edge,
  corners_masked: ([x, y]: Place) => Math.min(x, 1 - x) < corner && Math.min(y, 1 - y) < corner,
  lungs_masked: inLungs,
  lungs_alone: (place: Place) => !inLungs(place),
} as const satisfies Readonly<Record<string, (place: Place) => boolean>>;

export type MaskName = keyof typeof masks;

/** Share of width and of height that is masked at each side, and of the sides of a masked corner. */
export const edge = 0.12;
export const corner = 0.2;

const edgeDistance = ([x, y]: Place): number => Math.min(x, y, 1 - x, 1 - y);

/**
 * The film with a part in its own median grey: black or white would be a new and strange border, and the median moves
 * least what the preprocessing makes of the rest. A pixel is masked when its middle is.
 */
export function maskFilm({ columns, rows, levels }: GreyFilm, name: MaskName): GreyFilm {
  const isMasked = masks[name];
  const paint = medianLevel(levels);
  const masked = levels.slice();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (isMasked([(column + 0.5) / columns, (row + 0.5) / rows])) masked[row * columns + column] = paint;
    }
  }
  return { columns, rows, levels: masked };
}

/** The lower of the two middle ones. */
export function medianLevel(levels: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const level of levels) counts[level]!++;
  let below = 0;
  for (let level = 0; level < 256; level++) {
    below += counts[level]!;
    if (2 * below >= levels.length) return level;
  }
  return 0;
}
