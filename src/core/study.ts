import type { FailureCode } from './failure.ts';

/** What arrives: data sets, instances, studies and the events that announce them. Plain data. */

/** One attribute of the DICOM JSON Model (PS3.18 F.2.2). What was read holds no bulk data; what is composed may hold bytes. */
export interface Attribute {
  readonly vr: string;
  readonly Value?: readonly unknown[];
}

/**
 * A data set in the DICOM JSON Model: keys are eight upper-case hex digits, values decoded to Unicode.
 * Made with a null prototype, so that a key such as `__proto__` is only a key.
 */
export type Dataset = Readonly<Record<string, Attribute>>;

/** A person name of the DICOM JSON Model (PS3.18 F.2.2, PS3.5 6.2.1). */
export interface PersonName {
  readonly Alphabetic?: string;
  readonly Ideographic?: string;
  readonly Phonetic?: string;
}

/** A coded entry (PS3.3 8.8); `CodingSchemeDesignator` is DCM, SCT, LN, UCUM and so on. */
export interface Code {
  readonly CodeValue: string;
  readonly CodingSchemeDesignator: string;
  readonly CodeMeaning: string;
}

/** The four UIDs that name a SOP instance. */
export interface InstanceReference {
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly SOPInstanceUID: string;
  readonly SOPClassUID: string;
}

/**
 * One object of a study as an archive lists it. `key` is unique in the listing (the SOP Instance UID in a PACS, the path
 * in a folder, where two files may share a UID). `header` is null where the object could not be parsed; `failure` says why.
 */
export interface Instance {
  readonly key: string;
  readonly header: Dataset | null;
  readonly failure: FailureNote | null;
}

/** A failure as it is stored and shown: a code of the failure table and a detail without patient data. */
export interface FailureNote {
  readonly code: FailureCode;
  readonly detail: string;
}

export type Priority = 'stat' | 'routine';

/**
 * Words of orders that are above routine: FHIR request-priority `urgent`, `asap`, `stat`; DICOM (0040,1003) `STAT`, `HIGH`. A
 * department reads all of them before its routine work, so they share one lane; `medium`, `low` and what nobody knows are routine.
 */
const urgentWords: ReadonlySet<string> = new Set(['stat', 'asap', 'urgent', 'high']);

/** The priority that a word of an order means, whatever its case. */
export const priorityOfWord = (word: string): Priority =>
  urgentWords.has(word.trim().toLowerCase()) ? 'stat' : 'routine';

/** A person's wish that goes beyond reading what is new. `reason` is the operator's own text: stored, never logged. */
export interface Demand {
  readonly kind: 'replay' | 'retract';
  readonly reason: string;
  /** Who: `command`, or the user of the API. */
  readonly by: string;
  /** Names this very demand: a run that is tried again does not carry it out twice. */
  readonly id?: string;
  /** A replay makes a new version although nothing changed. */
  readonly force?: boolean;
}

/** A source's hint that a study changed. It promises nothing: a hint may come twice, late, or for a study that is gone. */
export interface StudyEvent {
  readonly studyInstanceUid: string;
  /** Name of the source that saw it, for the log. */
  readonly source: string;
  readonly priority: Priority;
  readonly demand?: Demand;
}

/** Values that decide whose study it is. Two different ones under one StudyInstanceUID stop the study. */
export interface PatientIdentity {
  readonly PatientID: string | null;
  readonly IssuerOfPatientID: string | null;
}

/** Decoded grey values ready for a model; no DICOM in it. */
export interface Radiograph {
  readonly columns: number;
  readonly rows: number;
  /** rows × columns, row by row, 0 (black) to 1 (white) as a radiologist sees the film. */
  readonly pixels: Float32Array;
  /** Height of a pixel divided by its width (PixelAspectRatio or spacing); 1 when absent. */
  readonly pixelAspect: number;
  /** Where the film was decoded at a smaller size than that of its matrix. */
  readonly reduced?: { readonly x: Reduced; readonly y: Reduced };
}

/** Along one axis: matrix = offset + film × scale, in pixels from the edge of the first. */
export interface Reduced {
  readonly offset: number;
  readonly scale: number;
  /** Pixels of the matrix. */
  readonly length: number;
}

/** What one side does not tell contradicts nothing: archives leave out the issuer, and some the patient. */
export function samePatient(a: PatientIdentity, b: PatientIdentity): boolean {
  const agree = (one: string | null, other: string | null) => one === null || other === null || one === other;
  return agree(a.PatientID, b.PatientID) && agree(a.IssuerOfPatientID, b.IssuerOfPatientID);
}
