import type { Artifact, Destination, Receipt } from '../core/ports.ts';
import type { Http } from '../net/http.ts';
import { createAbilities } from './abilities.ts';
import { createFhirClient } from './client.ts';
import { againOnConflict, type Patience, patience } from './conflicts.ts';
import { deliverOnce, settleDuplicates } from './delivery.ts';
import type { FhirOptions } from './options.ts';
import { createFhirResolver } from './resolver.ts';
import { retractOnce } from './retraction.ts';
import { parseTransaction } from './transaction.ts';
import type { FhirNotice, FhirServer } from './write.ts';

/** The FHIR server as a place for reports. */

export type { FhirNotice };

export interface FhirDestinationOptions extends Partial<Patience> {
  readonly http: Http;
  /** Base URL of the server. */
  readonly root: string;
  readonly options: Pick<FhirOptions, 'ids' | 'onAmbiguousPatient'> & Partial<Pick<FhirOptions, 'transactions'>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of a report that names its patient by identifier alone, because no single patient matches. */
  readonly onUnresolvedPatient?: () => void;
  /** Told of what a server did that somebody should look at. */
  readonly onNotice?: (notice: FhirNotice) => void;
}

/**
 * Delivers a report and reads it back. What stands already is not written again. Raises `fhir-conflict` (409, 412: after five
 * tries), `fhir-refused` (400, 422, or a report that a person has taken over), `fhir-version`, `fhir-not-fhir`,
 * `fhir-unconfirmed`, `patient-ambiguous`, and what the HTTP client raises.
 */
export function createFhirDestination(given: FhirDestinationOptions): Destination {
  const server = serverOf(given);
  return {
    name: 'fhir',
    kinds: ['fhir-bundle'],
    deliver: (artifacts) => forEach(server, artifacts, (artifact) => deliverOnce(server, artifact)),
    retract: (artifacts, retraction) =>
      forEach(server, artifacts, (artifact) => retractOnce(server, artifact, retraction)),
  };
}

function serverOf(given: FhirDestinationOptions): FhirServer {
  const { http, options, now, onUnresolvedPatient = () => {}, onNotice = () => {} } = given;
  const { sleep, random } = { ...patience, ...given };
  const root = given.root.replace(/\/+$/, '');
  const client = createFhirClient(http, root);
  const transactions = options.transactions ?? 'auto';
  return {
    ...{ root, client, transactions, now, sleep, random, onUnresolvedPatient, onNotice },
    resolver: createFhirResolver({ client, onAmbiguousPatient: options.onAmbiguousPatient }),
    abilities: createAbilities(client, { ids: options.ids, transactions }),
  };
}

async function forEach(
  server: FhirServer,
  artifacts: readonly Artifact[],
  act: (artifact: Artifact) => Promise<Receipt>,
): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = [];
  for (const artifact of artifacts) {
    // Also where ids are ours: a server may have given its own, and then two of a resource are a conflict for ever.
    const settle = async () => void (await settleDuplicates(server, parseTransaction(artifact.bytes)));
    receipts.push(await againOnConflict(() => act(artifact), settle, server));
  }
  return receipts;
}
