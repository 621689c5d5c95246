import type { Resolved } from '../core/ports.ts';
import type { StudyHeader } from '../core/reading.ts';
import { fhirConcept, systems } from './coding.ts';
import { toDate } from './datetime.ts';
import { displayName, toHumanNames } from './names.ts';
import type { IdentifierOptions } from './options.ts';
import type { Contained, Identifier, Reference, Resource } from './types.ts';

/**
 * Identifiers and references. A bundle is composed with logical references (identifier only) to what the EHR owns, and they
 * are made literal at each delivery, when exactly one resource answers to the identifier.
 */

/** `urn:dicom:uid | urn:oid:…` (R4 ImagingStudy). */
export const uidIdentifier = (uid: string): Identifier => ({ system: systems.dicomUid, value: `urn:oid:${uid}` });

/** A name of ours that outlives revisions. */
export const resultIdentifier = (value: string): Identifier => ({ system: systems.result, value });

/**
 * The patient's identifier, or null without PatientID. The system is the one configured for the issuer; a PatientID of an
 * issuer that is not configured keeps the issuer's name and no system, so that it can never match a patient of another.
 */
export function patientIdentifier(
  { PatientID, IssuerOfPatientID }: Pick<StudyHeader, 'PatientID' | 'IssuerOfPatientID'>,
  { patientIdentifierSystem, issuers }: IdentifierOptions,
): Identifier | null {
  if (PatientID === null) return null;
  const type = fhirConcept(systems.identifierType, 'MR', 'Medical record number');
  const own = IssuerOfPatientID !== null && Object.hasOwn(issuers, IssuerOfPatientID);
  const system = IssuerOfPatientID === null ? patientIdentifierSystem : own ? issuers[IssuerOfPatientID] : undefined;
  return {
    type,
    ...(system === undefined ? {} : { system }),
    value: PatientID,
    ...(IssuerOfPatientID === null ? {} : { assigner: { display: IssuerOfPatientID } }),
  };
}

/** The order's accession number, or null. */
export function accessionIdentifier(
  { AccessionNumber }: Pick<StudyHeader, 'AccessionNumber'>,
  { accessionSystem }: IdentifierOptions,
): Identifier | null {
  if (AccessionNumber === null) return null;
  return {
    type: fhirConcept(systems.identifierType, 'ACSN', 'Accession ID'),
    ...(accessionSystem === undefined ? {} : { system: accessionSystem }),
    value: AccessionNumber,
  };
}

export interface Subject {
  readonly subject: Reference;
  /** The patient as a part of our resource, when the header names one and nothing identifies him. */
  readonly contained?: readonly Contained[];
}

/** Whose result it is. */
export function subjectOf(study: StudyHeader, options: IdentifierOptions): Subject {
  const identifier = patientIdentifier(study, options);
  const display = displayName(study.PatientName);
  if (identifier) return { subject: { type: 'Patient', identifier, ...(display ? { display } : {}) } };
  const patient = containedPatient(study);
  if (!patient) return { subject: { type: 'Patient', display: 'Patient not named in the image' } };
  return { subject: { reference: '#patient', type: 'Patient', ...(display ? { display } : {}) }, contained: [patient] };
}

/** R4 `contained`: content that cannot be identified on its own. */
function containedPatient(study: StudyHeader): Contained | null {
  const name = toHumanNames(study.PatientName);
  const gender = genderOf(study.PatientSex);
  const birthDate = toDate(study.PatientBirthDate);
  if (name.length === 0 && gender === null && birthDate === null) return null;
  return {
    resourceType: 'Patient',
    id: 'patient',
    ...(name.length > 0 ? { name } : {}),
    ...(gender ? { gender } : {}),
    ...(birthDate ? { birthDate } : {}),
  };
}

/** PatientSex M, F, O (0010,0040) as administrative gender; anything else is not guessed. */
function genderOf(sex: string | null): Contained['gender'] | null {
  return sex === 'M' ? 'male' : sex === 'F' ? 'female' : sex === 'O' ? 'other' : null;
}

export function orderReference(study: StudyHeader, options: IdentifierOptions): readonly Reference[] {
  const identifier = accessionIdentifier(study, options);
  return identifier ? [{ type: 'ServiceRequest', identifier }] : [];
}

/** A literal reference to a resource of the same bundle. */
export const referenceTo = ({ resourceType, id }: Resource & { readonly id: string }): Reference => ({
  reference: `${resourceType}/${id}`,
});

/** Replaces what `change` gives another value for, at every depth; everything else stays as it is. */
export function rewriteReferences<T>(value: T, change: (reference: Reference) => Reference): T {
  if (Array.isArray(value)) return value.map((item) => rewriteReferences(item, change)) as T;
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, part]) => [key, rewriteReferences(part, change)] as const);
  const copy = Object.fromEntries(entries) as T;
  return isReference(value) ? (change(copy as Reference) as T) : copy;
}

function isReference(value: object): value is Reference {
  const { reference, type, identifier } = value as Partial<Reference>;
  return typeof reference === 'string' || (typeof type === 'string' && typeof identifier === 'object');
}

/** Makes the logical references of a bundle literal where one resource was found. The identifier stays beside the literal. */
export function linkReferences<T>(value: T, resolved: Resolved): T {
  const literals: Readonly<Record<string, string | null>> = {
    Patient: resolved.patient,
    ServiceRequest: resolved.serviceRequest,
  };
  return rewriteReferences(value, (reference) => {
    const literal = reference.identifier && reference.type ? (literals[reference.type] ?? null) : null;
    return literal === null || reference.reference ? reference : { reference: literal, ...reference };
  });
}
