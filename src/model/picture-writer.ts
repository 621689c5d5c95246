import sharp from 'sharp';
import type { Radiograph } from '../core/study.ts';
import { resample } from './resample.ts';

/** Grey picture files of 8 bits, as `readPicture` reads them. */

interface GreyLevels {
  readonly columns: number;
  readonly rows: number;
  readonly levels: Uint8Array;
}

/** Levels of 0 to 255 of a radiograph; exact for one that came from a file of 8 bits. */
export function levelsOf({ columns, rows, pixels }: Pick<Radiograph, 'columns' | 'rows' | 'pixels'>): GreyLevels {
  const levels = new Uint8ClampedArray(pixels.length);
  for (let i = 0; i < pixels.length; i++) levels[i] = pixels[i]! * 255;
  return { columns, rows, levels: new Uint8Array(levels.buffer) };
}

/** Without loss. */
export const greyPng = (film: GreyLevels): Promise<Uint8Array> => grey(film).png({ compressionLevel: 1 }).toBuffer();

/** Squashed to a square, whatever its aspect was, as a JPEG. */
export async function squashedJpeg(radiograph: Radiograph, side: number, quality: number): Promise<Uint8Array> {
  const { columns, rows, pixels } = radiograph;
  const { values } = resample({ columns, rows, values: pixels }, side, side, 'bicubic');
  return grey(levelsOf({ columns: side, rows: side, pixels: values }))
    .jpeg({ quality })
    .toBuffer();
}

const grey = ({ columns, rows, levels }: GreyLevels) =>
  sharp(levels, { raw: { width: columns, height: rows, channels: 1 } }).toColourspace('b-w');
