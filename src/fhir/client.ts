import { Client, type FhirResource } from 'fhir-kit-client';
import { asFailure, Failure } from '../core/failure.ts';
import type { Http, HttpRequest, HttpResponse } from '../net/http.ts';
import { judgedStatuses, outcomeFailure } from './outcome.ts';
import type { Resource } from './types.ts';

/**
 * fhir-kit-client over the gateway's own HTTP. The package builds paths, queries and headers; its transport is replaced at
 * its one seam, `httpClient.request`, through which every method goes. Left to itself it has no deadline and no size limit,
 * takes an empty 200 for `{}`, and puts whole URLs into its errors. `resolve()` is never called: it takes the bearer token
 * to any origin that begins like ours.
 */
export type FhirClient = Pick<
  Client,
  'capabilityStatement' | 'create' | 'operation' | 'read' | 'resourceSearch' | 'transaction' | 'update'
>;

/** `root`: base URL of the server. Every method raises a Failure; `fhir-not-found` for 404 and 410. */
export function createFhirClient(http: Http, root: string): FhirClient {
  const client = new Client({ baseUrl: root });
  const { httpClient } = client;
  httpClient.request = async (method, path, options, body) => {
    // A transaction is posted to the base, which the package writes as `/`.
    const url = httpClient.expandUrl(path).replace(/\/$/, '');
    return send(http, requestOf(method, url, options?.headers, body), method, path);
  };
  return client;
}

/** The resource, or null when the server has none under this id. */
export async function readOrNull(client: FhirClient, resourceType: string, id: string): Promise<Resource | null> {
  try {
    return await client.read({ resourceType, id });
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === 'fhir-not-found') return null;
    throw failure;
  }
}

function requestOf(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> | undefined,
  body: unknown,
): HttpRequest {
  if (method !== 'GET' && method !== 'PUT' && method !== 'POST') {
    throw new Failure('internal', { where: 'FHIR request', expected: 'GET, PUT or POST', got: method });
  }
  const fresh = method === 'GET' ? { 'cache-control': 'no-cache' } : {};
  return {
    method,
    url,
    headers: { accept: 'application/fhir+json', ...fresh, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    expectStatus: judgedStatuses,
  };
}

const typeOf = (path: string): string => path.match(/^\/?([A-Za-z]*)/)?.[1] ?? '';

async function send(http: Http, request: HttpRequest, method: string, path: string): Promise<FhirResource> {
  const type = typeOf(path);
  // Method and type of the resource: an id or a query might name a patient.
  const where = `${method} ${type ? type : 'transaction'} at the FHIR server`;
  const response = await http.request(request);
  const bytes = await response.bytes();
  const body = parse(bytes);
  if (judgedStatuses.includes(response.status)) throw outcomeFailure(response.status, body, where);
  const outcome = isResource(body) && body.resourceType === 'OperationOutcome';
  const isWrite = method !== 'GET' && type !== '' && !path.includes('$');
  if (isWrite && (bytes.length === 0 || outcome)) return minimal(response, type, where);
  if (!isResource(body)) {
    const content = response.headers.get('content-type')?.match(/^[\w.+/-]{1,64}/)?.[0] ?? 'no content type';
    throw new Failure('fhir-not-fhir', {
      where,
      expected: 'a FHIR resource as JSON',
      got: `other content (${content})`,
    });
  }
  return body;
}

/** `Prefer: return=minimal` leaves the address alone to say what was stored (R4 3.1.0.1.5); without it nothing does. */
function minimal({ headers }: HttpResponse, type: string, where: string): FhirResource {
  const address = headers.get('location') ?? headers.get('content-location') ?? '';
  const named = locationOf(address);
  if (named?.resourceType !== type) {
    throw new Failure('fhir-not-fhir', { where, expected: `the location of the stored ${type}`, got: 'none' });
  }
  const versionId = named.version ?? tagOf(headers.get('etag'));
  return { resourceType: type, id: named.id, ...(versionId === null ? {} : { meta: { versionId } }) };
}

/** What an address says that it is of, absolute or relative, with or without a version; null when it is not of a resource. */
export function locationOf(address: string) {
  const match = address.match(/(?:^|\/)([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/);
  return match ? { resourceType: match[1]!, id: match[2]!, version: match[3] ?? null } : null;
}

/** The version in an ETag; HAPI writes it bare within a bundle. */
export function tagOf(etag: unknown): string | null {
  return typeof etag === 'string' ? (etag.match(/^(?:W\/)?"?([A-Za-z0-9\-.]{1,64})"?$/)?.[1] ?? null) : null;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

function isResource(value: unknown): value is FhirResource {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Resource>).resourceType === 'string';
}
