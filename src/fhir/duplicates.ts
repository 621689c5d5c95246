import type { FhirClient } from './client.ts';
import { systems } from './coding.ts';
import { bears, type Foreign, findAll } from './search.ts';
import { isTakenOver, refused } from './standing.ts';
import { ownIdentifier } from './transaction.ts';
import type { Identifier, Provenance, ReportResource, TransactionBundle } from './types.ts';

/**
 * Two writers that search, find nothing and create at the same time make two of one resource where the server gives the
 * ids (fault 51). The oldest is kept; the others are struck out and lose our identifier, so that the next update finds one.
 * Nothing is deleted.
 */

/** Resources that were struck out. Raises `fhir-refused` when a person has taken over more than one of them. */
export async function strikeDuplicates(client: FhirClient, bundle: TransactionBundle): Promise<number> {
  let count = 0;
  for (const { resource } of bundle.entry) {
    if (resource.resourceType === 'Provenance') continue;
    const { resourceType } = resource;
    count += await strikeAllButOne(
      client,
      resourceType,
      ownIdentifier(resource as Exclude<ReportResource, Provenance>),
    );
  }
  return count;
}

async function strikeAllButOne(client: FhirClient, resourceType: string, identifier: Identifier): Promise<number> {
  const found = (await findAll(client, resourceType, identifier)).filter((resource) => bears(resource, identifier));
  if (found.length < 2) return 0;
  const [, ...others] = [...found].sort((a, b) => rank(a).localeCompare(rank(b)));
  if (others.some(isSigned)) {
    throw refused(`duplicates of a ${resourceType} of ours`, 'at most one that a person has taken over', 'several');
  }
  for (const other of others) {
    const { id, meta } = other;
    const headers = { prefer: 'return=minimal', ...(meta?.versionId ? { 'if-match': `W/"${meta.versionId}"` } : {}) };
    await client.update({ resourceType, id, body: { ...struckDuplicate(other) }, options: { headers } });
  }
  return others.length;
}

const isSigned = (resource: Foreign): boolean =>
  ['DiagnosticReport', 'Observation'].includes(resource.resourceType) && isTakenOver(resource);

/** What a person has taken over comes first, then the oldest, so that every gateway keeps the same one. */
const rank = (resource: Foreign): string =>
  [isSigned(resource) ? 0 : 1, resource.meta?.lastUpdated ?? '', resource.id.padStart(64)].join(' ');

/** Every type that we write knows the status (R4 Device, Endpoint, ImagingStudy, Observation, DiagnosticReport). */
const struckDuplicate = (resource: Foreign): Foreign => ({
  ...resource,
  status: 'entered-in-error',
  identifier: (resource.identifier ?? []).map((identifier) =>
    identifier.system === systems.result ? { ...identifier, system: systems.duplicate } : identifier,
  ),
});
