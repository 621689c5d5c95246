import { Client, type FhirResource } from 'fhir-kit-client';
import { Failure } from '../core/failure.ts';
import type { Http, HttpRequest } from '../net/http.ts';
import { judgedStatuses, outcomeFailure } from './outcome.ts';
import type { Resource } from './types.ts';

/**
 * fhir-kit-client over the gateway's own HTTP. The package builds paths, queries and headers; its transport is replaced at
 * its one seam, `httpClient.request`, through which every method goes. Left to itself it has no deadline and no size limit,
 * takes an empty 200 for `{}`, and puts whole URLs into its errors. `resolve()` is never called: it takes the bearer token
 * to any origin that begins like ours.
 */
export type FhirClient = Pick<Client, 'capabilityStatement' | 'read' | 'resourceSearch' | 'transaction' | 'update'>;

/** `root`: base URL of the server. Every method raises a Failure; `fhir-not-found` for 404 and 410. */
export function createFhirClient(http: Http, root: string): FhirClient {
  const client = new Client({ baseUrl: root });
  const { httpClient } = client;
  httpClient.request = async (method, path, options, body) => {
    // A transaction is posted to the base, which the package writes as `/`.
    const url = httpClient.expandUrl(path).replace(/\/$/, '');
    return send(http, requestOf(method, url, options?.headers, body), whereOf(method, path));
  };
  return client;
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

/** Method and type of the resource: an id or a query might name a patient. */
function whereOf(method: string, path: string): string {
  const type = path.match(/^\/?([A-Za-z]*)/)?.[1];
  return `${method} ${type ? type : 'transaction'} at the FHIR server`;
}

async function send(http: Http, request: HttpRequest, where: string): Promise<FhirResource> {
  const response = await http.request(request);
  const body = parse(await response.bytes());
  if (judgedStatuses.includes(response.status)) throw outcomeFailure(response.status, body, where);
  if (!isResource(body)) {
    const type = response.headers.get('content-type')?.match(/^[\w.+/-]{1,64}/)?.[0] ?? 'no content type';
    throw new Failure('fhir-not-fhir', { where, expected: 'a FHIR resource as JSON', got: `other content (${type})` });
  }
  return body;
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
