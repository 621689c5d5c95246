import { Failure } from '../core/failure.ts';
import type { Resolved } from '../core/ports.ts';
import type { FhirClient } from './client.ts';
import { systems } from './coding.ts';
import type { FhirOptions } from './options.ts';
import { uidIdentifier } from './references.ts';
import { bears, type Foreign, findOne } from './search.ts';
import type { Identifier } from './types.ts';

/** Which resources of the EHR a report belongs to. One match or none: never the first of many. */

/** By what a report names its patient, its order and its study. */
export interface ReferenceKeys {
  readonly patient: Identifier | null;
  readonly accession: Identifier | null;
  readonly studyInstanceUid: string;
  /** Identifier of the ImagingStudy that we write ourselves. */
  readonly ownImagingStudy: Identifier;
}

export interface Resolver {
  /** Raises `patient-ambiguous` when several patients match and the site wants a person to look. */
  resolve(keys: ReferenceKeys): Promise<Resolved>;
}

export interface ResolverOptions {
  readonly client: FhirClient;
  readonly onAmbiguousPatient: FhirOptions['onAmbiguousPatient'];
}

export function createFhirResolver({ client, onAmbiguousPatient }: ResolverOptions): Resolver {
  return {
    async resolve({ patient: named, accession, studyInstanceUid, ownImagingStudy }) {
      const patient = named && (await findPatient(client, named, onAmbiguousPatient));
      const order = accession && (await findOrder(client, accession, { identifier: named, literal: patient }));
      const serviceRequest = order && `ServiceRequest/${order.id}`;
      const imagingStudy = await findStudy(client, studyInstanceUid, ownImagingStudy, patient);
      return { patient, serviceRequest, imagingStudy };
    },
  };
}

/** The order of a patient's study, or null: accession and patient must agree, and both must be known. */
export async function findOrderOf(
  client: FhirClient,
  patient: Identifier,
  accession: Identifier,
): Promise<Foreign | null> {
  const literal = await findPatient(client, patient, 'identifier');
  return findOrder(client, accession, { identifier: patient, literal });
}

/** Without a system an identifier names nobody: another hospital's number may be the same. */
async function findPatient(
  client: FhirClient,
  identifier: Identifier,
  onAmbiguousPatient: FhirOptions['onAmbiguousPatient'],
): Promise<string | null> {
  if (identifier.system === undefined) return null;
  const match = await findOne(client, 'Patient', identifier);
  if (match === 'several' && onAmbiguousPatient === 'quarantine') {
    throw new Failure('patient-ambiguous', {
      where: 'search of Patient by identifier',
      expected: 'one',
      got: 'several',
    });
  }
  if (match === 'none' || match === 'several' || match.active === false) return null;
  return `Patient/${match.id}`;
}

interface NamedPatient {
  readonly identifier: Identifier | null;
  readonly literal: string | null;
}

/** Accession and patient must agree. Without a configured system the order must at least call the number an accession. */
async function findOrder(client: FhirClient, accession: Identifier, patient: NamedPatient): Promise<Foreign | null> {
  const match = await findOne(client, 'ServiceRequest', accession, (order) => isAccession(order, accession));
  if (match === 'none' || match === 'several' || match.status === 'entered-in-error') return null;
  return isFor(match, patient) ? match : null;
}

function isAccession({ identifier = [] }: Foreign, { system, value }: Identifier): boolean {
  if (system !== undefined) return true;
  return identifier.some(
    (own) =>
      own.value === value &&
      own.type?.coding?.some((code) => code.system === systems.identifierType && code.code === 'ACSN'),
  );
}

function isFor({ subject }: Foreign, { identifier, literal }: NamedPatient): boolean {
  if (literal !== null && subject?.reference === literal) return true;
  const own = subject?.identifier;
  return identifier?.system !== undefined && own?.system === identifier.system && own.value === identifier.value;
}

/** The EHR's ImagingStudy of this study: one that is not ours and does not belong to another patient. */
async function findStudy(
  client: FhirClient,
  studyInstanceUid: string,
  own: Identifier,
  patient: string | null,
): Promise<string | null> {
  const foreign = (study: Foreign) => !bears(study, own) && study.status !== 'entered-in-error';
  const match = await findOne(client, 'ImagingStudy', uidIdentifier(studyInstanceUid), foreign);
  if (match === 'none' || match === 'several') return null;
  const theirs = match.subject?.reference;
  return patient !== null && theirs !== undefined && theirs !== patient ? null : match.id;
}
