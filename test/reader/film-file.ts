import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../src/dicom/build.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';

/** A small DX file with a drawn picture of 12 bits. */

export const filmUid = '2.25.4711.1.1';

export function writeFilm(folder: string, seed = 1): string {
  const { columns, rows, pixels } = goldenRadiograph(seed);
  const stored = Uint16Array.from(pixels, (pixel) => Math.round(pixel * 4095));
  const dataset = build({
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
    SOPInstanceUID: filmUid,
    StudyInstanceUID: '2.25.4711',
    SeriesInstanceUID: '2.25.4711.1',
    Modality: 'DX',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    WindowCenter: 2048,
    WindowWidth: 4096,
    PixelData: new Uint8Array(stored.buffer),
  });
  const path = join(folder, `${seed}.dcm`);
  writeFileSync(path, writePart10(dataset));
  return path;
}
