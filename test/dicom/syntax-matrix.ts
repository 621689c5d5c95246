import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
// @ts-expect-error: the package has no declarations
import createOpenJph from '@cornerstonejs/codec-openjph/wasmjs';
import { asFailure } from '../../src/core/failure.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { storedPixels } from '../../src/dicom/pixels.ts';
import { element, encapsulated, film, runPython, us } from './reading-support.ts';

/** Small films in every transfer syntax, depth, sign and photometric interpretation, and how near the gateway comes to others. */

export interface Case {
  readonly name: string;
  readonly syntax: string;
  readonly bits: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly photometric: string;
  readonly writer: string;
  /** Words of an encoder that makes no such file. */
  readonly refused?: string;
}

/** Largest difference of a stored value to what went in and to what another decoder gives; null where it gives nothing. */
export interface Outcome extends Case {
  readonly code: string;
  readonly source: number | null;
  readonly pydicom: number | null;
  readonly dcmtk: number | null;
}

const htj2k = '1.2.840.10008.1.2.4.20';
const lossyQuantisation = 0.002;
const rpcl = 2;
/** Place of Ssiz in a codestream of one component (ISO 15444-1 A.5.1). */
const depthAt = 42;

/** Makes all files in `folder`, reads each of them as the gateway does, and compares. */
export async function runMatrix(folder: string): Promise<readonly Outcome[]> {
  const made = runPython('matrix.py', folder).map((line) => JSON.parse(line) as Case);
  const natives = made.filter(({ name }) => name.startsWith('native-'));
  const encoded = (await Promise.all(natives.map((native) => encodeHtj2k(folder, native)))).flat();
  const cases = [...made, ...encoded];
  const written = cases.filter(({ refused }) => refused === undefined);
  const answers = runPython('reference.py', folder, ...written.map(({ name }) => join(folder, `${name}.dcm`)));
  const outcomes: Outcome[] = [];
  for (const [index, one] of written.entries()) {
    const isKnown = !('error' in (JSON.parse(answers[index]!) as object));
    outcomes.push(await readCase(folder, one, isKnown ? `${index}.stored` : null));
  }
  return outcomes;
}

async function readCase(folder: string, one: Case, stored: string | null): Promise<Outcome> {
  const none = { source: null, pydicom: null, dcmtk: null };
  try {
    const { values } = await storedPixels(parsePart10(readBytes(folder, `${one.name}.dcm`)));
    const against = (file: string | null) =>
      file !== null && existsSync(join(folder, file)) ? largestDifference(values, readInts(folder, file)) : null;
    const source = one.name.replace(/^htj2k[a-z-]*?-(?=\d)/, 'native-');
    const found = { source: `${source}.source`, pydicom: stored, dcmtk: `${one.name}.dcmtk` };
    return {
      ...one,
      code: 'read',
      source: against(found.source),
      pydicom: against(found.pydicom),
      dcmtk: against(found.dcmtk),
    };
  } catch (thrown) {
    return { ...one, ...none, code: asFailure(thrown).code };
  }
}

const readBytes = (folder: string, file: string): Uint8Array => new Uint8Array(readFileSync(join(folder, file)));
const readInts = (folder: string, file: string): Int32Array => new Int32Array(readBytes(folder, file).buffer);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

/** What is used of OpenJPH's encoder. */
interface Encoder {
  getDecodedBuffer(frame: object): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  setQuality(isLossless: boolean, quality: number): void;
  setProgressionOrder(order: number): void;
  delete(): void;
}

/** The three syntaxes of HTJ2K from a native file, unless HighBit says that its values lie elsewhere in their cells. */
async function encodeHtj2k(folder: string, native: Case): Promise<readonly Case[]> {
  if (native.highBit !== native.bits - 1) return [];
  const { HTJ2KEncoder } = (await createOpenJph()) as { HTJ2KEncoder: new () => Encoder };
  const { values, rows, columns } = await storedPixels(parsePart10(readBytes(folder, `${native.name}.dcm`)));
  // The encoder takes signed bytes for unsigned ones: they go in higher by half the range, and the header tells of the sign.
  const patched = native.signed && native.bits === 8;
  const bytes =
    native.bits === 8
      ? Uint8Array.from(values, (value) => value + (patched ? 128 : 0))
      : Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const kinds = [
    { suffix: '', syntax: `${htj2k}1`, lossless: true, order: null },
    { suffix: '-rpcl', syntax: `${htj2k}2`, lossless: true, order: rpcl },
    { suffix: '-lossy', syntax: `${htj2k}3`, lossless: false, order: null },
  ];
  return kinds.map(({ suffix, syntax, lossless, order }) => {
    const encoder = new HTJ2KEncoder();
    const frame = {
      width: columns,
      height: rows,
      bitsPerSample: native.bits,
      componentCount: 1,
      isSigned: native.signed && !patched,
      isUsingColorTransform: false,
    };
    encoder.getDecodedBuffer(frame).set(bytes);
    encoder.setQuality(lossless, lossless ? 0 : lossyQuantisation);
    if (order !== null) encoder.setProgressionOrder(order);
    encoder.encode();
    const stream = Buffer.from(encoder.getEncodedBuffer());
    encoder.delete();
    if (patched) stream[depthAt] = 0x87;
    const even = stream.length % 2 === 0 ? stream : Buffer.concat([stream, Buffer.alloc(1)]);
    const number = (tag: string, value: number) => ({ [tag]: element(tag, 'US', us(value)) });
    const file = film(
      Buffer.alloc(0),
      {
        ...number('00280010', rows),
        ...number('00280011', columns),
        ...number('00280100', native.bits === 8 ? 8 : 16),
        ...number('00280101', native.bits),
        ...number('00280102', native.highBit),
        ...number('00280103', native.signed ? 1 : 0),
        '00280004': element('00280004', 'CS', native.photometric),
        '7FE00010': encapsulated(even),
      },
      syntax,
    );
    const name = `htj2k${suffix}-${native.name.slice('native-'.length)}`;
    writeFileSync(join(folder, `${name}.dcm`), file);
    return { ...native, name, syntax, writer: 'OpenJPH' };
  });
}
