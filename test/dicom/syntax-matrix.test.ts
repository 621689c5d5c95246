import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import { fillMarkers } from '../../scripts/generate.ts';
import { asFailure } from '../../src/core/failure.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { storedPixels } from '../../src/dicom/pixels.ts';
import { transferSyntaxes } from '../../src/dicom/transfer-syntax.ts';
import { delimiter, element, testWith, withFolder } from './reading-support.ts';
import { type Outcome, runMatrix } from './syntax-matrix.ts';
import { depths, differenceOf, type Framed, isLossless, matrixTables } from './syntax-page.ts';

/** Faults 32 and 33: every transfer syntax at every depth, against what went in and the decoders of others. */

const page = resolve(import.meta.dirname, '../../conformance/transfer-syntaxes.md');
/** OpenJPH computes its wavelets in single precision, OpenJPEG does not quite: seen in 16 bits. */
const widest: Readonly<Record<string, number>> = { '1.2.840.10008.1.2.4.203 16': 3 };

let outcomes: readonly Outcome[] = [];
let framed: readonly Framed[] = [];

const withMatrix = testWith('python');

beforeAll(
  () =>
    withFolder(async (folder) => {
      if (withMatrix === test.skip) return;
      outcomes = await runMatrix(folder);
      framed = await readFramings(folder);
    }),
  180_000,
);

/** One frame of 12 bits a codec, laid into fragments in each of these ways. */
const framings: Readonly<Record<string, (frame: Buffer) => readonly Buffer[]>> = {
  'empty offset table': (frame) => [Buffer.alloc(0), frame],
  'offset table of one frame': (frame) => [Buffer.alloc(4), frame],
  'no offset table': (frame) => [frame],
  'four fragments': (frame) => [Buffer.alloc(0), ...quarters(frame)],
  'sixteen zeros behind the frame': (frame) => [Buffer.alloc(0), Buffer.concat([frame, Buffer.alloc(16)])],
  'a last fragment of odd length': (frame) => [Buffer.alloc(0), Buffer.concat([frame, Buffer.alloc(1)])],
};

const codecs = {
  RLE: 'rle-12-11-u-2',
  'JPEG Extended': 'jpeg-extended-12-11-u-2',
  'JPEG Lossless': 'jpeg-lossless-sv1-12-11-u-2',
  'JPEG-LS': 'jpeg-ls-12-11-u-2',
  'JPEG 2000': 'jpeg-2000-12-11-u-2',
  HTJ2K: 'htj2k-12-11-u-2',
};

function quarters(frame: Buffer): readonly Buffer[] {
  const size = 2 * Math.ceil(frame.length / 8);
  return [0, 1, 2, 3].map((part) => frame.subarray(part * size, part === 3 ? undefined : (part + 1) * size));
}

async function readFramings(folder: string): Promise<readonly Framed[]> {
  const found: Framed[] = [];
  for (const [codec, name] of Object.entries(codecs)) {
    const file = new Uint8Array(readFileSync(join(folder, `${name}.dcm`)));
    const { pixelData } = parsePart10(file);
    const expected = await storedPixels(parsePart10(file));
    const head = file.subarray(0, Buffer.from(file).lastIndexOf('e07f1000', undefined, 'hex'));
    for (const [framing, layout] of Object.entries(framings)) {
      const items = layout(Buffer.concat(pixelData?.fragments ?? [])).map((part) => delimiter('E000', part));
      const relaid = Buffer.concat([head, element('7FE00010', 'OB', '', 0xffffffff), ...items, delimiter('E0DD')]);
      found.push({ framing, codec, code: await codeOf(relaid, expected.values) });
    }
  }
  return found;
}

async function codeOf(file: Uint8Array, expected: ArrayLike<number>): Promise<string> {
  try {
    const { values } = await storedPixels(parsePart10(file));
    return Buffer.from(values.buffer).equals(Buffer.from((expected as Uint16Array).buffer)) ? 'read' : 'other values';
  } catch (thrown) {
    return asFailure(thrown).code;
  }
}

withMatrix(
  'fault 32: every transfer syntax that is read was written, at every depth and with and without a sign',
  () => {
    const found = new Set(outcomes.map(({ syntax, bits, signed, code }) => `${syntax} ${bits} ${signed} ${code}`));
    const missing = Object.keys(transferSyntaxes).flatMap((syntax) =>
      depths
        .flatMap((bits) => [false, true].map((signed) => `${syntax} ${bits} ${signed} read`))
        .filter((one) => !found.has(one)),
    );
    // Baseline has 8 bits, Extended 8 or 12; no encoder at hand writes signed values near-lossless.
    expect(missing.filter((one) => !/\.4\.(50 (9|1\d)|51 (9|10|11|13|14|15|16)|81 \d+ true)/.test(one))).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(500);
  },
);

withMatrix('fault 32: lossless is the values that went in, and those of every other decoder', () => {
  const off = outcomes.filter((one) => isLossless(one.syntax) && (one.code !== 'read' || differenceOf(one) !== 0));
  expect(off).toEqual([]);
});

withMatrix('fault 32: lossy is within one level of every other decoder', () => {
  const lossy = outcomes.filter(({ syntax }) => !isLossless(syntax));
  const bound = ({ syntax, bits }: Outcome) => widest[`${syntax} ${bits}`] ?? 1;
  expect(lossy.filter((one) => one.code !== 'read' || differenceOf(one) > bound(one))).toEqual([]);
  expect(lossy.every(({ pydicom, dcmtk }) => pydicom !== null || dcmtk !== null)).toBe(true);
});

withMatrix('fault 33: a frame is read however it lies in its fragments', () => {
  expect(framed.filter(({ code }) => code !== 'read')).toEqual([]);
  expect(framed.length).toBe(Object.keys(framings).length * Object.keys(codecs).length);
});

withMatrix('conformance/transfer-syntaxes.md says what was seen; WRITE_PAGES=1 writes it', () => {
  const written = readFileSync(page, 'utf8');
  const said = fillMarkers(written, matrixTables(outcomes, framed));
  if (process.env['WRITE_PAGES']) writeFileSync(page, said);
  else expect(written).toBe(said);
});
