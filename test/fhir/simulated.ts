import { afterEach } from '@jest/globals';
import type { Destination } from '../../src/core/ports.ts';
import type { FhirOptions } from '../../src/fhir/options.ts';
import { createFhirDestination, type FhirNotice } from '../../src/fhir/server.ts';
import { jsonAnswer } from '../simulators/exchange.ts';
import { type SimulatedFhir, type SimulatedFhirOptions, startSimulatedFhir } from '../simulators/fhir.ts';
import { transactionsUnsupported } from '../simulators/fhir-misbehaviours.ts';
import { lasting } from '../simulators/misbehaviour.ts';
import { isTransaction } from '../simulators/requests.ts';
import type { Script } from '../simulators/script.ts';
import { openHttp } from './support.ts';

/** A destination before the sandbox's store, which keeps versions and refuses writes against an old one. */

export interface SimulatedWorld {
  readonly store: SimulatedFhir;
  readonly fhir: Destination;
  /** The same of a gateway that has started anew: it holds nothing back because of what the server said before. */
  restarted(): Destination;
  readonly notices: readonly FhirNotice[];
  /** Waits between the tries, milliseconds; none is waited for. */
  readonly waits: readonly number[];
  /** `PUT Observation` of every write since the last call that was let through, in the order of arrival. */
  writes(): readonly string[];
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

export async function openSimulated(
  simulated: SimulatedFhirOptions = {},
  given: Partial<FhirOptions> = {},
): Promise<SimulatedWorld> {
  const store = await startSimulatedFhir(simulated);
  ends.push(() => store.close());
  const notices: FhirNotice[] = [];
  const waits: number[] = [];
  const options = { ids: 'auto', onAmbiguousPatient: 'identifier', ...given } as const;
  const patience = { sleep: async (delayMs: number) => waits.push(delayMs), random: () => 0.5 };
  const onNotice = (notice: FhirNotice) => void notices.push(notice);
  const restarted = () => {
    const http = openHttp(store.url);
    ends.unshift(() => http.close());
    return createFhirDestination({ http, root: store.url, options, now: () => 0, onNotice, ...patience });
  };
  let seen = 0;
  const writes = () => {
    const lines = store.requests.slice(seen);
    seen = store.requests.length;
    return lines
      .filter(({ method, misbehaviour }) => method !== 'GET' && misbehaviour === null)
      .map(({ method, shape }) => `${method} ${shape.match(/\/fhir\/?([A-Za-z]*)/)?.[1] || 'transaction'}`);
  };
  return { store, fhir: restarted(), restarted, notices, waits, writes };
}

/** A server that takes resources one by one alone. */
export const withoutTransactions: Script = (request) => (isTransaction(request) ? transactionsUnsupported : null);

/** A server that says of itself what the test wants. */
export const stating = (statement: object): Script => {
  const body = { resourceType: 'CapabilityStatement', ...statement };
  const misbehaviour = lasting('another CapabilityStatement', ({ send }) =>
    send(jsonAnswer(200, 'application/fhir+json', body)),
  );
  return ({ path }) => (path.endsWith('/metadata') ? misbehaviour : null);
};

/** Type and version of everything that stands. */
export const versionsIn = (store: SimulatedFhir): readonly string[] =>
  store.history().map((versions) => `${versions[0]!.resourceType} ${versions.length}`);
