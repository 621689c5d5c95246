import { asFailure, type Failure } from '../core/failure.ts';
import type { Abilities, KnownAbilities } from './abilities.ts';
import { renaming } from './already-there.ts';
import type { FhirClient } from './client.ts';
import type { Patience } from './conflicts.ts';
import type { FhirOptions } from './options.ts';
import { isUnsupported } from './outcome.ts';
import { rewriteReferences } from './references.ts';
import type { Resolver } from './resolver.ts';
import { bears } from './search.ts';
import { putInSequence, storeInSequence, storeOne } from './sequence.ts';
import type { Standing } from './standing.ts';
import {
  type Known,
  localName,
  observationsIn,
  ownIdentifier,
  readResponse,
  reportOf,
  type StoredAt,
  toConditional,
} from './transaction.ts';
import type { BundleEntry, Resource, TransactionBundle } from './types.ts';

/** How a report gets into a server: as one transaction where the server knows them, else one by one. */

/** What somebody should know although the delivery went well. `detail` names elements and counts, never a value. */
export interface FhirNotice {
  readonly kind: 'duplicates' | 'altered' | 'labels' | 'ids' | 'sequence';
  readonly detail: string;
}

export interface FhirServer extends Patience {
  readonly root: string;
  readonly client: FhirClient;
  readonly resolver: Resolver;
  readonly abilities: KnownAbilities;
  readonly transactions: FhirOptions['transactions'];
  readonly now: () => number;
  readonly onUnresolvedPatient: () => void;
  readonly onNotice: (notice: FhirNotice) => void;
}

export interface Plan {
  readonly bundle: TransactionBundle;
  readonly withdrawn: readonly BundleEntry[];
  readonly standing: Standing | null;
  readonly ids: Abilities['ids'];
}

/** What was stored where; `explain` may find another reason behind a refusal. */
export async function store(
  server: FhirServer,
  plan: Plan,
  explain: (failure: Failure) => Promise<Failure>,
): Promise<readonly StoredAt[]> {
  const { bundle, withdrawn, ids } = plan;
  return orInSequence(
    server,
    () =>
      ids === 'client' ? transact(server.client, withEntries(bundle, withdrawn)) : storeConditionally(server, plan),
    () => storeInSequence(server.client, bundle, withdrawn, ids),
    explain,
  );
}

/** Updates of what stands: all of them, or in the given order. */
export async function update(server: FhirServer, entry: readonly BundleEntry[]): Promise<void> {
  await orInSequence<unknown>(
    server,
    () => transact(server.client, { resourceType: 'Bundle', type: 'transaction', entry }),
    () => putInSequence(server.client, entry),
    async (failure) => failure,
  );
}

/** A server that shows that it knows no transactions is not asked for one again. */
async function orInSequence<T>(
  { abilities, transactions, onNotice }: FhirServer,
  whole: () => Promise<T>,
  inSequence: () => Promise<T>,
  explain: (failure: Failure) => Promise<Failure>,
): Promise<T> {
  const explained = async (thrown: unknown): Promise<never> => {
    throw await explain(asFailure(thrown));
  };
  if ((await abilities.ask()).writes === 'sequence') return inSequence().catch(explained);
  try {
    return await whole();
  } catch (thrown) {
    const failure = await explain(asFailure(thrown));
    // What is refused after the transaction is no sign that it was not understood.
    const refused = isUnsupported(failure) && failure.detail.where?.startsWith('POST transaction');
    if (transactions === 'always' || !refused) throw failure;
  }
  const stored = await inSequence().catch(explained);
  abilities.learn({ writes: 'sequence' });
  onNotice({ kind: 'sequence', detail: 'the server refuses transactions: resources are written one by one' });
  return stored;
}

const withEntries = (
  bundle: TransactionBundle<Resource>,
  more: readonly BundleEntry[],
): TransactionBundle<Resource> => ({
  ...bundle,
  entry: [...bundle.entry, ...more],
});

async function transact(client: FhirClient, bundle: TransactionBundle<Resource>): Promise<readonly StoredAt[]> {
  const headers = { prefer: 'return=minimal' };
  return readResponse(await client.transaction({ body: { ...bundle }, options: { headers } }), bundle);
}

/** Provenance has no identifier: it is found again by its report and its agent, once the server has named them. */
async function storeConditionally(
  { client }: FhirServer,
  { bundle, withdrawn, standing }: Plan,
): Promise<readonly StoredAt[]> {
  const conditional = toConditional(bundle, knownOf(bundle, standing));
  const stored = await transact(client, withEntries(conditional.bundle, withdrawn));
  const names = namesOf(bundle, stored);
  await storeOne(client, rewriteReferences(conditional.provenance, renaming(names)), 'conditional');
  return stored;
}

function knownOf(bundle: TransactionBundle, standing: Standing | null): ReadonlyMap<string, Known> {
  if (!standing) return new Map();
  const known = ({ id, meta }: Resource): Known => ({ id: id!, version: meta?.versionId ?? null });
  const observations = observationsIn(bundle).flatMap((sent) => {
    const found = standing.observations.find((stored) => bears(stored, ownIdentifier(sent)));
    return found ? [[localName(sent), known(found)] as const] : [];
  });
  return new Map([[localName(reportOf(bundle)), known(standing.report)], ...observations]);
}

/** What the server calls the resources of the bundle, by our `Type/id`; both lists are in one order, type by type. */
export function namesOf({ entry }: TransactionBundle, stored: readonly StoredAt[]): ReadonlyMap<string, string> {
  const left = [...stored];
  const pairs = entry.flatMap(({ resource }): [string, string][] => {
    const index = left.findIndex(({ resourceType }) => resourceType === resource.resourceType);
    const [at] = index < 0 ? [] : left.splice(index, 1);
    return at ? [[localName(resource), `${at.resourceType}/${at.id}`]] : [];
  });
  return new Map(pairs);
}
