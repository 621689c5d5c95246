import { afterEach } from '@jest/globals';
import type { Request } from 'express';
import type { Artifact, Destination } from '../../src/core/ports.ts';
import type { FhirOptions } from '../../src/fhir/options.ts';
import { createFhirDestination } from '../../src/fhir/server.ts';
import type { SimulatedFhirOptions } from '../simulators/fhir.ts';
import { lasting } from '../simulators/misbehaviour.ts';
import { openSimulated, type SimulatedWorld } from './simulated.ts';
import { bundleArtifact, openHttp } from './support.ts';

/** A simulated FHIR server whose answer to any request a test may put in its place. */

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, or a resource. */
  readonly body?: string | object;
}

export interface Bench extends SimulatedWorld {
  /** In the server's place, or null; a test changes it. */
  answer: (request: Request) => Answer | null;
  /** `PUT Device` of every write that arrived, answered or not, since the last call; `POST` alone is a transaction. */
  arrived(): readonly string[];
  /** The destination of a gateway that has started again: what it knew of the server is gone, its client leaves nobody alone. */
  restarted(): Destination;
  /** `Type/id` → version of everything that stands. */
  versions(): Readonly<Record<string, string>>;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

export async function startBench(
  simulated: Omit<SimulatedFhirOptions, 'script'> = {},
  options: Partial<FhirOptions> = {},
): Promise<Bench> {
  const arrived: string[] = [];
  const bench: Pick<Bench, 'answer'> = { answer: () => null };
  const script = (request: Request) => {
    if (request.method !== 'GET') arrived.push(`${request.method} ${request.path.split('/')[2] ?? ''}`.trim());
    const answer = bench.answer(request);
    return answer && lasting('answered by the test', ({ send }) => send(sent(answer)));
  };
  const world = await openSimulated({ ...simulated, script }, options);
  return Object.assign(bench, world, {
    arrived: () => arrived.splice(0),
    restarted() {
      const http = openHttp(world.store.url);
      ends.push(() => http.close());
      const all = { ids: 'auto', onAmbiguousPatient: 'identifier', ...options } as const;
      return createFhirDestination({ http, root: world.store.url, options: all, now: () => 0 });
    },
    versions: () => Object.fromEntries(world.store.history().map((all) => [nameOf(all[0]!), String(all.length)])),
  });
}

const nameOf = ({ resourceType, id }: { readonly resourceType: string; readonly id: string }) =>
  `${resourceType}/${id}`;

function sent({ status, headers = {}, body = '' }: Answer) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return { status, headers: { 'content-type': 'application/fhir+json', ...headers }, body: bytes };
}

/** The note of the receipt. */
export async function noteOf(fhir: Destination, artifact: Artifact = bundleArtifact()): Promise<string> {
  const [receipt] = await fhir.deliver([artifact]);
  return receipt?.note ?? '';
}
