import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { Failure } from '../core/failure.ts';

/** The table of images that `evaluate` and `train-head` read: one row an image, RFC 4180, header in the first line. */

export const labels = ['opacity', 'none', 'covid', 'other'] as const;
/** `opacity` and `covid` are positive, `none` is negative, `other` is a finding that is neither. */
export type Label = (typeof labels)[number];

export interface Row {
  /** As written in the table: a path below the root that the command is given. */
  readonly file: string;
  readonly label: Label;
  /** Joins images of one patient and near-duplicates: a group stays on one side of every split. */
  readonly group: string;
  readonly source: string | null;
  /** Upper case. */
  readonly view: string | null;
  readonly age: string | null;
  readonly sex: string | null;
  /** All cells by the name of their column, lower case. */
  readonly cells: Readonly<Record<string, string>>;
  /** Line of the table on which the row ends; the header is 1. */
  readonly line: number;
}

const required = ['file', 'label', 'group'] as const;

/** Reads a table. Raises `table-invalid` with line and column. */
export function readTable(path: string): readonly Row[] {
  const name = basename(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const got = String((cause as NodeJS.ErrnoException).code ?? 'an error');
    throw new Failure('table-invalid', { where: name, expected: 'a readable file', got, cause });
  }
  return parseTable(text, name);
}

/** The same of a text; `name` is what messages call it. */
export function parseTable(text: string, name: string): readonly Row[] {
  const [header, ...records] = recordsOf(text, name);
  if (!header) throw new Failure('table-invalid', { where: name, expected: 'a header line', got: 'an empty file' });
  const columns = header.cells.map((cell) => cell.toLowerCase());
  for (const column of required) {
    if (columns.includes(column)) continue;
    const got = columns.join(', ').slice(0, 200);
    throw new Failure('table-invalid', { where: `${name}, line 1`, expected: `a column ${column}`, got });
  }
  const rows = records.map((record) => rowOf(record, columns, name));
  if (rows.length === 0) throw new Failure('table-invalid', { where: name, expected: 'rows', got: 'the header alone' });
  refuseDoubles(rows, name);
  return rows;
}

interface CsvRecord {
  readonly cells: readonly string[];
  readonly line: number;
}

function recordsOf(text: string, name: string): readonly CsvRecord[] {
  try {
    const parsed: unknown = parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      info: true,
      skip_empty_lines: true,
      trim: true,
    });
    return (parsed as readonly { readonly record: readonly string[]; readonly info: { readonly lines: number } }[]).map(
      ({ record, info }) => ({ cells: record, line: info.lines }),
    );
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const where = `${name}, line ${String(cause['lines'] ?? 'unknown')}`;
    // The words of the parser repeat cells, which may be anybody's: its code alone is told.
    throw new Failure('table-invalid', { where, expected: 'CSV with equally many cells a line', got: cause.code });
  }
}

/** Spreadsheets of half of Europe write semicolons. */
function delimiterOf(text: string): string {
  const [header = ''] = text.split('\n', 1);
  return header.includes(';') && !header.includes(',') ? ';' : ',';
}

function rowOf({ cells: values, line }: CsvRecord, columns: readonly string[], name: string): Row {
  const cells: Readonly<Record<string, string>> = Object.fromEntries(
    columns.map((column, index) => [column, values[index] ?? '']),
  );
  for (const column of required) {
    if (cells[column]) continue;
    throw new Failure('table-invalid', { where: `${name}, line ${line}, column ${column}`, expected: 'a value' });
  }
  const optional = (column: string) => cells[column] || null;
  return {
    file: cells['file']!,
    label: labelOf(cells['label']!, `${name}, line ${line}, column label`),
    group: cells['group']!,
    source: optional('source'),
    view: optional('view')?.toUpperCase() ?? null,
    age: optional('age'),
    sex: optional('sex'),
    cells,
    line,
  };
}

function labelOf(text: string, where: string): Label {
  const label = labels.find((known) => known === text.toLowerCase());
  if (label !== undefined) return label;
  throw new Failure('table-invalid', { where, expected: labels.join(' or '), got: text.slice(0, 24) });
}

/** One film under two rows would count twice, perhaps with two labels. */
function refuseDoubles(rows: readonly Row[], name: string): void {
  const first = new Map<string, number>();
  for (const { file, line } of rows) {
    const before = first.get(file);
    if (before !== undefined) {
      const where = `${name}, line ${line}, column file`;
      throw new Failure('table-invalid', { where, expected: 'each file once', got: `the file of line ${before}` });
    }
    first.set(file, line);
  }
}
