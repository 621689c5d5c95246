import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Failure, type FailureCode } from '../../src/core/failure.ts';

/** What the tests of the reading side share: files of the data folder, pydicom as the second opinion, small data sets. */

const root = resolve(import.meta.dirname, '../..');
const films = resolve(root, '../shared/data/dicom');
const python = process.env['CXR_TEST_PYTHON'] ?? join(root, 'test/services/.cache/venv/bin/python');

/** `test`, or `test.skip` with the reason on stderr where something is missing; in CI it is not skipped, and fails. */
export function testWith(...needs: readonly ('films' | 'python')[]): jest.It {
  const paths = { films, python };
  const missing = needs.filter((need) => !existsSync(paths[need]));
  if (missing.length === 0 || process.env['CI']) return test;
  process.stderr.write(`skipped: no ${missing.join(' and no ')} (${missing.map((need) => paths[need]).join(', ')})\n`);
  return test.skip;
}

/** Every file of the data folder but its index, sorted; paths from that folder. */
export function filmFiles(): readonly string[] {
  return readdirSync(films, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'index.csv')
    .map((entry) => join(entry.parentPath, entry.name).slice(films.length + 1))
    .sort();
}

export const filmPath = (file: string): string => join(films, file);
export const readFilm = (file: string): Uint8Array => new Uint8Array(readFileSync(filmPath(file)));

/** Output lines of a script in `python/`. */
export function runPython(script: string, ...args: readonly string[]): readonly string[] {
  const path = join(root, 'test/dicom/python', script);
  const run = spawnSync(python, [path, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`${script}: ${run.error?.message ?? run.stderr}`);
  return run.stdout.trim().split('\n');
}

/** Runs `use` with a folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-reading-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The code of the Failure that `act` raises; any other error is raised again, and `none` is the answer without one. */
export async function failureOf(act: () => unknown): Promise<FailureCode | 'none'> {
  try {
    await act();
    return 'none';
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown.code;
    throw thrown;
  }
}

const longVrs = ['OB', 'OW', 'SQ', 'UN', 'UT'];

/** An element in Explicit VR Little Endian with an even value; `length` replaces the true one. */
export function element(tag: string, vr: string, value: Uint8Array | string = '', length?: number): Buffer {
  const raw = Buffer.from(value as Uint8Array);
  const even = raw.length % 2 === 0 ? raw : Buffer.concat([raw, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
  const long = longVrs.includes(vr);
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
  head.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
  head.write(vr, 4);
  if (long) head.writeUInt32LE(length ?? even.length, 8);
  else head.writeUInt16LE(length ?? even.length, 6);
  return Buffer.concat([head, even]);
}

/** An item, delimiter or fragment: a tag of group FFFE and a length. */
export function delimiter(element: string, value: Uint8Array = Buffer.alloc(0), length = value.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0xfffe, 0);
  head.writeUInt16LE(Number.parseInt(element, 16), 2);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, value]);
}

export const us = (...values: readonly number[]): Uint8Array => {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16LE(value & 0xffff, 2 * index);
  return bytes;
};

/** The four UIDs that an instance must have. */
export const uids: readonly Buffer[] = [
  element('00080016', 'UI', '1.2.840.10008.5.1.4.1.1.1'),
  element('00080018', 'UI', '1.2.3.4'),
  element('0020000D', 'UI', '1.2.3'),
  element('0020000E', 'UI', '1.2.3.1'),
];

/** A Part 10 file around a data set. */
export function part10(dataset: readonly Uint8Array[], transferSyntaxUid = '1.2.840.10008.1.2.1'): Uint8Array {
  const syntax = element('00020010', 'UI', transferSyntaxUid);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(syntax.length);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element('00020000', 'UL', length), syntax, ...dataset]);
}

/** A grey image of 2 rows and 3 columns; `header` adds or replaces elements by tag. */
export function film(
  pixels: Uint8Array | Buffer = us(0, 1, 2, 3, 4, 5),
  header: Readonly<Record<string, Buffer | null>> = {},
  transferSyntaxUid?: string,
): Uint8Array {
  const elements: Record<string, Buffer | null> = {
    '00080016': uids[0]!,
    '00080018': uids[1]!,
    '0020000D': uids[2]!,
    '0020000E': uids[3]!,
    '00280002': element('00280002', 'US', us(1)),
    '00280004': element('00280004', 'CS', 'MONOCHROME2'),
    '00280010': element('00280010', 'US', us(2)),
    '00280011': element('00280011', 'US', us(3)),
    '00280100': element('00280100', 'US', us(16)),
    '00280101': element('00280101', 'US', us(12)),
    '00280102': element('00280102', 'US', us(11)),
    '00280103': element('00280103', 'US', us(0)),
    '7FE00010': element('7FE00010', 'OW', pixels),
    ...header,
  };
  const sorted = Object.entries(elements).sort(([a], [b]) => (a < b ? -1 : 1));
  return part10(
    sorted.flatMap(([, bytes]) => bytes ?? []),
    transferSyntaxUid,
  );
}

/** Encapsulated pixel data: an empty offset table, then the fragments. */
export function encapsulated(...fragments: readonly Uint8Array[]): Buffer {
  const items = [Buffer.alloc(0), ...fragments].map((fragment) => delimiter('E000', fragment));
  return Buffer.concat([element('7FE00010', 'OB', '', 0xffffffff), ...items, delimiter('E0DD')]);
}
