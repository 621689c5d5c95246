import { CapabilityTool } from 'fhir-kit-client';
import { asFailure, Failure } from '../core/failure.ts';
import type { Artifact, Destination, Receipt, Resolved } from '../core/ports.ts';
import type { Http } from '../net/http.ts';
import { createFhirClient, type FhirClient } from './client.ts';
import type { FhirOptions } from './options.ts';
import { rewriteReferences } from './references.ts';
import { createFhirResolver, type Resolver } from './resolver.ts';
import { requireStored, standingReport, withdrawnEntries } from './standing.ts';
import {
  bindTransaction,
  keysOf,
  linkTransaction,
  parseTransaction,
  readResponse,
  reportOf,
  type StoredAt,
  toConditional,
} from './transaction.ts';
import type { BundleEntry, Provenance, Resource, TransactionBundle } from './types.ts';

/** The FHIR server as a place for reports. */

export interface FhirDestinationOptions {
  readonly http: Http;
  /** Base URL of the server. */
  readonly root: string;
  readonly options: Pick<FhirOptions, 'ids' | 'onAmbiguousPatient'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of a report that names its patient by identifier alone, because no single patient matches. */
  readonly onUnresolvedPatient?: () => void;
}

type Ids = Exclude<FhirOptions['ids'], 'auto'>;

interface Server {
  readonly root: string;
  readonly client: FhirClient;
  readonly resolver: Resolver;
  readonly ids: () => Promise<Ids>;
  readonly now: () => number;
  readonly onUnresolvedPatient: () => void;
}

/**
 * Delivers a report as one transaction and reads it back. The same bundle again changes no version. Raises `fhir-conflict`
 * (409, 412: try again), `fhir-refused` (400, 422, or a report that a person has taken over), `fhir-not-fhir`,
 * `fhir-unconfirmed`, `patient-ambiguous`, and what the HTTP client raises.
 */
export function createFhirDestination(given: FhirDestinationOptions): Destination {
  const { http, options, now, onUnresolvedPatient = () => {} } = given;
  const root = given.root.replace(/\/+$/, '');
  const client = createFhirClient(http, root);
  const resolver = createFhirResolver({ client, onAmbiguousPatient: options.onAmbiguousPatient });
  const server: Server = { root, client, resolver, ids: idsOf(client, options.ids), now, onUnresolvedPatient };
  return {
    name: 'fhir',
    kinds: ['fhir-bundle'],
    async deliver(artifacts) {
      const receipts: Receipt[] = [];
      for (const artifact of artifacts) receipts.push(await deliverReport(server, artifact));
      return receipts;
    },
  };
}

/** Asks the server once whether it takes our ids; a server that does not tell is taken to. */
function idsOf(client: FhirClient, option: FhirOptions['ids']): () => Promise<Ids> {
  let known: Ids | null = option === 'auto' ? null : option;
  return async () => {
    known ??= await detectIds(client);
    return known;
  };
}

async function detectIds(client: FhirClient): Promise<Ids> {
  const tool = new CapabilityTool(await client.capabilityStatement());
  const can = tool.capabilityContents({ resourceType: 'DiagnosticReport', capabilityType: 'updateCreate' });
  return can === false ? 'conditional' : 'client';
}

async function deliverReport(server: Server, artifact: Artifact): Promise<Receipt> {
  const recorded = parseTransaction(artifact.bytes);
  const report = reportOf(recorded);
  const ids = await server.ids();
  const standing = await standingReport(server.client, report, ids);
  const receipt = (note: string): Receipt => ({
    artifact: artifact.name,
    destination: 'fhir',
    storedAt: new Date(server.now()).toISOString(),
    note,
  });
  if (standing?.takenOver) return receipt(`DiagnosticReport/${standing.id} is ${standing.status} and was left alone`);

  const resolved = await server.resolver.resolve(keysOf(recorded));
  if (resolved.patient === null) server.onUnresolvedPatient();
  const bundle = bindTransaction(linkTransaction(recorded, resolved), server.root);
  const withdrawn = standing ? await withdrawnEntries(server.client, standing, bundle, server.root) : [];
  const stored = await store(server, bundle, withdrawn, resolved);
  await requireStored(server.client, reportOf(bundle), idOf(stored, 'DiagnosticReport'));
  return receipt(noteOf(stored, withdrawn.length, keysOf(recorded), resolved));
}

async function store(
  server: Server,
  bundle: TransactionBundle,
  withdrawn: readonly BundleEntry[],
  resolved: Resolved,
): Promise<readonly StoredAt[]> {
  try {
    return (await server.ids()) === 'client'
      ? await transact(server.client, { ...bundle, entry: [...bundle.entry, ...withdrawn] })
      : await storeConditionally(server.client, bundle, withdrawn);
  } catch (thrown) {
    throw await explain(server, asFailure(thrown), bundle, resolved);
  }
}

async function transact(client: FhirClient, bundle: TransactionBundle<Resource>): Promise<readonly StoredAt[]> {
  const headers = { prefer: 'return=minimal' };
  return readResponse(await client.transaction({ body: { ...bundle }, options: { headers } }), bundle);
}

/** Provenance has no identifier: it is found again by its report and its agent, once the server has named them. */
async function storeConditionally(
  client: FhirClient,
  bundle: TransactionBundle,
  withdrawn: readonly BundleEntry[],
): Promise<readonly StoredAt[]> {
  const conditional = toConditional(bundle);
  const entry = [...conditional.bundle.entry, ...withdrawn];
  const stored = await transact(client, { ...conditional.bundle, entry });
  const names = new Map(
    bundle.entry
      .filter(({ resource }) => resource !== conditional.provenance)
      .map(({ resource }, index) => [`${resource.resourceType}/${resource.id}`, nameOf(stored[index]!)] as const),
  );
  const { id: _, ...provenance } = renamed(conditional.provenance, names);
  const searchParams = {
    target: `DiagnosticReport/${idOf(stored, 'DiagnosticReport')}`,
    agent: provenance.agent[0]!.who.reference!,
  };
  await client.update({ resourceType: 'Provenance', searchParams, body: provenance });
  return stored;
}

const nameOf = ({ resourceType, id }: StoredAt): string => `${resourceType}/${id}`;

function renamed(provenance: Provenance, names: ReadonlyMap<string, string>): Provenance {
  return rewriteReferences(provenance, (reference) => {
    const name = reference.reference && names.get(reference.reference);
    return name ? { ...reference, reference: name } : reference;
  });
}

/** A refusal because a linked resource vanished meanwhile is no refusal of ours: the next try resolves anew. */
async function explain(
  { resolver }: Server,
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

function idOf(stored: readonly StoredAt[], resourceType: string): string {
  const found = stored.find((entry) => entry.resourceType === resourceType);
  if (!found) throw new Failure('internal', { where: 'stored transaction', expected: resourceType, got: 'none' });
  return found.id;
}

function noteOf(
  stored: readonly StoredAt[],
  withdrawn: number,
  keys: ReturnType<typeof keysOf>,
  resolved: Resolved,
): string {
  const link = (key: unknown, literal: string | null) => (key === null ? 'none' : literal ? 'linked' : 'by identifier');
  return [
    ...stored.map((entry) => `${nameOf(entry)}/_history/${entry.version}`),
    `patient: ${link(keys.patient, resolved.patient)}`,
    `order: ${link(keys.accession, resolved.serviceRequest)}`,
    `imaging study: ${resolved.imagingStudy ? 'of the EHR' : 'ours'}`,
    ...(withdrawn > 0 ? [`observations withdrawn: ${withdrawn}`] : []),
  ].join('; ');
}
