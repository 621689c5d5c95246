import { build } from '../../src/dicom/build.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';

/** A small DX film with a drawn picture, sequences and texts: a start for inputs where there are no films. */
export function drawSmallFilm(): Uint8Array {
  const { columns, rows, pixels } = goldenRadiograph(1);
  const dataset = build({
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
    SOPInstanceUID: '2.25.9.1.1',
    StudyInstanceUID: '2.25.9',
    SeriesInstanceUID: '2.25.9.1',
    Modality: 'DX',
    ImageType: ['ORIGINAL', 'PRIMARY'],
    BodyPartExamined: 'CHEST',
    ViewPosition: 'PA',
    ViewCodeSequence: [
      build({ CodeValue: '399348003', CodingSchemeDesignator: 'SCT', CodeMeaning: 'postero-anterior' }),
    ],
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    PixelData: new Uint8Array(Uint16Array.from(pixels, (pixel) => Math.round(pixel * 4095)).buffer),
  });
  return writePart10(dataset);
}
