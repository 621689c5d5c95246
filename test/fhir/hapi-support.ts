import { Failure } from '../../src/core/failure.ts';
import type { Reading } from '../../src/core/reading.ts';
import type { FhirOptions, ReportOptions } from '../../src/fhir/options.ts';
import { createFhirDestination } from '../../src/fhir/server.ts';
import type { Http } from '../../src/net/http.ts';
import { bundleArtifact } from './support.ts';

/** What an EHR would do with a FHIR server, by plain fetch: the tests look with other eyes than the gateway's. */

export interface Found {
  readonly resourceType: string;
  readonly id: string;
  readonly meta?: { readonly versionId?: string };
  readonly [element: string]: unknown;
}

const headers = {
  accept: 'application/fhir+json',
  'content-type': 'application/fhir+json',
  'cache-control': 'no-cache',
};

async function ask(url: string, method: string, body?: object): Promise<Found> {
  const response = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const answer = (await response.json()) as Found;
  if (!response.ok) throw new Error(`${method}: status ${response.status}: ${JSON.stringify(answer).slice(0, 2000)}`);
  return answer;
}

export const put = (root: string, resource: Found): Promise<Found> =>
  ask(`${root}/${resource.resourceType}/${resource.id}`, 'PUT', resource);

export async function putAll(root: string, resources: readonly Found[]): Promise<void> {
  const entry = resources.map((resource) => {
    const url = `${resource.resourceType}/${resource.id}`;
    return { fullUrl: `${root}/${url}`, resource, request: { method: 'PUT', url } };
  });
  await ask(root, 'POST', { resourceType: 'Bundle', type: 'transaction', entry });
}

export const get = (root: string, path: string): Promise<Found> => ask(`${root}/${path}`, 'GET');

export async function remove(root: string, path: string): Promise<void> {
  await ask(`${root}/${path}`, 'DELETE');
}

export async function search(root: string, query: string): Promise<readonly Found[]> {
  const { entry = [] } = (await get(root, query)) as { readonly entry?: readonly { readonly resource: Found }[] };
  return entry.map(({ resource }) => resource);
}

interface Issue {
  readonly severity: string;
  readonly diagnostics?: string;
}

/** Errors of the server's own validator for one stored resource. */
export async function errorsOf(root: string, resource: Found): Promise<readonly string[]> {
  const outcome = await ask(`${root}/${resource.resourceType}/$validate`, 'POST', resource);
  const issues = (outcome['issue'] ?? []) as readonly Issue[];
  return issues
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map(({ diagnostics = '' }) => `${resource.resourceType}: ${diagnostics}`);
}

const types = ['Device', 'Endpoint', 'ImagingStudy', 'Observation', 'DiagnosticReport', 'Provenance'];

/** Everything of ours that the server holds. */
export async function results(root: string): Promise<readonly Found[]> {
  return (await Promise.all(types.map((type) => search(root, `${type}?_count=100`)))).flat();
}

export async function versions(root: string): Promise<Readonly<Record<string, string | undefined>>> {
  const found = await results(root);
  return Object.fromEntries(found.map(({ resourceType, id, meta }) => [`${resourceType}/${id}`, meta?.versionId]));
}

export interface Delivery {
  readonly report?: Partial<ReportOptions>;
  readonly ids?: FhirOptions['ids'];
  readonly http?: Http;
}

/** Delivers a reading; gives the note of the receipt. */
export async function deliver(
  root: string,
  http: Http,
  reading: Reading,
  { report = {}, ids = 'auto' }: Delivery = {},
): Promise<string> {
  const options = { ids, onAmbiguousPatient: 'identifier' } as const;
  const destination = createFhirDestination({ http, root, options, now: Date.now });
  const [receipt] = await destination.deliver([bundleArtifact(reading, report)]);
  return receipt?.note ?? '';
}

export async function refusal(delivery: Promise<unknown>): Promise<Failure> {
  const thrown: unknown = await delivery.then(
    () => new Error('the delivery succeeded'),
    (error: unknown) => error,
  );
  if (thrown instanceof Failure) return thrown;
  throw thrown;
}
