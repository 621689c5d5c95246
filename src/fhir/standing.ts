import { Failure } from '../core/failure.ts';
import type { Abilities } from './abilities.ts';
import { type FhirClient, readOrNull } from './client.ts';
import { systems } from './coding.ts';
import { referencedId } from './compare.ts';
import { bears, type Foreign, findOne, isId } from './search.ts';
import { observationsIn, ownIdentifier, putEntry, reportOf, type Versions } from './transaction.ts';
import type { BundleEntry, DiagnosticReport, Identifier, Observation, Reference, TransactionBundle } from './types.ts';

/** The report as it stands at the server before a delivery, so that nobody's work is overwritten. */

export interface ReportAsRead extends Foreign {
  readonly result?: readonly Reference[];
  readonly imagingStudy?: readonly Reference[];
}

export interface Standing {
  readonly report: ReportAsRead;
  readonly status: string;
  /** The Observations of ours that it rests on. */
  readonly observations: readonly Foreign[];
  /** Whose id it bears. */
  readonly ids: Abilities['ids'];
  /** A person has signed or struck this very revision, or one of its results: it is theirs now. */
  readonly takenOver: string | null;
  /** Whether it is of the revision that is delivered. */
  readonly sameRevision: boolean;
}

/** The report that the server has under our identity, or null. Raises `fhir-refused` when it is no longer ours to change. */
export async function standingReport(
  client: FhirClient,
  bundle: TransactionBundle,
  ids: Abilities['ids'],
): Promise<Standing | null> {
  const standing = await lookAt(client, bundle, ids);
  if (standing && standing.takenOver !== null && !standing.sameRevision) {
    throw refused(`${standing.takenOver}.status of the report before`, 'preliminary', standing.status);
  }
  return standing;
}

/** The same without a judgement about a report that a person has taken over. */
export async function lookAt(
  client: FhirClient,
  bundle: TransactionBundle,
  ids: Abilities['ids'],
): Promise<Standing | null> {
  const report = reportOf(bundle);
  const found = await find(client, report, ids);
  if (!found) return null;
  if (!bears(found, ownIdentifier(report))) {
    throw refused('DiagnosticReport.identifier', 'the identifier of our report', 'a report that is not ours');
  }
  const observations = await observationsOf(client, found);
  const current = observationsIn(bundle).map(ownIdentifier);
  const named = (observation: Foreign) => current.some((identifier) => bears(observation, identifier));
  const sameRevision = bears(found, srIdentifier(report));
  const taken = [found, ...observations]
    .filter((resource) => sameRevision || !isRetracted(resource))
    .find((resource) => isTakenOver(resource) || (isStruck(resource) && named(resource)));
  return {
    report: found,
    status: statusOf(taken ?? found),
    observations,
    ids: found.id === report.id ? ids : 'conditional',
    takenOver: taken?.resourceType ?? null,
    sameRevision,
  };
}

export const statusOf = ({ status }: Foreign): string =>
  typeof status === 'string' && /^[a-z-]{1,32}$/.test(status) ? status : 'unknown';

/** Among the results of a report: what we withdraw ourselves is none of the next revision's. */
const isStruck = (resource: Foreign): boolean => statusOf(resource) === 'entered-in-error';

/** Where FHIR R4 has no element for the reason of a status. */
export const statusReason = 'http://hl7.org/fhir/StructureDefinition/event-statusReason';

/** What we took back ourselves, with its reason, is free for a revision that somebody wants after it. */
export const isRetracted = (resource: Foreign): boolean =>
  isStruck(resource) && resource.extension?.some(({ url }) => url === statusReason) === true;

/** Whether somebody else has set the status. An Observation in error may be one that we have withdrawn ourselves. */
export function isTakenOver(resource: Foreign): boolean {
  const ours = resource.resourceType === 'Observation' ? ['preliminary', 'entered-in-error'] : ['preliminary'];
  return !ours.includes(statusOf(resource));
}

/** By our id; else by our identifier, since a server may have given the report an id of its own. */
async function find(client: FhirClient, report: DiagnosticReport, ids: Abilities['ids']): Promise<ReportAsRead | null> {
  const own = ids === 'client' ? await readOrNull(client, 'DiagnosticReport', report.id) : null;
  if (own && statusOf(own as ReportAsRead) !== 'entered-in-error') return own as ReportAsRead;
  // What stands struck out under our id may be the younger of two that a race made: the other one bears our identifier.
  const match = await findOne(client, 'DiagnosticReport', ownIdentifier(report));
  if (match === 'several') {
    throw new Failure('fhir-conflict', {
      where: 'search of DiagnosticReport',
      expected: 'one of ours',
      got: 'several',
    });
  }
  return match === 'none' ? (own as ReportAsRead | null) : match;
}

/** What another has put among the results is not looked at. */
async function observationsOf(client: FhirClient, { result = [] }: ReportAsRead): Promise<readonly Foreign[]> {
  const found: Foreign[] = [];
  for (const reference of result) {
    const id = referencedId(reference, 'Observation');
    const observation = isId(id) ? ((await readOrNull(client, 'Observation', id)) as Foreign | null) : null;
    if (observation?.identifier?.some(({ system }) => system === systems.result)) found.push(observation);
  }
  return found;
}

/** The SR of the revision: what tells two revisions of a report apart. */
export function srIdentifier({ identifier }: DiagnosticReport): Identifier {
  return identifier.find(({ system }) => system === systems.dicomUid) ?? { value: '' };
}

export const refused = (where: string, expected: string, got: string): Failure =>
  new Failure('fhir-refused', { where, expected, got });

/** What an update must go against, so that what somebody writes after we looked is a conflict (fault 59). */
export function versionsOf(standing: Standing | null): Versions {
  const found: readonly Foreign[] = standing ? [standing.report, ...standing.observations] : [];
  return new Map(
    found.flatMap(({ resourceType, id, meta }) =>
      meta?.versionId === undefined ? [] : [[`${resourceType}/${id}`, meta.versionId] as const],
    ),
  );
}

/** Observations of an earlier revision that the new one no longer names, struck out: an image left, or failed this time. */
export function withdrawnEntries(
  standing: Standing | null,
  bundle: TransactionBundle,
  root: string,
): readonly BundleEntry[] {
  if (!standing) return [];
  const current = observationsIn(bundle);
  const versions = versionsOf(standing);
  return standing.observations
    .filter(({ status }) => status === 'preliminary')
    .filter((old) => !current.some((observation) => bears(old, ownIdentifier(observation))))
    .map((old) => putEntry(struck(old), root, versions.get(`Observation/${old.id}`) ?? null));
}

const struck = (observation: Foreign) => ({ ...(observation as Foreign & Observation), status: 'entered-in-error' });
