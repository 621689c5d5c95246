import { checkReferences, mapReferences, relative } from './fhir-references.ts';
import { Refusal } from './fhir-refusal.ts';
import { type Scope, search } from './fhir-search.ts';
import {
  checkClientId,
  keyOf,
  latest,
  type Resource,
  type Stored,
  type Tables,
  type WritableTables,
  type Written,
  write,
} from './fhir-tables.ts';

/** Writes, one by one or as a transaction (FHIR R4, http.html#transaction): all or nothing. */

export interface Entry {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly request?: {
    readonly method?: string;
    readonly url?: string;
    readonly ifMatch?: string;
    readonly ifNoneExist?: string;
  };
}

export interface Rules {
  readonly base: string;
  /** RFC 3339. */
  readonly now: string;
  /** Whether a PUT may create under the client's own id. */
  readonly clientIds: boolean;
}

/** Where an entry goes. `existing` stands for a conditional create that found its match: nothing is written. */
interface Target {
  readonly entry: Entry;
  readonly resource: Resource;
  readonly id: string;
  readonly existing: Stored | null;
}

/** Writes all entries. Raises a Refusal, and then nothing is stored. */
export function runTransaction(entries: readonly Entry[], tables: WritableTables, rules: Rules): readonly Written[] {
  const draft = tables.draft();
  const scope = { tables, base: rules.base };
  const targets: Target[] = [];
  for (const entry of entries) targets.push(targetOf(entry, targets, scope, rules));
  refuseTwice(targets);
  const renamed = new Map(targets.map(({ entry, resource, id }) => [entry.fullUrl, keyOf(resource.resourceType, id)]));
  const literal = (reference: string) => renamed.get(reference) ?? relative(oneMatch(reference, scope), rules.base);
  const written = targets.map(({ resource, id, existing }): Written => {
    if (existing) return { status: 200, stored: existing };
    return write(draft, mapReferences(resource, literal), id, rules.now);
  });
  for (const { stored } of written) checkReferences(stored, draft);
  draft.commit();
  return written;
}

function refuseTwice(targets: readonly Target[]): void {
  const keys = targets.map(({ resource, id }) => keyOf(resource.resourceType, id));
  if (new Set(keys).size < keys.length)
    throw new Refusal(400, 'invalid', 'Two entries of the transaction write one resource.');
}

function targetOf(entry: Entry, before: readonly Target[], scope: Scope, rules: Rules): Target {
  const { resource, request } = entry;
  const [path = '', query] = (request?.url ?? '').split('?', 2) as [string?, string?];
  const [type = '', id] = path.split('/') as [string?, string?];
  if (!resource || resource.resourceType !== type)
    throw new Refusal(400, 'invalid', 'The resource is not of the type in its URL.');
  const freshId = () => String(scope.tables.nextId() + before.length);
  if (request?.method === 'POST' && id === undefined) {
    const existing = request.ifNoneExist === undefined ? null : atMostOne(type, request.ifNoneExist, scope);
    return { entry, resource, id: existing?.id ?? freshId(), existing };
  }
  if (request?.method !== 'PUT') throw new Refusal(400, 'not-supported', 'Only PUT and POST can be written.');
  if (query !== undefined) {
    const match = atMostOne(type, query, scope);
    return { entry, resource, id: match?.id ?? freshId(), existing: null };
  }
  return { entry, resource, id: putId(resource, id, request.ifMatch, scope.tables, rules), existing: null };
}

function putId(
  resource: Resource,
  id: string | undefined,
  ifMatch: string | undefined,
  tables: Tables,
  rules: Rules,
): string {
  if (id === undefined || resource.id !== id)
    throw new Refusal(400, 'invalid', 'The id of the resource is not the one in its URL.');
  const current = latest(tables, keyOf(resource.resourceType, id));
  if (!current) {
    checkClientId(id);
    if (!rules.clientIds) throw new Refusal(400, 'not-supported', 'This server does not let clients choose ids.');
  }
  // 409 where the specification says 412: so do the real servers that were asked.
  if (ifMatch !== undefined && /\d+/.exec(ifMatch)?.[0] !== current?.meta.versionId) {
    throw new Refusal(409, 'conflict', 'The version is not the current one.');
  }
  return id;
}

function atMostOne(type: string, query: string, scope: Scope): Stored | null {
  const found = search(type, new URLSearchParams(query), scope);
  if (found.length > 1) throw new Refusal(412, 'multiple-matches', `${found.length} resources of type ${type} match.`);
  return found[0] ?? null;
}

/** A conditional reference (`Patient?identifier=…`) must find exactly one resource. */
function oneMatch(reference: string, scope: Scope): string {
  const [type = '', query] = reference.split('?', 2) as [string?, string?];
  if (query === undefined || !/^[A-Z][A-Za-z]+$/.test(type)) return reference;
  const match = atMostOne(type, query, scope);
  if (!match) throw new Refusal(404, 'not-found', `No resource of type ${type} matches a conditional reference.`);
  return keyOf(type, match.id);
}
