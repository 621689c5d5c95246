import { isDeepStrictEqual } from 'node:util';
import { Refusal } from './fhir-refusal.ts';

/** What the FHIR store holds: resources in all their versions. */

export interface Coding {
  readonly system?: string;
  readonly code?: string;
}

export interface Meta {
  readonly versionId?: string;
  readonly lastUpdated?: string;
  readonly tag?: readonly Coding[];
  readonly [element: string]: unknown;
}

export interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: Meta;
  readonly [element: string]: unknown;
}

/** A resource as it is stored: with id, version and time. */
export interface Stored extends Resource {
  readonly id: string;
  readonly meta: Meta & { readonly versionId: string; readonly lastUpdated: string };
}

/** Resources by `Type/id`, each with its versions, oldest first. */
export interface Tables {
  get(key: string): readonly Stored[] | undefined;
  /** Current versions, in the order of creation. */
  ofType(type: string): readonly Stored[];
  /** Those of a type that bear an identifier of this value, or have borne it; in the order of creation. */
  withIdentifier(type: string, value: string): readonly Stored[];
  /** The number after the highest id that the server gave so far. */
  nextId(): number;
}

/** What a transaction writes, over the tables as they are: nothing of it stays when the transaction fails. */
export interface Draft {
  get(key: string): readonly Stored[] | undefined;
  set(key: string, versions: readonly Stored[]): void;
}

export interface WritableTables extends Tables {
  /** Every resource with all its versions, in the order of creation. */
  all(): readonly (readonly Stored[])[];
  draft(): Draft & { commit(): void };
}

export interface Written {
  readonly status: 200 | 201;
  readonly stored: Stored;
}

export const keyOf = (type: string, id: string): string => `${type}/${id}`;

export function latest(tables: Pick<Tables, 'get'>, key: string): Stored | null {
  return tables.get(key)?.at(-1) ?? null;
}

export function createTables(): WritableTables {
  const rows = new Map<string, readonly Stored[]>();
  const types = createIndex();
  const identifiers = createIndex();
  let highestId = 0;
  const currentOf = (keys: readonly string[]) => keys.map((key) => rows.get(key)!.at(-1)!);
  const put = (key: string, versions: readonly Stored[]): void => {
    const current = versions.at(-1)!;
    rows.set(key, versions);
    types.add(current.resourceType, key);
    for (const value of identifierValues(current)) identifiers.add(`${current.resourceType}|${value}`, key);
    if (/^\d+$/.test(current.id)) highestId = Math.max(highestId, Number(current.id));
  };
  return {
    get: (key) => rows.get(key),
    all: () => [...rows.values()],
    ofType: (type) => currentOf(types.keys(type)),
    withIdentifier: (type, value) => currentOf(identifiers.keys(`${type}|${value}`)),
    nextId: () => highestId + 1,
    draft() {
      const own = new Map<string, readonly Stored[]>();
      return {
        get: (key) => own.get(key) ?? rows.get(key),
        set: (key, versions) => own.set(key, versions),
        commit() {
          for (const [key, versions] of own) put(key, versions);
        },
      };
    },
  };
}

/** Keys under a term, in the order in which they were made. Nothing is taken out: who looks up tries what it finds. */
function createIndex() {
  const terms = new Map<string, Set<string>>();
  const order = new Map<string, number>();
  return {
    add(term: string, key: string): void {
      if (!order.has(key)) order.set(key, order.size);
      const keys = terms.get(term);
      if (keys) keys.add(key);
      else terms.set(term, new Set([key]));
    },
    keys: (term: string): readonly string[] =>
      [...(terms.get(term) ?? [])].sort((a, b) => order.get(a)! - order.get(b)!),
  };
}

function identifierValues({ identifier }: Stored): readonly string[] {
  const identifiers = Array.isArray(identifier) ? identifier : identifier === undefined ? [] : [identifier];
  return (identifiers as readonly { readonly value?: unknown }[]).flatMap(({ value }) =>
    typeof value === 'string' ? [value] : [],
  );
}

/**
 * Puts a resource under an id. Unchanged content keeps its version (200); tags are sticky, as on HAPI: those that the
 * new content lacks stay.
 * @param now RFC 3339
 */
export function write(draft: Draft, resource: Resource, id: string, now: string): Written {
  const key = keyOf(resource.resourceType, id);
  const before = latest(draft, key);
  const { versionId: _, lastUpdated: __, ...meta } = resource.meta ?? {};
  const tag = mergeTags(before?.meta.tag ?? [], resource.meta?.tag ?? []);
  const content = { ...resource, id, meta: { ...meta, ...(tag.length > 0 ? { tag } : {}) } };
  if (before && isDeepStrictEqual(withoutVersion(before), content)) return { status: 200, stored: before };
  const versionId = String(Number(before?.meta.versionId ?? 0) + 1);
  const stored: Stored = { ...content, meta: { ...content.meta, versionId, lastUpdated: now } };
  draft.set(key, [...(draft.get(key) ?? []), stored]);
  return { status: before ? 200 : 201, stored };
}

function withoutVersion(stored: Stored): Resource {
  const { versionId: _, lastUpdated: __, ...meta } = stored.meta;
  return { ...stored, meta };
}

function mergeTags(old: readonly Coding[], added: readonly Coding[]): readonly Coding[] {
  const same = (a: Coding, b: Coding) => a.system === b.system && a.code === b.code;
  return [...old.filter((tag) => !added.some((other) => same(tag, other))), ...added].sort((a, b) =>
    `${a.system}|${a.code}` < `${b.system}|${b.code}` ? -1 : 1,
  );
}

/** An id that a client may choose: FHIR's id type, and as on HAPI not all digits, which are the server's own. */
export function checkClientId(id: string): void {
  if (!/^[A-Za-z0-9\-.]{1,64}$/.test(id)) throw new Refusal(400, 'invalid', 'The id is no FHIR id.');
  if (/^\d+$/.test(id))
    throw new Refusal(400, 'invalid', 'A client-assigned id must hold at least one non-numeric character.');
}
