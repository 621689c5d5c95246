import { Failure } from '../core/failure.ts';
import { markup } from '../core/markup.ts';
import type { Artifact, Receipt, Retraction } from '../core/ports.ts';
import type { Abilities } from './abilities.ts';
import { type FhirClient, readOrNull } from './client.ts';
import { fhirConcept, systems } from './coding.ts';
import { receiptOf } from './delivery.ts';
import { bears, type Foreign, findOne } from './search.ts';
import { byTarget, storeOne } from './sequence.ts';
import { lookAt, refused, type Standing, statusOf, statusReason } from './standing.ts';
import { observationsIn, ownIdentifier, parseTransaction, provenanceOf, putEntry } from './transaction.ts';
import type { BundleEntry, Provenance, Reference, Resource, TransactionBundle } from './types.ts';
import { type FhirServer, update } from './write.ts';

/**
 * Takes results of ours back (fault 48): report and Observations become `entered-in-error`, with the reason in the standard
 * extension event-statusReason (R4 leaves DiagnosticReport without a statusReason) and in a Provenance of the nullification.
 * Nothing is deleted. What a person has taken over is theirs and is refused.
 */

export async function retractOnce(server: FhirServer, artifact: Artifact, retraction: Retraction): Promise<Receipt> {
  const bundle = parseTransaction(artifact.bytes);
  const { client, root } = server;
  const abilities = await server.abilities.ask();
  const standing = await lookAt(client, bundle, abilities.ids);
  const ids = standing?.ids ?? abilities.ids;
  const found = [...(standing ? [standing.report] : []), ...(await ownObservations(client, bundle, standing, ids))];
  const receipt = receiptOf(server, artifact);
  if (found.length === 0) return receipt('nothing of ours stands: nothing to retract');
  requireUntouched(found);
  const entries = found
    .filter((resource) => !isStruck(resource))
    .map((resource) => struckEntry(resource, retraction, root));
  const provenance = await nullification(client, bundle, found, retraction, ids);
  const noted = provenance === null || (entries.length === 0 && !isRetractedByUs(found));
  if (entries.length === 0 && (noted || (await isRecorded(client, provenance, ids))))
    return receipt('already retracted');
  // The report goes first: if this breaks off, it is not the report that still stands.
  const whole = noted || ids === 'conditional' ? entries : [...entries, putEntry(provenance, root)];
  if (whole.length > 0) await update(server, whole);
  if (!noted && ids === 'conditional') await storeOne(client, provenance, ids);
  await requireStruck(client, found);
  const names = found.map(({ resourceType, id }) => `${resourceType}/${id}`);
  return receipt(`entered-in-error: ${names.join('; ')}`);
}

const isStruck = (resource: Foreign): boolean => statusOf(resource) === 'entered-in-error';

const isRetractedByUs = (found: readonly Foreign[]): boolean =>
  found.some(({ extension }) => extension?.some(({ url }) => url === statusReason));

function requireUntouched(found: readonly Foreign[]): void {
  const taken = found.find((resource) => !['preliminary', 'entered-in-error'].includes(statusOf(resource)));
  if (taken) throw refused(`${taken.resourceType}.status before the retraction`, 'preliminary', statusOf(taken));
}

/** Those of the report, and those that a delivery left which never came to its report. */
async function ownObservations(
  client: FhirClient,
  bundle: TransactionBundle,
  standing: Standing | null,
  ids: Abilities['ids'],
): Promise<readonly Foreign[]> {
  const found = [...(standing?.observations ?? [])];
  for (const sent of observationsIn(bundle)) {
    const own = ownIdentifier(sent);
    if (found.some((observation) => bears(observation, own))) continue;
    const match =
      ids === 'client' ? await readOrNull(client, 'Observation', sent.id) : await findOne(client, 'Observation', own);
    if (match !== null && typeof match === 'object' && bears(match as Foreign, own)) found.push(match as Foreign);
  }
  return found;
}

function struckEntry(resource: Foreign, { reason }: Retraction, root: string): BundleEntry {
  const {
    versionId = null,
    lastUpdated: _,
    source: __,
    ...meta
  } = (resource.meta ?? {}) as Readonly<Record<string, string>>;
  const others = (resource.extension ?? []).filter(({ url }) => url !== statusReason);
  const struck = {
    ...resource,
    ...(Object.keys(meta).length > 0 ? { meta } : {}),
    status: 'entered-in-error',
    extension: [...others, { url: statusReason, valueCodeableConcept: { text: reason } }],
    ...(resource.text ? { text: struckText(resource.text, reason) } : {}),
  };
  return putEntry(struck as Resource & { readonly id: string }, root, versionId);
}

/** The narrative must not say less than the status (R4 2.4.0.1): it begins with it. */
function struckText(text: NonNullable<Foreign['text']>, reason: string): NonNullable<Foreign['text']> {
  const begin = text.div.match(/^<div[^>]*>/)?.[0] ?? '';
  const notice = markup`<p><b>Entered in error: this result has been taken back.</b> ${reason}</p>`;
  return begin === '' ? text : { ...text, div: `${begin}${notice.text}${text.div.slice(begin.length)}` };
}

/** Null when the server knows no device of ours any more, which must be its agent. */
async function nullification(
  client: FhirClient,
  bundle: TransactionBundle,
  found: readonly Foreign[],
  { reason, at }: Retraction,
  ids: Abilities['ids'],
): Promise<Provenance | null> {
  const { id, agent, meta } = provenanceOf(bundle);
  const who = await assembler(client, bundle, agent.at(-1)!.who, ids);
  if (!who) return null;
  return {
    resourceType: 'Provenance',
    id: `${id}-retracted`,
    meta,
    target: found.map((resource) => ({ reference: `${resource.resourceType}/${resource.id}` })),
    occurredDateTime: at,
    recorded: at,
    reason: [{ text: reason }],
    activity: fhirConcept(systems.dataOperation, 'NULLIFY', 'nullify'),
    agent: [{ type: fhirConcept(systems.participant, 'assembler', 'Assembler'), who }],
  };
}

/** The gateway's own Device, by the name that the server has for it. */
async function assembler(
  client: FhirClient,
  { entry }: TransactionBundle,
  who: Reference,
  ids: Abilities['ids'],
): Promise<Reference | null> {
  const device = entry.map(({ resource }) => resource).find(({ id }) => who.reference === `Device/${id}`);
  if (device?.resourceType !== 'Device') return null;
  const match =
    ids === 'client'
      ? await readOrNull(client, 'Device', device.id)
      : await findOne(client, 'Device', ownIdentifier(device));
  return match !== null && typeof match === 'object' ? { reference: `Device/${match.id}` } : null;
}

async function isRecorded(client: FhirClient, sent: Provenance, ids: Abilities['ids']): Promise<boolean> {
  return (ids === 'client' ? await readOrNull(client, 'Provenance', sent.id) : await byTarget(client, sent)) !== null;
}

async function requireStruck(client: FhirClient, found: readonly Foreign[]): Promise<void> {
  for (const { resourceType, id } of found) {
    const stored = (await readOrNull(client, resourceType, id)) as Foreign | null;
    if (stored && isStruck(stored)) continue;
    const where = `${resourceType}.status read back`;
    throw new Failure('fhir-unconfirmed', {
      where,
      expected: 'entered-in-error',
      got: stored ? statusOf(stored) : 'none',
    });
  }
}
