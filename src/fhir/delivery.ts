import { asFailure, Failure } from '../core/failure.ts';
import type { Artifact, Receipt, Resolved } from '../core/ports.ts';
import { isThere, renaming } from './already-there.ts';
import { type ReadBack, readBack } from './compare.ts';
import { strikeDuplicates } from './duplicates.ts';
import { rewriteReferences } from './references.ts';
import { standingReport, versionsOf, withdrawnEntries } from './standing.ts';
import {
  bindTransaction,
  keysOf,
  linkTransaction,
  localName,
  observationsIn,
  parseTransaction,
  reportOf,
  type StoredAt,
} from './transaction.ts';
import type { TransactionBundle } from './types.ts';
import { type FhirServer, namesOf, store } from './write.ts';

/** One try of one report: look, link, write, read back. */
export async function deliverOnce(server: FhirServer, artifact: Artifact): Promise<Receipt> {
  const recorded = parseTransaction(artifact.bytes);
  const { client } = server;
  const abilities = await server.abilities.ask();
  const standing = await standingReport(client, recorded, abilities.ids);
  const receipt = receiptOf(server, artifact);
  if (standing?.takenOver) return receipt(leftAlone(standing.takenOver, standing.report.id, standing.status));

  const resolved = await server.resolver.resolve(keysOf(recorded));
  if (resolved.patient === null) server.onUnresolvedPatient();
  const bundle = bindTransaction(linkTransaction(recorded, resolved), server.root, versionsOf(standing));
  if (standing && (await isThere(client, bundle, standing))) {
    const version = standing.report.meta?.versionId ?? 'unknown';
    return receipt(`DiagnosticReport/${standing.report.id}/_history/${version}: already there`);
  }
  const ids = standing?.ids ?? abilities.ids;
  const withdrawn = withdrawnEntries(standing, bundle, server.root);
  const stored = await store(server, { bundle, withdrawn, standing, ids }, (failure) =>
    explain(server, failure, bundle, resolved),
  );
  if (ids === 'conditional') await requireSingle(server, bundle);
  const reads = await readAllBack(server, bundle, stored);
  const warnings = [...(await warnOf(server, bundle, stored, reads)), ...(await removeStaleLabels(server, reads))];
  return receipt(noteOf(stored, withdrawn.length, keysOf(recorded), resolved, warnings));
}

export const receiptOf =
  ({ now }: FhirServer, artifact: Artifact) =>
  (note: string): Receipt => ({
    artifact: artifact.name,
    destination: 'fhir',
    storedAt: new Date(now()).toISOString(),
    note,
  });

const leftAlone = (taken: string, id: string, status: string): string =>
  taken === 'DiagnosticReport'
    ? `DiagnosticReport/${id} is ${status} and was left alone`
    : `DiagnosticReport/${id} was left alone: a result of it is ${status}`;

/** Two writers that created at the same time made two: struck out, and the delivery begins again with the one that is left. */
async function requireSingle(server: FhirServer, bundle: TransactionBundle): Promise<void> {
  const count = await settleDuplicates(server, bundle);
  if (count === 0) return;
  throw new Failure('fhir-conflict', {
    where: 'search after the write',
    expected: 'one of each resource',
    got: 'several',
  });
}

export async function settleDuplicates(server: FhirServer, bundle: TransactionBundle): Promise<number> {
  const count = await strikeDuplicates(server.client, bundle);
  if (count > 0) server.onNotice({ kind: 'duplicates', detail: `${count} struck out, the oldest kept` });
  return count;
}

/** The report and its results, under the names that the server gave. */
async function readAllBack(
  { client }: FhirServer,
  bundle: TransactionBundle,
  stored: readonly StoredAt[],
): Promise<readonly (ReadBack & { readonly resourceType: string })[]> {
  const names = namesOf(bundle, stored);
  const reads = [];
  for (const sent of [reportOf(bundle), ...observationsIn(bundle)]) {
    const id = names.get(localName(sent))?.split('/')[1] ?? sent.id;
    const read = await readBack(client, rewriteReferences(sent, renaming(names)), id);
    reads.push({ ...read, resourceType: sent.resourceType });
  }
  return reads;
}

/** What the server did to the resources, to the log and into the note (fault 56). */
async function warnOf(
  { abilities, onNotice }: FhirServer,
  bundle: TransactionBundle,
  stored: readonly StoredAt[],
  reads: readonly ReadBack[],
): Promise<readonly string[]> {
  const altered = [...new Set(reads.flatMap((read) => read.altered))];
  if (altered.length > 0) onNotice({ kind: 'altered', detail: altered.join(', ') });
  const { ids } = await abilities.ask();
  const renamed = ids === 'client' && [...namesOf(bundle, stored)].some(([ours, theirs]) => ours !== theirs);
  if (renamed) {
    abilities.learn({ ids: 'conditional' });
    onNotice({ kind: 'ids', detail: 'the server gives ids of its own: resources are found by identifier' });
  }
  return [
    ...(altered.length > 0 ? [`altered by the server: ${altered.join(', ')}`] : []),
    ...(renamed ? ['ids given by the server'] : []),
  ];
}

/**
 * Servers keep tags that an update leaves out (R4 3.1.0.2.2: they may), so that a report of a trained model would stay
 * UNTRAINED. `$meta-delete` takes away that one label and makes no version; a server without it keeps the label, and that
 * is said.
 */
async function removeStaleLabels(
  { client, onNotice }: FhirServer,
  reads: readonly (ReadBack & { readonly resourceType: string })[],
): Promise<readonly string[]> {
  const kept: string[] = [];
  for (const { resourceType, id, staleLabels } of reads) {
    if (staleLabels.length === 0) continue;
    const tag = staleLabels.map(({ system, code }) => ({ system, code }));
    const input = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag } }] };
    try {
      await client.operation({ name: '$meta-delete', resourceType, id, input });
    } catch (thrown) {
      kept.push(`${resourceType}: ${tag.map(({ code }) => code).join(', ')} (${asFailure(thrown).code})`);
    }
  }
  if (kept.length === 0) return [];
  onNotice({ kind: 'labels', detail: `labels that no longer hold are kept: ${kept.join('; ')}` });
  return [`labels that no longer hold: ${kept.join('; ')}`];
}

/** A refusal because a linked resource vanished meanwhile is no refusal of ours: the next try resolves anew. */
async function explain(
  { resolver }: FhirServer,
  failure: Failure,
  bundle: TransactionBundle,
  resolved: Resolved,
): Promise<Failure> {
  const linked = Object.values(resolved).some((literal) => literal !== null);
  if (failure.code !== 'fhir-refused' && failure.code !== 'fhir-not-found') return failure;
  if (!linked) return failure;
  const again = await resolver.resolve(keysOf(bundle));
  const changed = (Object.keys(resolved) as (keyof Resolved)[]).filter((key) => again[key] !== resolved[key]);
  if (changed.length === 0) return failure;
  return new Failure('fhir-conflict', {
    where: `reference to ${changed.join(', ')}`,
    expected: 'the resource that was found before the delivery',
    got: 'it is gone or another',
    cause: failure,
  });
}

function noteOf(
  stored: readonly StoredAt[],
  withdrawn: number,
  keys: ReturnType<typeof keysOf>,
  resolved: Resolved,
  warnings: readonly string[],
): string {
  const link = (key: unknown, literal: string | null) => (key === null ? 'none' : literal ? 'linked' : 'by identifier');
  return [
    ...stored.map(({ resourceType, id, version }) => `${resourceType}/${id}/_history/${version}`),
    `patient: ${link(keys.patient, resolved.patient)}`,
    `order: ${link(keys.accession, resolved.serviceRequest)}`,
    `imaging study: ${resolved.imagingStudy ? 'of the EHR' : 'ours'}`,
    ...(withdrawn > 0 ? [`observations withdrawn: ${withdrawn}`] : []),
    ...warnings,
  ].join('; ');
}
