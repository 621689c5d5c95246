import { asFailure, Failure } from '../core/failure.ts';
import type { Attribute, Code, Dataset, PersonName } from '../core/study.ts';
import { type Keyword, keywords } from './keywords.ts';
import { limits } from './limits.ts';

/** Reads attributes of a data set. Tolerant: what is absent, empty or of another type than the keyword's is absent. */

/** First value as text without padding; a person name as `alphabetic=ideographic=phonetic`; null when there is none. */
export function text(dataset: Dataset, keyword: Keyword): string | null {
  return texts(dataset, keyword)[0] || null;
}

/** All values as text without padding. An empty value among others is `''` and keeps its place; all empty are none. */
export function texts(dataset: Dataset, keyword: Keyword): string[] {
  const values = valuesOf(dataset, keyword).map(asText);
  return values.some((value) => value !== '') ? values : [];
}

/** First value as a finite number; null when there is none. */
export function number(dataset: Dataset, keyword: Keyword): number | null {
  return asNumber(valuesOf(dataset, keyword)[0]);
}

/** The values as far as they are finite numbers: the list ends before the first that is not, so that places still agree. */
export function numbers(dataset: Dataset, keyword: Keyword): number[] {
  const values = valuesOf(dataset, keyword).map(asNumber);
  const end = values.indexOf(null);
  return (end === -1 ? values : values.slice(0, end)) as number[];
}

/** Items of a sequence. */
export function items(dataset: Dataset, keyword: Keyword): Dataset[] {
  if (attribute(dataset, keyword)?.vr !== 'SQ') return [];
  return valuesOf(dataset, keyword).filter((item): item is Dataset => typeof item === 'object' && item !== null);
}

/** The code of an item (PS3.3 8.8): value and scheme, else null. A missing meaning is `''`. */
export function code(item: Dataset): Code | null {
  const CodeValue = text(item, 'CodeValue') ?? text(item, 'LongCodeValue') ?? text(item, 'URNCodeValue');
  const CodingSchemeDesignator = text(item, 'CodingSchemeDesignator');
  if (CodeValue === null || CodingSchemeDesignator === null) return null;
  return { CodeValue, CodingSchemeDesignator, CodeMeaning: text(item, 'CodeMeaning') ?? '' };
}

/** Codes of a sequence; items that hold none are left out. */
export function codes(dataset: Dataset, keyword: Keyword): Code[] {
  return items(dataset, keyword).flatMap((item) => code(item) ?? []);
}

/** Whether the attribute stands in the data set with a value that is not empty. Bulk data has none here. */
export function has(dataset: Dataset, keyword: Keyword): boolean {
  return items(dataset, keyword).length > 0 || texts(dataset, keyword).length > 0;
}

/** `(gggg,eeee)`, as failures name a tag. */
export const tagName = (tag: string): string => `(${tag.slice(0, 4)},${tag.slice(4)})`;

const attribute = (dataset: Dataset, keyword: Keyword): Attribute | undefined => dataset[keywords[keyword][0]];

const valuesOf = (dataset: Dataset, keyword: Keyword): readonly unknown[] => attribute(dataset, keyword)?.Value ?? [];

function asText(value: unknown): string {
  if (typeof value === 'string') return trim(value);
  if (typeof value === 'number') return String(value);
  return isPersonName(value) ? nameText(value) : '';
}

/** Spaces pad a value at its end (PS3.5 6.2) and say nothing at its begin; a NUL pads a UID. */
export function trim(value: string): string {
  const pads = (index: number) => value[index] === ' ' || value[index] === '\0';
  let [begin, end] = [0, value.length];
  // Not a pattern: one that looks for padding at the end takes quadratic time on padding in the middle.
  while (begin < end && pads(begin)) begin++;
  while (end > begin && pads(end - 1)) end--;
  return value.slice(begin, end);
}

const nameText = ({ Alphabetic = '', Ideographic = '', Phonetic = '' }: PersonName): string =>
  [Alphabetic, Ideographic, Phonetic].map(trim).join('=').replace(/=+$/, '');

const isPersonName = (value: unknown): value is PersonName =>
  typeof value === 'object' && value !== null && ['Alphabetic', 'Ideographic', 'Phonetic'].some((key) => key in value);

function asNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trim(value))) return null;
  const number = Number(trim(value));
  return Number.isFinite(number) ? number : null;
}

/**
 * A data set out of what a server sent as DICOM JSON (PS3.18 F.2). Bulk data is left out: its attribute has no `Value`.
 * Raises `malformed-dicom` for what is no data set, `limit-exceeded` for too many or too deeply nested elements.
 */
export function datasetFromJson(json: unknown): Dataset {
  return readItem(json, 0, { elements: 0 });
}

/** A data set of a list that a server sent, or why it is none: one that cannot be read must not hide the others. */
export type Row = Dataset | Failure;

export function datasetOrFailure(json: unknown): Row {
  try {
    return datasetFromJson(json);
  } catch (thrown) {
    return asFailure(thrown);
  }
}

function readItem(json: unknown, depth: number, count: { elements: number }): Dataset {
  if (!isRecord(json)) throw malformed('data set', 'an object of tags', typeName(json));
  if (depth > limits.depth) throw exceeded('nested sequences', limits.depth);
  const dataset: Record<string, Attribute> = Object.create(null);
  for (const [key, value] of Object.entries(json)) {
    if (!/^[0-9A-Fa-f]{8}$/.test(key)) throw malformed('key of a data set', 'eight hex digits', 'another name');
    if (++count.elements > limits.elements) throw exceeded('elements', limits.elements);
    dataset[key.toUpperCase()] = readAttribute(key, value, depth, count);
  }
  return dataset;
}

function readAttribute(tag: string, json: unknown, depth: number, count: { elements: number }): Attribute {
  if (!isRecord(json)) throw malformed(tagName(tag), 'an object with vr and Value', typeName(json));
  const vr = json['vr'] ?? 'UN';
  if (typeof vr !== 'string' || !/^[A-Z]{2}$/.test(vr)) throw malformed(tagName(tag), 'a VR', 'another text');
  const values = json['Value'];
  if (values === undefined || values === null) return { vr };
  if (!Array.isArray(values)) throw malformed(`${tagName(tag)} Value`, 'an array', typeName(values));
  if (values.length > limits.headerBytes / 2) throw exceeded(`values of ${tagName(tag)}`, limits.headerBytes / 2);
  const read = vr === 'SQ' ? (value: unknown) => readItem(value ?? {}, depth + 1, count) : readValue;
  return { vr, Value: values.map((value) => read(value, tag)) };
}

function readValue(value: unknown, tag: string | number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (!isRecord(value)) throw malformed(`${tagName(String(tag))} Value`, 'text, number or name', typeName(value));
  const name: Record<string, string> = Object.create(null);
  for (const group of ['Alphabetic', 'Ideographic', 'Phonetic']) {
    const letters = Object.hasOwn(value, group) ? value[group] : undefined;
    if (typeof letters === 'string') name[group] = letters;
  }
  return name;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const typeName = (value: unknown): string => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);

const malformed = (where: string, expected: string, got: string): Failure =>
  new Failure('malformed-dicom', { where: `DICOM JSON, ${where}`, expected, got });

const exceeded = (where: string, limit: number): Failure =>
  new Failure('limit-exceeded', { where: `DICOM JSON, ${where}`, expected: `at most ${limit}` });
