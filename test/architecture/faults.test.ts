import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/** Rows of the tables of threats (T) and faults that the input side answers: each is named by a test. */
const inputSide = [
  ...['T1', 'T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'T8', 'T9', 'T10', 'T11', 'T12', 'T19', 'T20', 'T21', 'T31', 'T35'],
  ...[8, 9, 10, 11, 12, 13, 14, 15, 16, 21, 22, 31, 32, 33, 61, 81, 82, 83, 84, 85, 87, 88, 89, 90, 91, 92, 93, 94, 95],
  ...[96, 97, 98],
].map(String);

/** Rows of revisions: what is sent, announced or asked for again. */
const revisions = [2, 3, 7, 48, 64, 65, 86].map(String);
/** Rows of what must never be lost and never be doubled when store, disk or host fail. */
const recovery = [6, 66, 67, 68, 69, 70, 71, 72, 73, 76, 79, 80, 101, 102].map(String);
/** Rows of the archive's side: studies that change under our hands, transport, and what becomes of our objects. */
const archiveSide = [
  ...[1, 2, 4, 5, 7, 18, 19, 20, 23, 24, 25, 26, 27, 28, 29, 30, 34, 35, 36, 37, 38, 39, 40, 41, 42, 44, 45, 46, 63],
].map(String);

/** Rows of the FHIR side: conflicts, duplicates, servers that cannot do all or change what they store, signed reports. */
const fhirSide = [49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59].map(String);

/** Rows of the backlog, of clocks and of upgrades. */
const backlog = [17, 75, 77, 78].map(String);

const root = join(import.meta.dirname, '..');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.includes('.cache') && !path.endsWith('architecture/faults.test.ts'))
  .map((path) => readFileSync(join(root, path), 'utf8'));

/** `T6`, `fault 32`, `faults 12, 13 and 14`. */
function named(sourceText: string): readonly string[] {
  const threats = sourceText.match(/\bT\d{1,2}\b/g) ?? [];
  const faults = sourceText.match(/\bfaults? \d+(?:(?:, | and |, and )\d+)*/gi) ?? [];
  return [...threats, ...faults.flatMap((text) => text.match(/\d+/g) ?? [])];
}

test.each([
  ['the input side answers', inputSide],
  ['is about revisions', revisions],
  ['is about recovery', recovery],
  ['is on the FHIR side', fhirSide],
  ['is on the archive’s side', archiveSide],
])('every row that %s is named by a test', (_which, rows) => {
  const found = new Set(sources.flatMap(named));
  expect(rows.filter((row) => !found.has(row))).toEqual([]);
});

test('every row of backlog, clocks and upgrades is named by a test', () => {
  const found = new Set(sources.flatMap(named));
  expect(backlog.filter((row) => !found.has(row))).toEqual([]);
});
