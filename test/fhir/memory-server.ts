import type { IncomingHttpHeaders } from 'node:http';
import { afterEach } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import type { Artifact, Destination } from '../../src/core/ports.ts';
import type { FhirOptions } from '../../src/fhir/options.ts';
import { createFhirDestination } from '../../src/fhir/server.ts';
import { type Answer, bundleArtifact, type FakeServer, openHttp, startFake } from './support.ts';

/**
 * A FHIR server in a few lines for what a real one will not do on demand: transactions of PUTs, reads, and searches that
 * answer what the test planted. `refuse` speaks first.
 */

interface Stored {
  readonly resourceType: string;
  readonly id: string;
  readonly [element: string]: unknown;
}

export interface MemoryServer extends FakeServer {
  /** By `Type/id`. */
  readonly stored: Map<string, Stored>;
  /** Answers of searches by resource type, whatever they ask for. */
  readonly found: Record<string, readonly object[]>;
}

export type Refuse = (method: string, url: URL, headers: IncomingHttpHeaders) => Answer | null;

const json = (status: number, body: object): Answer => ({ status, body: JSON.stringify(body) });

export async function startMemoryServer(refuse: Refuse = () => null): Promise<MemoryServer> {
  const stored = new Map<string, Stored>();
  const found: Record<string, readonly object[]> = {};
  const fake = await startFake((method, url, body, { headers }) => {
    const path = url.pathname.replace(/^\/fhir\/?/, '');
    const refused = refuse(method, url, headers);
    if (refused) return refused;
    if (path === 'metadata') return json(200, capability);
    if (method === 'POST' && path === '') return transact(stored, body);
    if (path.includes('/')) return read(stored, path);
    const entry = (found[path] ?? []).map((resource) => ({ resource, search: { mode: 'match' } }));
    return json(200, { resourceType: 'Bundle', type: 'searchset', entry });
  });
  return { ...fake, stored, found };
}

const capability = {
  resourceType: 'CapabilityStatement',
  rest: [{ mode: 'server', resource: [{ type: 'DiagnosticReport', updateCreate: true }] }],
};

function read(stored: ReadonlyMap<string, Stored>, path: string): Answer {
  const resource = stored.get(path);
  return resource ? json(200, resource) : json(404, { resourceType: 'OperationOutcome', issue: [] });
}

function transact(stored: Map<string, Stored>, body: string): Answer {
  const { entry } = JSON.parse(body) as { entry: { resource: Stored; request: { url: string } }[] };
  const answers = entry.map(({ resource, request }) => {
    const before = stored.get(request.url);
    stored.set(request.url, resource);
    return {
      response: { status: before ? '200 OK' : '201 Created', location: `${request.url}/_history/1`, etag: '1' },
    };
  });
  return json(200, { resourceType: 'Bundle', type: 'transaction-response', entry: answers });
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A destination on a fresh memory server; both end with the test. */
export async function startDestination(
  refuse?: Refuse,
  options: Partial<Pick<FhirOptions, 'ids' | 'onAmbiguousPatient'>> = {},
): Promise<{ readonly server: MemoryServer; readonly fhir: Destination }> {
  const server = await startMemoryServer(refuse);
  const http = openHttp(server.root);
  ends.push(
    () => http.close(),
    () => server.close(),
  );
  const all = { ids: 'auto', onAmbiguousPatient: 'identifier', ...options } as const;
  return { server, fhir: createFhirDestination({ http, root: server.root, options: all, now: () => 0 }) };
}

/** The failure of a delivery; a delivery that succeeds fails the test. */
export async function failureOf(fhir: Destination, artifact: Artifact = bundleArtifact()): Promise<Failure> {
  try {
    await fhir.deliver([artifact]);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error('the delivery succeeded');
}
