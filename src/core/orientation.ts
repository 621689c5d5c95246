import type { Radiograph, Reduced } from './study.ts';

/** How a frontal film lies in its matrix, and how it is hung: head up, the patient's right at the left edge. */

export interface Turn {
  /** The rows of the matrix run along the patient, not across. */
  readonly transposed: boolean;
  /** Then, across: the patient's left comes first. */
  readonly mirrored: boolean;
  /** And along: the feet come first. */
  readonly overturned: boolean;
}

/** As most films are. */
export const hung: Turn = { transposed: false, mirrored: false, overturned: false };

/**
 * By the main direction of rows and of columns (PatientOrientation, PS3.3 C.7.6.1.1.1: L\F is hung); null for directions in which no
 * frontal film can lie.
 */
export function turnOf([row, column]: readonly [string, string]): Turn | null {
  const [first, second] = [row.charAt(0), column.charAt(0)];
  const transposed = first === 'F' || first === 'H';
  const [across, along] = transposed ? [second, first] : [first, second];
  if (!['L', 'R'].includes(across) || !['F', 'H'].includes(along)) return null;
  return { transposed, mirrored: across === 'R', overturned: along === 'H' };
}

export const isHung = ({ transposed, mirrored, overturned }: Turn): boolean => !transposed && !mirrored && !overturned;

/** The film as it is hung; the same object when nothing is to be turned. */
export function hang(film: Radiograph, turn: Turn): Radiograph {
  if (isHung(turn)) return film;
  const { transposed, mirrored, overturned } = turn;
  const [columns, rows] = transposed ? [film.rows, film.columns] : [film.columns, film.rows];
  const pixels = new Float32Array(film.pixels.length);
  for (let row = 0; row < rows; row++) {
    const along = overturned ? rows - 1 - row : row;
    for (let column = 0; column < columns; column++) {
      const across = mirrored ? columns - 1 - column : column;
      const at = transposed ? across * film.columns + along : along * film.columns + across;
      pixels[row * columns + column] = film.pixels[at]!;
    }
  }
  const reduced = film.reduced && hungAxes(film.reduced, turn, { columns, rows });
  const pixelAspect = transposed ? 1 / film.pixelAspect : film.pixelAspect;
  return { columns, rows, pixels, pixelAspect, ...(reduced ? { reduced } : {}) };
}

function hungAxes(
  { x, y }: NonNullable<Radiograph['reduced']>,
  { transposed, mirrored, overturned }: Turn,
  { columns, rows }: Pick<Radiograph, 'columns' | 'rows'>,
): NonNullable<Radiograph['reduced']> {
  const [across, along] = transposed ? [y, x] : [x, y];
  // From the other end.
  const turned = ({ offset, scale, length }: Reduced, side: number): Reduced => ({
    offset: length - scale * side - offset,
    scale,
    length,
  });
  return { x: mirrored ? turned(across, columns) : across, y: overturned ? turned(along, rows) : along };
}

/** Where a point of the hung film lies in the matrix; both count from the edge of the first pixel, [column, row]. */
export function inMatrix(
  [column, row]: readonly [number, number],
  { transposed, mirrored, overturned }: Turn,
  { columns, rows }: Pick<Radiograph, 'columns' | 'rows'>,
): readonly [number, number] {
  const across = mirrored ? columns - column : column;
  const along = overturned ? rows - row : row;
  return transposed ? [along, across] : [across, along];
}
