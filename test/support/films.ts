import { type Attributes, build } from '../../src/dicom/build.ts';
import { writePart10 } from '../../src/dicom/part10-writer.ts';
import { type FilmRequest, makeFilm } from '../../src/sandbox/film.ts';

/** Synthetic films with full identity and an order. UIDs come from the number, so that tests can tell their studies apart. */

export const testStudyUid = (number: number): string => `2.25.9000${number}`;

export function makeTestFilm(number: number, rest: Partial<FilmRequest> = {}): Promise<Uint8Array> {
  return makeFilm({
    kind: 'opacity',
    seed: number,
    patient: {
      PatientName: 'PHANTOM^TEST',
      PatientID: `TEST-${number}`,
      IssuerOfPatientID: 'TESTS',
      PatientBirthDate: '19600229',
      PatientSex: 'F',
    },
    study: {
      StudyInstanceUID: testStudyUid(number),
      SeriesInstanceUID: `${testStudyUid(number)}.1`,
      SOPInstanceUID: `${testStudyUid(number)}.1.1`,
      AccessionNumber: `TEST-A${number}`,
      StudyID: String(number),
      StudyDate: '20261120',
      StudyTime: '101500',
      PlacerOrderNumber: `TEST-O${number}`,
    },
    ...rest,
  });
}

const smallColumns = 300;
const smallRows = 360;

/**
 * A small CR film with two dark ellipses: made in a millisecond, read like any other. `overrides` stand in place of its attributes; with an
 * encapsulated transfer syntax PixelData is one compressed frame.
 */
export function makeSmallFilm(number: number, overrides: Attributes = {}, transferSyntaxUid?: string): Uint8Array {
  const uid = testStudyUid(number);
  return writePart10(
    build({
      SpecificCharacterSet: 'ISO_IR 192',
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.1',
      SOPInstanceUID: `${uid}.1.1`,
      StudyInstanceUID: uid,
      SeriesInstanceUID: `${uid}.1`,
      PatientName: 'PHANTOM^SMALL',
      PatientID: `TEST-${number}`,
      IssuerOfPatientID: 'TESTS',
      PatientBirthDate: '19600229',
      PatientSex: 'F',
      StudyDate: '20261120',
      StudyTime: '101500',
      AccessionNumber: `TEST-A${number}`,
      StudyID: String(number),
      ReferringPhysicianName: null,
      Modality: 'CR',
      SeriesNumber: 1,
      InstanceNumber: 1,
      ImageType: ['ORIGINAL', 'PRIMARY'],
      BodyPartExamined: 'CHEST',
      ViewPosition: 'PA',
      PatientOrientation: ['L', 'F'],
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      Rows: smallRows,
      Columns: smallColumns,
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      PixelData: new Uint8Array(smallPixels(number).buffer),
      ...overrides,
    }),
    transferSyntaxUid,
  );
}

/** 12-bit values of two dark ellipses with a texture that the seed decides, row by row. */
export function smallPixels(
  seed: number,
  { columns, rows } = { columns: smallColumns, rows: smallRows },
): Uint16Array<ArrayBuffer> {
  const values = new Uint16Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [column / columns, row / rows];
      const lung = Math.min(...[0.3, 0.7].map((centre) => ((x - centre) / 0.16) ** 2 + ((y - 0.5) / 0.34) ** 2));
      const texture = 90 * Math.sin(x * (37 + seed)) * Math.cos(y * (41 + seed));
      values[row * columns + column] = Math.round(Math.min(4000, 900 + 2200 * Math.min(1, lung) + texture + 100));
    }
  }
  return values;
}
