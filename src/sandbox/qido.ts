import type { Attribute, Dataset, PersonName } from '../core/study.ts';
import { type Keyword, keywords } from '../dicom/keywords.ts';
import { defaultTags, type Row } from './qido-rows.ts';

/** Matching, fields and paging of QIDO-RS (PS3.18 8.3.4, PS3.4 C.2.2.2), in the dialect of Orthanc where servers differ. */

export interface Query {
  /** Tag → what is asked for; one of them must match. */
  readonly matches: Readonly<Record<string, readonly string[]>>;
  /** Tags to add, or `all`. */
  readonly include: readonly string[] | 'all';
  readonly limit: number | null;
  readonly offset: number;
}

const settings = new Set([
  'includefield',
  'limit',
  'offset',
  'fuzzymatching',
  'emptyvaluematching',
  'multiplevaluematching',
]);

/** Reads the query; null when `limit` or `offset` is no count. Unknown keys are ignored. */
export function readQuery(parameters: URLSearchParams): Query | null {
  const limit = countOf(parameters.get('limit'));
  const offset = countOf(parameters.get('offset'));
  if (limit === 'bad' || offset === 'bad') return null;
  const fields = parameters.getAll('includefield').flatMap((field) => field.split(','));
  const asked = [...new Set(parameters.keys())].flatMap((key): [string, readonly string[]][] => {
    const tag = settings.has(key.toLowerCase()) ? null : tagOf(key);
    return tag ? [[tag, parameters.getAll(key)]] : [];
  });
  return {
    matches: Object.fromEntries(asked),
    include: fields.includes('all') ? 'all' : fields.flatMap((field) => tagOf(field) ?? []),
    limit,
    offset: offset ?? 0,
  };
}

function countOf(value: string | null): number | null | 'bad' {
  if (value === null) return null;
  return /^\d{1,9}$/.test(value) ? Number(value) : 'bad';
}

function tagOf(name: string): string | null {
  if (/^[0-9a-f]{8}$/i.test(name)) return name.toUpperCase();
  return Object.hasOwn(keywords, name) ? keywords[name as Keyword][0] : null;
}

export interface Page {
  readonly rows: readonly Dataset[];
  /** Rows that match and lie behind this page. */
  readonly remaining: number;
}

export function answer(rows: readonly Row[], query: Query): Page {
  const matches = Object.entries(query.matches);
  const found = rows.filter(({ full }) => matches.every(([tag, asked]) => meets(full[tag], asked)));
  const end = query.limit === null ? found.length : query.offset + query.limit;
  const page = found.slice(query.offset, end);
  return { rows: page.map((row) => fieldsOf(row, query)), remaining: Math.max(0, found.length - end) };
}

function fieldsOf({ full, level }: Row, { include, matches }: Query): Dataset {
  const wanted = include === 'all' ? null : new Set([...defaultTags[level], ...include, ...Object.keys(matches)]);
  const entries = Object.entries(full).filter(([tag]) => wanted?.has(tag) ?? true);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** An empty key matches all (universal matching). */
function meets(attribute: Attribute | undefined, asked: readonly string[]): boolean {
  const values = (attribute?.Value ?? []).map(plain);
  return asked.some((key) => key === '' || matchesKey(attribute?.vr ?? '', values, key));
}

function matchesKey(vr: string, values: readonly string[], key: string): boolean {
  if ((vr === 'DA' || vr === 'TM') && key.includes('-')) return values.some((value) => inRange(value, key));
  return key.split(',').some((single) => {
    const pattern = wildcard(single);
    return values.some((value) => pattern.test(value));
  });
}

/** `20240101-20240131`, both ends included, either end open. */
function inRange(value: string, key: string): boolean {
  const [from = '', to = ''] = key.split('-');
  return value >= from && (to === '' || value.slice(0, to.length) <= to);
}

/** Of the key that was asked for last: it is tried on every row. */
let compiled: { readonly text: string; readonly pattern: RegExp } | null = null;

function wildcard(text: string): RegExp {
  if (compiled?.text !== text) compiled = { text, pattern: compile(text) };
  return compiled.pattern;
}

function compile(text: string): RegExp {
  const escaped = text.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'iu');
}

function plain(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { Alphabetic, Ideographic, Phonetic } = value as PersonName;
  return [Alphabetic, Ideographic, Phonetic]
    .map((group) => group ?? '')
    .join('=')
    .replace(/=+$/, '');
}
