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

/** `Type/id` → versions, oldest first. Copied before a write, so that a failed transaction leaves nothing. */
export type Tables = ReadonlyMap<string, readonly Stored[]>;
export type Draft = Map<string, readonly Stored[]>;

export interface Written {
  readonly status: 200 | 201;
  readonly stored: Stored;
}

export const keyOf = (type: string, id: string): string => `${type}/${id}`;

export function latest(tables: Tables, key: string): Stored | null {
  return tables.get(key)?.at(-1) ?? null;
}

export function ofType(tables: Tables, type: string): readonly Stored[] {
  return [...tables.values()].flatMap((versions) => {
    const stored = versions.at(-1);
    return stored?.resourceType === type ? [stored] : [];
  });
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

/** The number after the highest that the server gave so far. */
export function nextId(draft: Tables): string {
  const given = [...draft.keys()].map((key) => key.slice(key.indexOf('/') + 1)).filter((id) => /^\d+$/.test(id));
  return String(Math.max(0, ...given.map(Number)) + 1);
}
