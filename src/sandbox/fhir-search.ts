import { relative } from './fhir-references.ts';
import { Refusal } from './fhir-refusal.ts';
import { keyOf, latest, type Stored, type Tables } from './fhir-tables.ts';

/** Search (FHIR R4, search.html) over the parameters that a reader of our reports needs; all others are refused by name. */

type Kind = 'token' | 'reference';

interface Parameter {
  readonly kind: Kind;
  readonly element: string;
}

const token = (element: string): Parameter => ({ kind: 'token', element });
const reference = (element: string): Parameter => ({ kind: 'reference', element });

const everywhere = { _id: token('id'), identifier: token('identifier') };
const ofSubject = {
  ...everywhere,
  subject: reference('subject'),
  patient: reference('subject'),
  status: token('status'),
};

/** By resource type. `imagingStudy` is not of R4 but of IHE IMR 1.1; without it `_include=DiagnosticReport:*` finds the study. */
export const searchParameters: Readonly<Record<string, Readonly<Record<string, Parameter>>>> = {
  Patient: everywhere,
  ServiceRequest: { ...ofSubject, code: token('code') },
  ImagingStudy: { ...ofSubject, basedon: reference('basedOn'), endpoint: reference('endpoint') },
  Observation: {
    ...ofSubject,
    code: token('code'),
    device: reference('device'),
    'derived-from': reference('derivedFrom'),
  },
  DiagnosticReport: {
    ...ofSubject,
    code: token('code'),
    'based-on': reference('basedOn'),
    result: reference('result'),
    imagingStudy: reference('imagingStudy'),
  },
  Device: { ...everywhere, status: token('status') },
  Endpoint: { ...everywhere, status: token('status') },
  Organization: everywhere,
  Provenance: {
    _id: token('id'),
    target: reference('target'),
    patient: reference('target'),
    agent: reference('agent.who'),
  },
};

const control = new Set(['_include', '_count', '_offset', '_sort', '_format', '_pretty', '_total']);

export interface Scope {
  readonly tables: Tables;
  readonly base: string;
}

/** All resources of a type that meet every parameter, newest first when `_sort=-_lastUpdated`. */
export function search(type: string, query: URLSearchParams, scope: Scope): readonly Stored[] {
  const keys = [...query].filter(([name]) => !control.has(name));
  const found = candidates(type, keys, scope).filter((stored) =>
    keys.every(([name, value]) => meets(stored, name, value, scope)),
  );
  // A parameter must be known even where no resource is there to try it on.
  for (const [name] of keys) parameterOf(type, name.split(/[.:]/)[0]!);
  return sorted(found, query.get('_sort'));
}

/** All of the type, or those that a key of one id or one identifier can mean. */
function candidates(
  type: string,
  keys: readonly (readonly [name: string, value: string])[],
  { tables }: Scope,
): readonly Stored[] {
  const plain = (wanted: string) => keys.find(([name, value]) => name === wanted && /^[^,\\]+$/.test(value))?.[1];
  const id = plain('_id');
  if (id !== undefined) return [latest(tables, keyOf(type, id)) ?? []].flat();
  const value = plain('identifier')?.replace(/^[^|]*\|/, '');
  return value ? tables.withIdentifier(type, value) : tables.ofType(type);
}

function sorted(found: readonly Stored[], order: string | null): readonly Stored[] {
  if (order === null || order === '_lastUpdated') return found;
  if (order === '-_lastUpdated') return found.toReversed();
  throw new Refusal(400, 'not-supported', 'Only _lastUpdated can be sorted by.');
}

function parameterOf(type: string, name: string): Parameter {
  const parameter = searchParameters[type]?.[name];
  if (!parameter)
    throw new Refusal(400, 'not-supported', `Unknown search parameter "${name}" for resource type "${type}".`);
  return parameter;
}

/** One parameter with its values; commas are alternatives, `\,` is a comma. */
function meets(stored: Stored, name: string, value: string, scope: Scope): boolean {
  const [head, ...chain] = name.split('.');
  const [bare, type] = head!.split(':');
  const { kind, element } = parameterOf(stored.resourceType, bare!);
  const alternatives = value.split(/(?<!\\),/).map((text) => text.replaceAll('\\,', ','));
  const present = valuesAt(stored, element);
  if (kind === 'token') return present.some((item) => alternatives.some((asked) => tokenMatches(item, asked)));
  const targets = present.map((item) => relative((item as { reference?: string }).reference ?? '', scope.base));
  if (chain.length === 0)
    return targets.some((target) => alternatives.some((asked) => refersTo(target, asked, type, bare!, scope)));
  return targets.some((target) => {
    const resource = latest(scope.tables, target);
    if (!resource || (type !== undefined && resource.resourceType !== type)) return false;
    return meets(resource, chain.join('.'), value, scope);
  });
}

const list = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** `agent.who`: an element of an element, each of which may repeat. */
const valuesAt = (stored: Stored, path: string): readonly unknown[] =>
  path
    .split('.')
    .reduce<readonly unknown[]>(
      (items, name) => items.flatMap((item) => list((item as Readonly<Record<string, unknown>>)[name])),
      [stored],
    );

function refersTo(target: string, asked: string, type: string | undefined, name: string, scope: Scope): boolean {
  const path = relative(asked, scope.base);
  if (path.includes('/')) return target === path;
  const named = type ?? (name === 'patient' ? 'Patient' : null);
  return named ? target === keyOf(named, path) : target.endsWith(`/${path}`);
}

/** Identifier, CodeableConcept, Coding or code against `system|code`, `|code`, `system|` or `code`. */
function tokenMatches(item: unknown, asked: string): boolean {
  return pairsOf(item).some(({ system, code }) => {
    const bar = asked.indexOf('|');
    if (bar < 0) return code === asked;
    const [askedSystem, askedCode] = [asked.slice(0, bar), asked.slice(bar + 1)];
    return (
      (askedSystem === '' ? system === undefined : system === askedSystem) && (askedCode === '' || code === askedCode)
    );
  });
}

interface Pair {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
}

function pairsOf(item: unknown): readonly Pair[] {
  if (typeof item === 'string') return [{ code: item }];
  const { coding, system, code, value } = item as { coding?: unknown; system?: string; code?: string; value?: string };
  if (Array.isArray(coding)) return coding as readonly Pair[];
  return [{ system, code: value ?? code }];
}

/** What `_include` adds: `Type:parameter`, or `Type:*` for all references of the matches. */
export function included(matches: readonly Stored[], query: URLSearchParams, scope: Scope): readonly Stored[] {
  const keys = new Set<string>();
  for (const include of query.getAll('_include')) {
    const [type = '', name = ''] = include.split(':');
    const parameters = name === '*' ? Object.values(searchParameters[type] ?? {}) : [parameterOf(type, name)];
    for (const { element } of parameters.filter(({ kind }) => kind === 'reference')) {
      for (const match of matches.filter(({ resourceType }) => resourceType === type)) {
        for (const item of valuesAt(match, element)) {
          keys.add(relative((item as { reference?: string }).reference ?? '', scope.base));
        }
      }
    }
  }
  const own = new Set(matches.map(({ resourceType, id }) => keyOf(resourceType, id)));
  return [...keys].filter((key) => !own.has(key)).flatMap((key) => latest(scope.tables, key) ?? []);
}
