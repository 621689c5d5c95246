import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { decodeFrame, type FrameShape } from '../../src/dicom/codecs.ts';
import { decodeJpegDct } from '../../src/dicom/jpeg-dct.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { storedPixels } from '../../src/dicom/pixels.ts';
import { type Coefficients, type JpegOptions, jpegStream, sampleOf } from './jpeg-streams.ts';
import { failureOf, filmFiles, filmPath, readFilm, testWith, withFolder } from './reading-support.ts';

/** 3 × 2 blocks, the last of each row and column cut by the frame. */
const options: JpegOptions = { rows: 13, columns: 19, precision: 12, step: 5 };
const blocks: readonly Coefficients[] = [
  { 0: 700, 1: -90, 2: 31, 63: 4 },
  { 0: -650, 17: 7, 18: -1, 40: 22 },
  { 0: -651 },
  { 3: 250, 60: -250 },
  // Out of the range on both sides.
  { 0: 4000, 1: 900 },
  { 0: -4000, 5: -1, 62: 1 },
];

function samplesOf(made: JpegOptions): Uint16Array {
  return Uint16Array.from({ length: made.rows * made.columns }, (_, at) => {
    const [y, x] = [Math.floor(at / made.columns), at % made.columns];
    const block = blocks[Math.floor(y / 8) * Math.ceil(made.columns / 8) + Math.floor(x / 8)]!;
    return sampleOf(block, x % 8, y % 8, made);
  });
}

describe('a sequential JPEG stream', () => {
  test.each<readonly [string, Partial<JpegOptions>]>([
    ['of 12 bits', {}],
    ['of 8 bits', { precision: 8, step: 1 }],
    ['with steps of 16 bits', { step: 300 }],
    ['with restart markers', { restartInterval: 2 }],
    ['with a restart marker behind every block', { restartInterval: 1 }],
    ['with a baseline frame header', { frame: 0xc0 }],
  ])('%s gives the samples of the double sum', (_name, other) => {
    const made = { ...options, ...other };
    expect(decodeJpegDct(jpegStream(blocks, made), made)).toEqual(samplesOf(made));
  });

  test('of 12 bits in a header of 10 keeps white white, because cut bits would make it black', async () => {
    const white = { ...options, rows: 8, columns: 8 };
    const header = { rows: 8, columns: 8, bitsAllocated: 16, bitsStored: 10 };
    const part10 = {
      transferSyntaxUID: '1.2.840.10008.1.2.4.51',
      pixelData: { fragments: [jpegStream([{ 0: 1500 }], white)] },
      header: Object.fromEntries(
        Object.entries({
          ...{ '00280002': 1, '00280010': header.rows, '00280011': header.columns },
          ...{ '00280100': 16, '00280101': 10, '00280102': 9, '00280103': 0 },
        }).map(([tag, value]) => [tag, { vr: 'US', Value: [value] }]),
      ),
    };
    const film = { ...part10, header: { ...part10.header, '00280004': { vr: 'CS', Value: ['MONOCHROME2'] } } };
    const { values } = await storedPixels(film as unknown as Parameters<typeof storedPixels>[0]);
    expect(new Set(values)).toEqual(new Set([1023]));
  });

  const decode = (bytes: Uint8Array) => failureOf(() => decodeJpegDct(bytes, options));
  const whole = jpegStream(blocks, options);
  const at = (...bytes: readonly number[]) => Buffer.from(whole).indexOf(Buffer.from(bytes));

  test.each<readonly [string, Uint8Array, string]>([
    ['cut in its scan', whole.subarray(0, whole.length - 12), 'truncated'],
    [
      'cut in its scan with a forged end',
      Uint8Array.from([...whole.subarray(0, whole.length - 12), 0xff, 0xd9]),
      'truncated',
    ],
    ['cut in a table', whole.subarray(0, at(0xff, 0xc4) + 9), 'truncated'],
    ['without a scan', whole.subarray(0, at(0xff, 0xda)), 'truncated'],
    ['with a byte that is no marker', whole.with(at(0xff, 0xdb), 0), 'decode-failed'],
    ['that names a table which is not there', whole.with(at(0xff, 0xda) + 6, 0x11), 'decode-failed'],
    ['with a scan of another component', whole.with(at(0xff, 0xda) + 5, 8), 'decode-failed'],
    ['with a code that no table has', whole.with(at(0xff, 0xda) + 10, 0xf8), 'decode-failed'],
    ['with a table of too many codes', whole.with(at(0xff, 0xc4) + 9, 0).with(at(0xff, 0xc4) + 7, 16), 'decode-failed'],
    ['that is progressive', whole.with(at(0xff, 0xc1) + 1, 0xc2), 'decode-failed'],
    [
      'with a block of too many coefficients',
      jpegStream([{ 0: 1, 64: 9 }, ...blocks.slice(1)], options),
      'decode-failed',
    ],
    [
      'without the restart markers that it announces',
      jpegStream(blocks, { ...options, restartInterval: 2 }).with(-1, 0xd8),
      'none',
    ],
  ])('%s is answered with a clear code', async (_name, bytes, code) => {
    expect(await decode(bytes)).toBe(code);
  });

  test('with restart markers out of turn is refused, because a part of the film is missing', async () => {
    const made = Buffer.from(jpegStream(blocks, { ...options, restartInterval: 2 }));
    made[made.indexOf('ffd1', 0, 'hex') + 1] = 0xd2;
    expect(await decode(made)).toBe('decode-failed');
  });

  test('survives flipped bytes: decoded or refused, never another error', async () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 0x80000000;
      return seed % below;
    };
    const made = jpegStream(blocks, { ...options, restartInterval: 2 });
    const shape: FrameShape = { rows: options.rows, columns: options.columns, bitsAllocated: 16, bitsStored: 12 };
    for (let round = 0; round < 400; round++) {
      const flipped = made.slice();
      for (let flip = 0; flip < 3; flip++) flipped[random(flipped.length)] = random(256);
      const code = await failureOf(() => decodeFrame('1.2.840.10008.1.2.4.51', flipped, shape));
      expect(['none', 'decode-failed', 'truncated', 'invalid-pixels']).toContain(code);
    }
  });
});

testWith('films')(
  'films of 12 bits in JPEG Extended are within one level of dcmtk, whose decoder is another',
  () =>
    withFolder(async (folder) => {
      const files = filmFiles().filter((name) => /JPLY|mono1_jpeg_ext12|pydicom\/.*JPGExtended/.test(name));
      expect(files.length).toBeGreaterThanOrEqual(7);
      for (const name of files) {
        const plain = join(folder, 'plain.dcm');
        const { status, stderr } = spawnSync('dcmdjpeg', ['+cn', filmPath(name), plain], { encoding: 'utf8' });
        expect([name, status, stderr.includes('E:')]).toEqual([name, 0, false]);
        const expected = await storedPixels(parsePart10(new Uint8Array(readFileSync(plain))));
        const own = await storedPixels(parsePart10(readFilm(name)));
        expect(own.values.length).toBe(expected.values.length);
        const off = [...own.values].reduce(
          (most, value, at) => Math.max(most, Math.abs(value - expected.values[at]!)),
          0,
        );
        expect([name, off <= 1]).toEqual([name, true]);
      }
    }),
  120_000,
);
