import { sha256 } from '../core/ids.ts';
import { jpeg2000Lossless, jpegLsLossless } from '../dicom/encode.ts';
import type { Resource } from './fhir-tables.ts';
import { type FilmPatient, type FilmRequest, type FilmStudy, makeFilm } from './film.ts';

/** The people and orders of the demo: three studies of three invented patients, and what the EHR knows of them. */

/** Identifier systems of the sandbox hospital. */
export const patientSystem = 'urn:x-cxr-gateway:sandbox:mrn';
export const accessionSystem = 'urn:x-cxr-gateway:sandbox:accession';

export interface DemoFilm {
  readonly name: 'clear' | 'opacity' | 'lateral';
  readonly studyInstanceUid: string;
  /** The PS3.10 file. */
  readonly bytes: Uint8Array;
}

/** A UID below 2.25 (PS3.5 B.2): the UUIDv8 (RFC 9562 5.8) of a hash of the name. */
function uid(film: number, part: 'study' | 'series' | 'image'): string {
  const hex = sha256(`cxr-gateway sandbox ${film} ${part}`);
  return `2.25.${BigInt(`0x${hex.slice(0, 12)}8${hex.slice(13, 16)}a${hex.slice(17, 32)}`)}`;
}

const person = (
  given: string,
  number: number,
  rest: Omit<FilmPatient, 'PatientName' | 'PatientID' | 'IssuerOfPatientID'>,
): FilmPatient => ({
  PatientName: `PHANTOM^${given}`,
  PatientID: `SANDBOX-${number}`,
  IssuerOfPatientID: 'SANDBOX',
  ...rest,
});

const study = (film: number, StudyTime: string): Omit<FilmStudy, 'StudyDate'> => ({
  StudyInstanceUID: uid(film, 'study'),
  SeriesInstanceUID: uid(film, 'series'),
  SOPInstanceUID: uid(film, 'image'),
  AccessionNumber: `SANDBOX-A${film}`,
  StudyID: `${film}`,
  StudyTime,
  PlacerOrderNumber: `SANDBOX-O${film}`,
});

type DemoRequest = Omit<FilmRequest, 'study'> & {
  readonly kind: DemoFilm['name'];
  readonly study: Omit<FilmStudy, 'StudyDate'>;
};

const requests: readonly DemoRequest[] = [
  {
    kind: 'clear',
    seed: 7,
    patient: person('CLEAR', 1, { PatientBirthDate: '19610412', PatientSex: 'F' }),
    study: study(1, '081500'),
    transferSyntaxUID: jpeg2000Lossless,
  },
  {
    kind: 'opacity',
    seed: 19,
    patient: person('OPACITY', 2, { PatientBirthDate: '19540923', PatientSex: 'M' }),
    study: study(2, '083000'),
    transferSyntaxUID: jpegLsLossless,
    photometricInterpretation: 'MONOCHROME1',
  },
  {
    kind: 'lateral',
    seed: 7,
    patient: person('LATERAL', 3, { PatientBirthDate: '19780105', PatientSex: 'F' }),
    study: study(3, '084500'),
  },
];

/**
 * The three films of the demo, two of them compressed: `clear` (JPEG 2000), `opacity` (JPEG-LS, MONOCHROME1), `lateral`.
 * @param studyDate YYYYMMDD: a gateway that looks back a few days only must find them
 */
export async function demoFilms(studyDate: string): Promise<readonly DemoFilm[]> {
  const films: DemoFilm[] = [];
  // One after the other: each takes some 100 MB while it is drawn.
  for (const request of requests) {
    const bytes = await makeFilm({ ...request, study: { ...request.study, StudyDate: studyDate } });
    films.push({ name: request.kind, studyInstanceUid: request.study.StudyInstanceUID, bytes });
  }
  return films;
}

/** Patient and ServiceRequest of each film, for `startFhirStore({ seed })`. */
export function demoResources(): readonly Resource[] {
  return requests.flatMap(({ patient, study }) => [patientResource(patient), orderResource(patient, study)]);
}

const idOf = ({ PatientID }: FilmPatient): string => PatientID.toLowerCase();

function patientResource(patient: FilmPatient): Resource {
  const [family = '', given = ''] = patient.PatientName.split('^');
  const birth = /^(\d{4})(\d{2})(\d{2})$/.exec(patient.PatientBirthDate)!;
  return {
    resourceType: 'Patient',
    id: idOf(patient),
    identifier: [{ type: typeOf('MR', 'Medical record number'), system: patientSystem, value: patient.PatientID }],
    name: [{ family, given: [given] }],
    gender: { F: 'female', M: 'male', O: 'other' }[patient.PatientSex],
    birthDate: birth.slice(1).join('-'),
  };
}

function orderResource(
  patient: FilmPatient,
  { AccessionNumber, PlacerOrderNumber }: Pick<FilmStudy, 'AccessionNumber' | 'PlacerOrderNumber'>,
): Resource {
  return {
    resourceType: 'ServiceRequest',
    id: PlacerOrderNumber.toLowerCase(),
    identifier: [
      { type: typeOf('ACSN', 'Accession ID'), system: accessionSystem, value: AccessionNumber },
      {
        type: typeOf('PLAC', 'Placer Identifier'),
        system: 'urn:x-cxr-gateway:sandbox:order',
        value: PlacerOrderNumber,
      },
    ],
    status: 'active',
    intent: 'order',
    code: { coding: [{ system: 'http://loinc.org', code: '36554-4', display: 'XR Chest Single view' }] },
    subject: { reference: `Patient/${idOf(patient)}` },
  };
}

const typeOf = (code: string, display: string) => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code, display }],
});
