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
