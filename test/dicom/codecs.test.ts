// @ts-expect-error: the package has no declarations
import createCharls from '@cornerstonejs/codec-charls/wasmjs';
// @ts-expect-error: the package has no declarations
import createOpenJpeg from '@cornerstonejs/codec-openjpeg/wasmjs';
// @ts-expect-error: the package has no declarations
import createOpenJph from '@cornerstonejs/codec-openjph/wasmjs';
import { describe, expect, test } from '@jest/globals';
import { decodeFrame, type FrameShape } from '../../src/dicom/codecs.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { pixelDigest, storedPixels } from '../../src/dicom/pixels.ts';
import { failureOf, readFilm, testWith } from './reading-support.ts';

const rle = '1.2.840.10008.1.2.5';
const jpegLs = '1.2.840.10008.1.2.4.80';
const jpeg2000 = '1.2.840.10008.1.2.4.90';
const htj2k = '1.2.840.10008.1.2.4.201';

/** What the encoders of the packages have in common. */
interface Encoder {
  getDecodedBuffer(frame: object): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  setQuality?(isLossless: boolean, quality: number): void;
  setProgressionOrder?(order: number): void;
}

const shape: FrameShape = { rows: 33, columns: 47, bitsAllocated: 16, bitsStored: 12 };
const samples = Uint16Array.from({ length: 33 * 47 }, (_, index) => (index * 2654435761) % 4096);

function encodeWith(encoder: Encoder, values: Uint16Array = samples): Uint8Array {
  const frame = {
    width: 47,
    height: 33,
    bitsPerSample: 12,
    componentCount: 1,
    isSigned: false,
    isUsingColorTransform: false,
  };
  encoder.getDecodedBuffer(frame).set(new Uint8Array(values.buffer));
  encoder.setQuality?.(true, 0);
  encoder.encode();
  return Uint8Array.from(encoder.getEncodedBuffer());
}

async function encodeJpegLs(): Promise<Uint8Array> {
  return encodeWith(new (await createCharls()).JpegLSEncoder() as Encoder);
}

async function encodeJpeg2000(values: Uint16Array = samples): Promise<Uint8Array> {
  return encodeWith(new (await createOpenJpeg()).J2KEncoder() as Encoder, values);
}

async function encodeHtj2k(
  prepare: (encoder: Encoder) => void = () => {},
  values: Uint16Array = samples,
): Promise<Uint8Array> {
  const encoder = new (await createOpenJph()).HTJ2KEncoder() as Encoder;
  prepare(encoder);
  return encodeWith(encoder, values);
}

/** One RLE segment of literal runs. */
function pack(bytes: readonly number[]): number[] {
  const packed: number[] = [];
  for (let at = 0; at < bytes.length; at += 128) {
    const run = bytes.slice(at, at + 128);
    packed.push(run.length - 1, ...run);
  }
  return packed;
}

function rleFrame(segments: readonly (readonly number[])[]): Uint8Array {
  const head = Buffer.alloc(64);
  head.writeUInt32LE(segments.length, 0);
  let at = 64;
  for (const [index, segment] of segments.entries()) {
    head.writeUInt32LE(at, 4 + 4 * index);
    at += segment.length;
  }
  return Buffer.concat([head, ...segments.map((segment) => Buffer.from(segment))]);
}

describe.each([
  ['JPEG-LS', jpegLs, encodeJpegLs, 'decode-failed'],
  ['JPEG 2000', jpeg2000, () => encodeJpeg2000(), 'truncated'],
  ['HTJ2K', htj2k, () => encodeHtj2k(), 'truncated'],
])('%s', (_, syntax, encode, forgedEnd) => {
  const code = (frame: Uint8Array, other: Partial<FrameShape> = {}) =>
    failureOf(() => decodeFrame(syntax, frame, { ...shape, ...other }));

  test('gives back every value, because lossless means the same values', async () => {
    const { samples: decoded, precision } = await decodeFrame(syntax, await encode(), shape);
    expect(precision).toBe(12);
    expect(decoded).toEqual(samples);
  });

  test('of another size than the header is refused before it is decoded, because a header must not choose the memory', async () => {
    const frame = await encode();
    expect(await code(frame, { rows: 32 })).toBe('invalid-pixels');
    expect(await code(frame, { columns: 48 })).toBe('invalid-pixels');
    expect(await code(frame, { bitsAllocated: 8, bitsStored: 8 })).toBe('invalid-pixels');
  });

  test('cut short is truncated, and with a forged end it fails, because half a film must not be scored', async () => {
    const frame = await encode();
    const half = frame.subarray(0, frame.length >> 1);
    expect(await code(half)).toBe('truncated');
    expect(await code(Buffer.concat([half, Buffer.from('ffd9', 'hex')]))).toBe(forgedEnd);
    expect(await code(new Uint8Array(200))).toBe('decode-failed');
  });

  test('decodes again after a failure, because one bad film must not spoil the next', async () => {
    const frame = await encode();
    const isJpegLs = syntax === jpegLs;
    const cut = Buffer.concat([frame.subarray(0, 400), Buffer.from('ffd9', 'hex')]);
    // More resolutions than a JPEG 2000 codestream can have (COD, ISO 15444-1 A.6.1): the codec itself must stumble.
    const resolutions = Buffer.from(frame).indexOf('ff52', 0, 'hex') + 9;
    expect(await code(isJpegLs ? cut : frame.with(resolutions, 99))).toBe('decode-failed');
    expect((await decodeFrame(syntax, frame, shape)).samples).toEqual(samples);
  });

  test('decodes two frames at once, because callers do not wait for each other', async () => {
    const frame = await encode();
    const both = await Promise.all([decodeFrame(syntax, frame, shape), decodeFrame(syntax, frame, shape)]);
    for (const { samples: decoded } of both) expect(decoded).toEqual(samples);
  });
});

describe.each([
  ['JPEG 2000', jpeg2000, encodeJpeg2000],
  ['HTJ2K', htj2k, (values: Uint16Array) => encodeHtj2k(() => {}, values)],
])('%s at a smaller size', (_, syntax, encode) => {
  const smooth = Uint16Array.from(samples, (_value, index) => 1000 + 40 * (index % 47) + 30 * Math.floor(index / 47));

  test('is the film itself, halved while no side becomes too short, because a reading needs no more', async () => {
    const frame = await encode(smooth);
    const sizes = [17, 16, 9, 8, 1].map(async (least) => {
      const { halvings = 0, samples: decoded } = await decodeFrame(syntax, frame, shape, least);
      return [least, halvings, decoded.length];
    });
    // 33 × 47, 17 × 24, 9 × 12, 5 × 6, 3 × 3, 2 × 2; the encoder makes five levels.
    expect(await Promise.all(sizes)).toEqual([
      [17, 1, 17 * 24],
      [16, 1, 17 * 24],
      [9, 2, 9 * 12],
      [8, 2, 9 * 12],
      [1, 5, 4],
    ]);
    const { samples: quarter } = await decodeFrame(syntax, frame, shape, 9);
    for (const [row, column] of [
      [1, 1],
      [4, 6],
      [7, 10],
    ] as const) {
      const middle = 1000 + 40 * (4 * column) + 30 * (4 * row);
      expect(Math.abs(quarter[row * 12 + column]! - middle)).toBeLessThan(60);
    }
  });

  test('is whole where nobody asks for less', async () => {
    expect((await decodeFrame(syntax, await encode(smooth), shape)).samples).toEqual(smooth);
  });
});

test('a JPEG 2000 stream whose component has sizes of its own (COC) is read whole, because they may be fewer', async () => {
  const stream = Buffer.from(await encodeJpeg2000());
  const cod = stream.indexOf('ff52', 0, 'hex');
  const end = cod + 2 + stream.readUInt16BE(cod + 2);
  const coc = Buffer.concat([Buffer.from('ff5300090000', 'hex'), stream.subarray(cod + 9, cod + 14)]);
  const frame = Buffer.concat([stream.subarray(0, end), coc, stream.subarray(end)]);
  const { samples: decoded, halvings } = await decodeFrame(jpeg2000, frame, shape, 1);
  expect(halvings).toBe(0);
  expect(decoded).toEqual(samples);
});

test('a JPEG 2000 tile with fewer sizes than the main header says is read whole, because it can be', async () => {
  const stream = Buffer.from(await encodeJpeg2000());
  const cod = stream.indexOf('ff52', 0, 'hex');
  const own = stream.subarray(cod, cod + 2 + stream.readUInt16BE(cod + 2));
  const sot = stream.indexOf('ff90', 0, 'hex');
  const sod = stream.indexOf('ff93', sot, 'hex');
  const tile = Buffer.concat([stream.subarray(sot, sod), own]);
  if (tile.readUInt32BE(6) > 0) tile.writeUInt32BE(tile.readUInt32BE(6) + own.length, 6);
  const main = Buffer.from(stream.subarray(0, sot));
  main[cod + 9] = main[cod + 9]! + 1;
  const { samples: decoded, halvings } = await decodeFrame(
    jpeg2000,
    Buffer.concat([main, tile, stream.subarray(sod)]),
    shape,
    1,
  );
  expect(halvings).toBe(0);
  expect(decoded).toEqual(samples);
});

describe('HTJ2K beside OpenJPEG, another decoder', () => {
  const openJpeg = async (frame: Uint8Array) => (await decodeFrame(jpeg2000, frame, shape)).samples;
  const rpcl = 2;

  test('gives the same values, by resolution (RPCL) too', async () => {
    const frame = await encodeHtj2k((encoder) => encoder.setProgressionOrder?.(rpcl));
    expect(await openJpeg(frame)).toEqual(samples);
    expect((await decodeFrame('1.2.840.10008.1.2.4.202', frame, shape)).samples).toEqual(samples);
  });

  const encodeLossy = async (quantisation: number, values = samples): Promise<Uint8Array> => {
    const encoder = new (await createOpenJph()).HTJ2KEncoder() as Encoder;
    return encodeWith(
      {
        getDecodedBuffer: (of) => encoder.getDecodedBuffer(of),
        getEncodedBuffer: () => encoder.getEncodedBuffer(),
        encode: () => {
          encoder.setQuality?.(false, quantisation);
          encoder.encode();
        },
      },
      values,
    );
  };

  test('keeps black black and white white where rounding goes beyond them, because a wrapped value is the other end', async () => {
    const blocks = samples.map((_, index) => ((index >> 2) % 2 === (((index / 47) | 0) >> 2) % 2 ? 4095 : 0));
    const { samples: decoded } = await decodeFrame(htj2k, await encodeLossy(0.05, blocks), shape);
    expect(Math.max(...decoded)).toBe(4095);
    expect(decoded.filter((value, at) => Math.abs(value - blocks[at]!) > 2047)).toHaveLength(0);
  });

  test('is within one level where it is lossy', async () => {
    const frame = await encodeLossy(0.01);
    const [own, other] = [(await decodeFrame('1.2.840.10008.1.2.4.203', frame, shape)).samples, await openJpeg(frame)];
    expect(own).not.toEqual(samples);
    expect(own.every((value, at) => Math.abs(value - other[at]!) <= 1)).toBe(true);
  });
});

describe('RLE', () => {
  const small: FrameShape = { rows: 1, columns: 4, bitsAllocated: 16, bitsStored: 16 };
  const code = (frame: Uint8Array) => failureOf(() => decodeFrame(rle, frame, small));

  test('joins the bytes of a sample, the high one first, and reads runs, literals and no-ops', async () => {
    const frame = rleFrame([
      [0xfd, 0x01],
      [0x80, 0x01, 0x02, 0x03, 0xff, 0x04],
    ]);
    expect((await decodeFrame(rle, frame, small)).samples).toEqual(Uint16Array.of(0x102, 0x103, 0x104, 0x104));
  });

  test('gives back every value of a larger frame', async () => {
    const high = pack([...samples].map((value) => value >> 8));
    const low = pack([...samples].map((value) => value & 0xff));
    expect((await decodeFrame(rle, rleFrame([high, low]), shape)).samples).toEqual(samples);
  });

  test.each([
    ['nothing', Buffer.alloc(0), 'truncated'],
    ['one segment instead of two', rleFrame([[0xfd, 0]]), 'decode-failed'],
    [
      'a segment that ends in a literal',
      rleFrame([
        [0x03, 0, 0],
        [0xfd, 0],
      ]),
      'truncated',
    ],
    [
      'a segment that ends before its pixels',
      rleFrame([
        [0xfe, 0],
        [0xfd, 0],
      ]),
      'truncated',
    ],
    [
      'offsets behind the end',
      rleFrame([
        [0xfd, 0],
        [0xfd, 0],
      ]).with(8, 0xff),
      'decode-failed',
    ],
    [
      'offsets in the header',
      rleFrame([
        [0xfd, 0],
        [0xfd, 0],
      ]).with(4, 0),
      'decode-failed',
    ],
  ])('%s is refused', async (_, frame, expected) => {
    expect(await code(frame)).toBe(expected);
  });
});

test.each(['1.2.840.10008.1.2.4.102', '1.2.840.10008.1.2.8.1', '1.2.3', '__proto__'])(
  '%s is refused by name, because a guess at pixels is worse than none',
  async (syntax) => {
    expect(await failureOf(() => decodeFrame(syntax, Buffer.from('ffd8', 'hex'), shape))).toBe(
      'unsupported-transfer-syntax',
    );
  },
);

describe('films of the data folder', () => {
  const lossless = ['jpeg2000_lossless', 'jpeg_lossless_p14', 'jpeg_lossless_sv1', 'jpegls_lossless', 'rle'];
  const digestOf = async (file: Uint8Array): Promise<string> => pixelDigest(await storedPixels(parsePart10(file)));
  testWith('films')(
    'are the same film in every lossless syntax, and from a Buffer in the middle of a file',
    async () => {
      const expected = await digestOf(readFilm('chest-derived/mono1_explicit_le.dcm'));
      for (const name of [...lossless, 'explicit_be', 'implicit_le', 'deflated']) {
        const file = readFilm(`chest-derived/mono1_${name}.dcm`);
        expect([name, await digestOf(file)]).toEqual([name, expected]);
        expect([name, await digestOf(Buffer.concat([Buffer.alloc(9), file]).subarray(9))]).toEqual([name, expected]);
      }
    },
  );

  testWith('films')(
    'fail when the end of their stream is cut off and forged, because decoders fill what is missing',
    async () => {
      for (const name of [...lossless, 'jpeg2000_lossy', 'jpegls_near']) {
        const parsed = parsePart10(readFilm(`chest-derived/mono1_${name}.dcm`));
        const whole = Buffer.concat(parsed.pixelData?.fragments ?? []);
        const decodePart = (...parts: Uint8Array[]) =>
          failureOf(() => storedPixels({ ...parsed, pixelData: { fragments: parts } }));
        const most = whole.subarray(0, Math.floor(whole.length * 0.7));
        expect([name, await decodePart(most)]).toEqual([name, 'truncated']);
        const forged = await decodePart(most, Buffer.from('ffd9', 'hex'));
        expect([name, forged]).toEqual([name, /^(rle|jpeg2000)/.test(name) ? 'truncated' : 'decode-failed']);
        expect([name, await decodePart(whole)]).toEqual([name, 'none']);
      }
    },
  );

  testWith('films')(
    'of 16 bits keep their last pixel in JPEG Lossless, because the decoder loses it at the end marker',
    async () => {
      const [jpeg, reference] = await Promise.all(
        ['JPLL', 'JLSL'].map((syntax) => storedPixels(parsePart10(readFilm(`nema-wg04/CT2/CT2_${syntax}.dcm`)))),
      );
      expect(jpeg?.values.at(-1)).toBe(-2048);
      expect(jpeg && pixelDigest(jpeg)).toBe(reference && pixelDigest(reference));
    },
  );

  testWith('films')('survive flipped bytes: decoded or refused, never another error', async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 0x80000000;
      return seed % below;
    };
    for (const name of lossless) {
      const parsed = parsePart10(readFilm(`chest-derived/mono1_${name}.dcm`));
      const whole = Buffer.concat(parsed.pixelData?.fragments ?? []);
      for (let round = 0; round < 12; round++) {
        const flipped = Buffer.from(whole);
        for (let flip = 0; flip < 4; flip++) flipped[random(round % 2 ? flipped.length : 120)] = random(256);
        const outcome = await failureOf(() => storedPixels({ ...parsed, pixelData: { fragments: [flipped] } }));
        expect(['none', 'decode-failed', 'invalid-pixels', 'truncated', 'unsupported-transfer-syntax']).toContain(
          outcome,
        );
      }
    }
  });
});
