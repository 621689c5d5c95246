import { hang, hung, inMatrix, type Turn, turnOf } from '../core/orientation.ts';
import type { ContentSettings } from '../core/reading.ts';
import type { Dataset, Radiograph, Reduced } from '../core/study.ts';
import { patientOrientation } from '../dicom/header.ts';
import type { Part10 } from '../dicom/part10.ts';
import { radiograph, type StoredPixels, storedPixels } from '../dicom/pixels.ts';

/** A film decoded and hung, and the way back to the matrix that it lies in. */

/** A point, [column, row], from the edge of the first pixel. */
export type Point = readonly [number, number];

export interface HungFilm {
  readonly film: Radiograph;
  readonly stored: StoredPixels;
  /** A point of the film in the matrix of the file. */
  readonly inSource: (point: Point) => Point;
}

/**
 * Four times the side of the network's input: with half of it scores of 60 films moved by up to 0.007, with this those of 200 by up to 0.0023
 * (docs/performance.md).
 */
export const leastSide = 896;

/** Raises what decoding raises. */
export async function hangFilm(
  part10: Part10,
  { reducedDecoding }: Pick<ContentSettings, 'reducedDecoding'>,
): Promise<HungFilm> {
  const stored = await storedPixels(part10, reducedDecoding ? leastSide : null);
  const turn = turnOfFilm(part10.header);
  const film = hang(radiograph(part10, stored), turn);
  const { x, y } = film.reduced ?? { x: wholeAxis(film.columns), y: wholeAxis(film.rows) };
  const matrix = { columns: x.length, rows: y.length };
  const inSource = ([column, row]: Point): Point => inMatrix([inWhole(x, column), inWhole(y, row)], turn, matrix);
  return { film, stored, inSource };
}

const wholeAxis = (length: number): Reduced => ({ offset: 0, scale: 1, length });

const inWhole = ({ offset, scale, length }: Reduced, place: number): number =>
  Math.min(length, Math.max(0, offset + place * scale));

/** How a film lies by its header; hung where it does not tell. */
function turnOfFilm(header: Dataset): Turn {
  const orientation = patientOrientation(header);
  return (orientation && turnOf(orientation)) ?? hung;
}
