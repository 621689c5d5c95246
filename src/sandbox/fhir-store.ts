import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { capabilityStatement } from './fhir-capability.ts';
import { pagePolicy, presentedHtml, reportPage } from './fhir-page.ts';
import { outcomeOf, Refusal } from './fhir-refusal.ts';
import { included, search, searchParameters } from './fhir-search.ts';
import {
  createTables,
  keyOf,
  latest,
  type Resource,
  type Stored,
  type WritableTables,
  type Written,
} from './fhir-tables.ts';
import { type Entry, type Rules, runTransaction } from './fhir-transaction.ts';
import { listen } from './listen.ts';

/**
 * A small FHIR R4 store in memory that answers a writer as HAPI does: client ids, versions, transactions, conditional
 * updates, referential integrity. It does not validate content. On loopback only.
 */

export interface FhirStoreOptions {
  /** A free one when absent. */
  readonly port?: number;
  /** Stands before every handler; may answer in the store's place, delay, or cut the connection. */
  readonly before?: RequestHandler;
  /** Resources that are there from the start, in an order in which references find their targets. */
  readonly seed?: readonly Resource[];
  /** Whether PUT creates under the client's id (true); false plays a server that allows conditional updates only. */
  readonly clientIds?: boolean;
  /** Clock, milliseconds since 1970. */
  readonly now?: () => number;
}

export interface RunningFhirStore {
  /** FHIR base, no slash at the end. */
  readonly url: string;
  /** The page of a report for a person. */
  reportUrl(diagnosticReportId: string): string;
  /** The current version of every resource of a type, in the order of creation. */
  resources(type: string): readonly Stored[];
  /** Every resource with all its versions, oldest first, in the order of creation. */
  history(): readonly (readonly Stored[])[];
  close(): Promise<void>;
}

const fhirJson = 'application/fhir+json';
const basePath = '/fhir';
const maxBodyBytes = 64 * 1024 * 1024;

interface State {
  readonly tables: WritableTables;
  readonly clientIds: boolean;
  readonly now: () => number;
}

export async function startFhirStore(options: FhirStoreOptions = {}): Promise<RunningFhirStore> {
  const state: State = { tables: createTables(), clientIds: options.clientIds ?? true, now: options.now ?? Date.now };
  seed(state, options.seed ?? []);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  if (options.before) app.use(options.before);
  addRoutes(app, state);
  const { origin, close } = await listen(app, options.port ?? 0);
  return {
    url: `${origin}${basePath}`,
    reportUrl: (id) => `${origin}/report/${id}`,
    resources: (type) => state.tables.ofType(type),
    history: () => state.tables.all(),
    close,
  };
}

function seed(state: State, resources: readonly Resource[]): void {
  const entries = resources.map((resource): Entry => {
    const { resourceType, id } = resource;
    return {
      resource,
      request:
        id === undefined ? { method: 'POST', url: resourceType } : { method: 'PUT', url: keyOf(resourceType, id) },
    };
  });
  const rules = { base: basePath, now: new Date(state.now()).toISOString(), clientIds: true };
  runTransaction(entries, state.tables, rules);
}

function addRoutes(app: Express, state: State): void {
  const type = `${basePath}/:type`;
  app.get(`${basePath}/metadata`, (_request, response) => {
    send(response, 200, capabilityStatement(state.clientIds, new Date(state.now()).toISOString()));
  });
  app.get('/report/:id', pageHandler(state));
  app.use(express.json({ type: [fhirJson, 'application/json'], limit: maxBodyBytes }));
  app.post(basePath, transactionHandler(state));
  app.post(`${type}/_search`, express.urlencoded({ extended: false }), (request, response) => {
    searchInto(response, request, new URLSearchParams(request.body as Record<string, string>), state);
  });
  app.get(type, (request, response) => searchInto(response, request, queryOf(request), state));
  app.get([`${type}/:id`, `${type}/:id/_history/:version`], readHandler(state));
  app.post(type, writeHandler(state));
  app.put([type, `${type}/:id`], writeHandler(state));
  app.use(() => {
    throw new Refusal(404, 'not-supported', 'There is no such interaction.');
  });
  app.use(errorHandler);
}

const send = (response: Response, status: number, body: unknown): void => {
  response.status(status).set('Content-Type', `${fhirJson};charset=UTF-8`).send(JSON.stringify(body));
};

const originOf = (request: Request): string => `${request.protocol}://${request.get('host') ?? '127.0.0.1'}`;
const queryOf = (request: Request): URLSearchParams => new URL(request.originalUrl, 'http://store').searchParams;
const textOf = (value: string | readonly string[] | undefined): string => (typeof value === 'string' ? value : '');

const rulesOf = (request: Request, state: State): Rules => ({
  base: `${originOf(request)}${basePath}`,
  now: new Date(state.now()).toISOString(),
  clientIds: state.clientIds,
});

const errorHandler: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  if (error instanceof Refusal) return send(response, error.status, outcomeOf(error.issue, error.message));
  const { status = 500, message } = error as { status?: number; message?: string };
  send(response, status, outcomeOf(status < 500 ? 'structure' : 'exception', message ?? 'error'));
};

const pathOf = ({ resourceType, id, meta }: Stored): string => `${resourceType}/${id}/_history/${meta.versionId}`;

function transactionHandler(state: State): RequestHandler {
  return (request, response) => {
    const bundle = (request.body ?? {}) as { resourceType?: string; type?: string; entry?: readonly Entry[] };
    if (bundle.resourceType !== 'Bundle' || bundle.type !== 'transaction') {
      throw new Refusal(400, 'not-supported', 'Expected a Bundle of type transaction.');
    }
    const written = runTransaction(bundle.entry ?? [], state.tables, rulesOf(request, state));
    send(response, 200, { resourceType: 'Bundle', type: 'transaction-response', entry: written.map(responseEntry) });
  };
}

/** As on HAPI: a relative location, and a version without quotes. */
function responseEntry({ status, stored }: Written) {
  const { versionId, lastUpdated } = stored.meta;
  const line = status === 201 ? '201 Created' : '200 OK';
  return { response: { status: line, location: pathOf(stored), etag: versionId, lastModified: lastUpdated } };
}

function writeHandler(state: State): RequestHandler {
  return (request, response) => {
    const ifMatch = request.get('if-match');
    const ifNoneExist = request.get('if-none-exist');
    const url = request.originalUrl.slice(basePath.length + 1);
    const conditions = {
      ...(ifMatch === undefined ? {} : { ifMatch }),
      ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
    };
    const entry: Entry = {
      resource: request.body as Resource,
      request: { method: request.method, url, ...conditions },
    };
    const rules = rulesOf(request, state);
    const [{ status, stored }] = runTransaction([entry], state.tables, rules) as readonly [Written];
    response.set({ ETag: `W/"${stored.meta.versionId}"`, Location: `${rules.base}/${pathOf(stored)}` });
    send(response, status, stored);
  };
}

function readHandler(state: State): RequestHandler {
  return (request, response) => {
    const { type, id, version } = request.params;
    const versions = state.tables.get(keyOf(textOf(type), textOf(id))) ?? [];
    const stored = version === undefined ? versions.at(-1) : versions[Number(version) - 1];
    if (!stored) throw new Refusal(404, 'not-found', `Resource ${textOf(type)} is not known under this id.`);
    response.set('ETag', `W/"${stored.meta.versionId}"`);
    send(response, 200, stored);
  };
}

function searchInto(response: Response, request: Request, query: URLSearchParams, state: State): void {
  const type = textOf(request.params['type']);
  if (!Object.hasOwn(searchParameters, type)) throw new Refusal(404, 'not-supported', 'Unknown resource type.');
  const base = `${originOf(request)}${basePath}`;
  const scope = { tables: state.tables, base };
  const found = search(type, query, scope);
  const [offset, count] = [Number(query.get('_offset') ?? 0), Number(query.get('_count') ?? 100)];
  const page = found.slice(offset, offset + count);
  const entry = (mode: 'match' | 'include') => (resource: Stored) => ({
    fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
    resource,
    search: { mode },
  });
  const next = new URLSearchParams(query);
  next.set('_offset', String(offset + count));
  const more = offset + count < found.length ? [{ relation: 'next', url: `${base}/${type}?${next}` }] : [];
  const link = [{ relation: 'self', url: `${originOf(request)}${request.originalUrl}` }, ...more];
  const entries = [...page.map(entry('match')), ...included(page, query, scope).map(entry('include'))];
  send(response, 200, { resourceType: 'Bundle', type: 'searchset', total: found.length, link, entry: entries });
}

function pageHandler(state: State): RequestHandler {
  return (request, response) => {
    const report = latest(state.tables, keyOf('DiagnosticReport', textOf(request.params['id'])));
    const html = report && presentedHtml(report);
    if (!report || html === null) throw new Refusal(404, 'not-found', 'There is no such report, or it has no html.');
    response.set('Content-Security-Policy', pagePolicy).type('html').send(reportPage(report, html));
  };
}
