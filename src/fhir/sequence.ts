import { Failure } from '../core/failure.ts';
import type { Abilities } from './abilities.ts';
import { renaming } from './already-there.ts';
import { type FhirClient, readOrNull } from './client.ts';
import { differences, referencedId } from './compare.ts';
import { rewriteReferences } from './references.ts';
import { bears, type Foreign, findOne, isId, searchToken } from './search.ts';
import { isRetracted, isTakenOver, refused, srIdentifier, statusOf } from './standing.ts';
import { localName, ownIdentifier, type StoredAt } from './transaction.ts';
import type { BundleEntry, Provenance, ReportResource, Resource, TransactionBundle } from './types.ts';

/**
 * A report for a server without transactions (fault 54): its resources one by one, each after what it refers to, so that a
 * report is there only when all that it rests on is, and its Provenance last. A delivery that is broken off goes on where it
 * was: what stands as it was sent is not written again.
 */

const order = ['Device', 'Endpoint', 'ImagingStudy', 'Observation', 'DiagnosticReport', 'Provenance'];
const minimal = { prefer: 'return=minimal' };

/** What was stored, in the order in which it was stored. `withdrawn` goes before the report that no longer names it. */
export async function storeInSequence(
  client: FhirClient,
  bundle: TransactionBundle,
  withdrawn: readonly BundleEntry[],
  ids: Abilities['ids'],
): Promise<readonly StoredAt[]> {
  const names = new Map<string, string>();
  const stored: StoredAt[] = [];
  for (const entry of inOrder(bundle)) {
    if (entry.resource.resourceType === 'DiagnosticReport') await putInSequence(client, withdrawn);
    const resource = rewriteReferences(entry.resource, renaming(names));
    const at = await storeOne(client, resource, ids);
    names.set(localName(resource), `${at.resourceType}/${at.id}`);
    stored.push(at);
  }
  return stored;
}

const inOrder = ({ entry }: TransactionBundle) =>
  [...entry].sort((a, b) => order.indexOf(a.resource.resourceType) - order.indexOf(b.resource.resourceType));

/** Updates of what stands, each against the version that was looked at. */
export async function putInSequence(client: FhirClient, entries: readonly BundleEntry[]): Promise<void> {
  for (const { resource, request } of entries) {
    const headers = { ...minimal, ...(request.ifMatch === undefined ? {} : { 'if-match': request.ifMatch }) };
    await client.update({
      resourceType: resource.resourceType,
      id: resource.id!,
      body: { ...resource },
      options: { headers },
    });
  }
}

/** Creates or updates one resource; what stands as it was sent is left. */
export async function storeOne(client: FhirClient, resource: ReportResource, ids: Abilities['ids']): Promise<StoredAt> {
  const found = ids === 'client' ? await byId(client, resource) : await byIdentifier(client, resource);
  if (found) return update(client, resource, found);
  const { resourceType, id } = resource;
  if (ids === 'client') {
    return at(
      resource,
      await client.update({ resourceType, id, body: { ...resource }, options: { headers: minimal } }),
    );
  }
  const { id: _, ...body } = resource;
  const headers = { ...minimal, ...ifNoneExist(resource) };
  return at(resource, await client.create({ resourceType, body, options: { headers } }));
}

async function update(client: FhirClient, resource: ReportResource, found: Foreign): Promise<StoredAt> {
  const { resourceType } = resource;
  const { id, meta } = found;
  const body = { ...resource, id };
  if (differences(body, found).length === 0) return { resourceType, id, version: meta?.versionId ?? 'unknown' };
  const headers = { ...minimal, ...(meta?.versionId ? { 'if-match': `W/"${meta.versionId}"` } : {}) };
  return at(resource, await client.update({ resourceType, id, body, options: { headers } }));
}

/** What stands under our id; raises `fhir-refused` for what is not ours, or no longer. */
async function byId(client: FhirClient, resource: ReportResource): Promise<Foreign | null> {
  const { resourceType, id } = resource;
  const found = (await readOrNull(client, resourceType, id)) as Foreign | null;
  if (found && resource.resourceType !== 'Provenance' && !bears(found, ownIdentifier(resource))) {
    throw refused(`${resourceType}.identifier`, 'the identifier of ours', 'a resource that is not ours');
  }
  return found && requireOurs(found, resource);
}

async function byIdentifier(client: FhirClient, resource: ReportResource): Promise<Foreign | null> {
  if (resource.resourceType === 'Provenance') return byTarget(client, resource);
  const match = await findOne(client, resource.resourceType, ownIdentifier(resource));
  if (match === 'several') {
    const where = `search of ${resource.resourceType}`;
    throw new Failure('fhir-conflict', { where, expected: 'one of ours', got: 'several' });
  }
  return match === 'none' ? null : requireOurs(match, resource);
}

/**
 * A Provenance has no identifier: it is known by its report and its first agent, and the one of a retraction by its activity.
 * Asked for by its report alone, because not every server searches by agent.
 */
export async function byTarget(client: FhirClient, sent: Provenance): Promise<(Foreign & Partial<Provenance>) | null> {
  const { target, agent, activity } = sent;
  const searchParams = { target: target[0]?.reference ?? '' };
  const { entry = [] } = (await client.resourceSearch({ resourceType: 'Provenance', searchParams })) as {
    readonly entry?: readonly { readonly resource?: Foreign & Partial<Provenance> }[];
  };
  const found = entry.flatMap(({ resource }) =>
    resource?.resourceType === 'Provenance' && isId(resource.id) ? [resource] : [],
  );
  const ours = (one: Partial<Provenance>) =>
    (one.activity === undefined) === (activity === undefined) &&
    referencedId(one.agent?.[0]?.who, 'Device') === referencedId(agent[0]?.who, 'Device');
  return found.find(ours) ?? null;
}

function requireOurs(found: Foreign, sent: ReportResource): Foreign {
  const signed = ['DiagnosticReport', 'Observation'].includes(found.resourceType) && isTakenOver(found);
  if (!signed || isFreeAgain(found, sent)) return found;
  // A conflict and no refusal: whoever looks again sees the whole report and decides by it.
  const where = `${found.resourceType}.status`;
  throw new Failure('fhir-conflict', { where, expected: 'preliminary', got: statusOf(found) });
}

/** A report that we took back ourselves, for a later revision; what was taken back of this very one stays so. */
const isFreeAgain = (found: Foreign, sent: ReportResource): boolean =>
  sent.resourceType === 'DiagnosticReport' && isRetracted(found) && !bears(found, srIdentifier(sent));

function ifNoneExist(resource: ReportResource): Readonly<Record<string, string>> {
  if (resource.resourceType === 'Provenance') {
    // The one of a retraction comes after another of the same report.
    const target = resource.target[0]?.reference;
    return resource.activity || !target ? {} : { 'if-none-exist': new URLSearchParams({ target }).toString() };
  }
  const { system, value } = ownIdentifier(resource);
  return { 'if-none-exist': new URLSearchParams({ identifier: searchToken(system, value) }).toString() };
}

function at({ resourceType }: ReportResource, answer: Resource): StoredAt {
  if (answer.resourceType !== resourceType || !isId(answer.id)) {
    const where = `answer to the write of a ${resourceType}`;
    throw new Failure('fhir-not-fhir', { where, expected: 'the resource that was stored', got: 'another resource' });
  }
  return { resourceType, id: answer.id, version: answer.meta?.versionId ?? 'unknown' };
}
