import { describe, expect, test } from '@jest/globals';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { pixelDigest, radiograph, storedPixels } from '../../src/dicom/pixels.ts';
import { delimiter, element, encapsulated, failureOf, film, us } from './reading-support.ts';

type Header = Parameters<typeof film>[1];
const ramp = us(0, 1, 2, 3, 4, 5);

const stored = async (pixels: Uint8Array, header?: Header, syntax?: string) => [
  ...(await storedPixels(parsePart10(film(pixels, header, syntax)))).values,
];

async function greys(pixels: Uint8Array, header?: Header): Promise<number[]> {
  const parsed = parsePart10(film(pixels, header));
  return [...radiograph(parsed, await storedPixels(parsed)).pixels].map((grey) => Number(grey.toFixed(4)));
}

const code = (pixels: Uint8Array, header?: Header, syntax?: string) => failureOf(() => stored(pixels, header, syntax));
const greyCode = (pixels: Uint8Array, header?: Header) => failureOf(() => greys(pixels, header));
const number = (tag: string, ...values: number[]) => ({ [tag]: element(tag, 'US', us(...values)) });
const words = (tag: string, vr: string, value: string) => ({ [tag]: element(tag, vr, value) });
const bits = (allocated: number, bitsStored: number, highBit: number, representation = 0) => ({
  ...number('00280100', allocated),
  ...number('00280101', bitsStored),
  ...number('00280102', highBit),
  ...number('00280103', representation),
});
const window = (center: number, width: number, shape?: string) => ({
  ...words('00281050', 'DS', String(center)),
  ...words('00281051', 'DS', String(width)),
  ...(shape ? words('00281056', 'CS', shape) : {}),
});
const lut = (tag: string, descriptor: Uint8Array, data: Uint8Array, vr = 'US') => ({
  [tag]: element(
    tag,
    'SQ',
    delimiter('E000', Buffer.concat([element('00283002', vr, descriptor), element('00283006', 'OW', data)])),
  ),
});
const mono1 = words('00280004', 'CS', 'MONOCHROME1');

describe('stored values', () => {
  test('are the bits below HighBit, because the others may hold an overlay', async () => {
    expect(await stored(us(0xf001, 0x0002, 0xffff, 0, 0, 0))).toEqual([1, 2, 0xfff, 0, 0, 0]);
    expect(await stored(us(0x0010, 0x0025, 0xffff, 0, 0, 0), bits(16, 12, 15))).toEqual([1, 2, 0xfff, 0, 0, 0]);
  });

  test('are sign-extended when PixelRepresentation is 1', async () => {
    expect(await stored(us(0x0fff, 0x0800, 0x07ff, 0, 0, 0), bits(16, 12, 11, 1))).toEqual([-1, -2048, 2047, 0, 0, 0]);
    expect(await stored(us(-1, -32768, 32767, 0, 0, 0), bits(16, 16, 15, 1))).toEqual([-1, -32768, 32767, 0, 0, 0]);
    expect(await stored(Buffer.from([0xff, 0x80, 0x7f, 0, 0, 0]), bits(8, 8, 7, 1))).toEqual([-1, -128, 127, 0, 0, 0]);
  });

  test('of 8 bits are read from an odd place, because the pad byte of a file is not theirs', async () => {
    expect(await stored(Buffer.from([1, 2, 3, 4, 5, 6]), bits(8, 8, 7))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test.each([0, 1])(
    'of 16 bits are read at an address that is odd by %i, and in place where they can be',
    async (by) => {
      const file = film(us(1, 2, 0x0fff, 4, 5, 6));
      const shifted = new Uint8Array(file.length + 1).subarray(by, by + file.length);
      shifted.set(file);
      const { values } = await storedPixels(parsePart10(shifted));
      expect([...values]).toEqual([1, 2, 0x0fff, 4, 5, 6]);
      expect(values.buffer === shifted.buffer).toBe(by === 0);
    },
  );

  test.each<[string, Header, string]>([
    ['three samples a pixel', number('00280002', 3), 'invalid-pixels'],
    ['two frames', words('00280008', 'IS', '2'), 'invalid-pixels'],
    ['no Rows', { '00280010': null }, 'invalid-pixels'],
    ['no Columns', number('00280011', 0), 'invalid-pixels'],
    ['RGB', words('00280004', 'CS', 'RGB'), 'invalid-pixels'],
    ['12 bits allocated', number('00280100', 12), 'invalid-pixels'],
    ['32 bits allocated', number('00280100', 32), 'invalid-pixels'],
    ['more bits stored than allocated', bits(8, 12, 11), 'invalid-pixels'],
    ['a HighBit below BitsStored − 1', bits(16, 12, 10), 'invalid-pixels'],
    ['a HighBit beyond BitsAllocated', bits(16, 12, 16), 'invalid-pixels'],
    ['no PixelRepresentation', { '00280103': null }, 'invalid-pixels'],
    ['65,535 × 65,535 pixels', { ...number('00280010', 65535), ...number('00280011', 65535) }, 'limit-exceeded'],
    ['more pixels than bytes', number('00280010', 3), 'truncated'],
    ['no pixel data', { '7FE00010': null }, 'no-pixels'],
    ['fragments in a native syntax', { '7FE00010': encapsulated(Buffer.alloc(12)) }, 'invalid-pixels'],
  ])('%s is refused', async (_, header, expected) => {
    expect(await code(ramp, header)).toBe(expected);
  });

  /** Rows, Columns, BitsAllocated, BitsStored, HighBit, SamplesPerPixel, NumberOfFrames: 12 bytes of pixels under all of them. */
  const odd = 'invalid-pixels';
  test.each<[number, number, number, number, number, number, string, string]>([
    [2, 3, 16, 12, 11, 1, '1', 'none'],
    [3, 2, 16, 16, 15, 1, '1', 'none'],
    [3, 4, 8, 8, 7, 1, '1', 'none'],
    [1, 6, 16, 10, 15, 1, '1', 'none'],
    [12, 1, 8, 8, 7, 1, '1', 'none'],
    [2, 3, 16, 12, 11, 1, '', 'none'],
    [2, 4, 16, 12, 11, 1, '1', 'truncated'],
    [13, 1, 8, 8, 7, 1, '1', 'truncated'],
    [1, 65535, 8, 8, 7, 1, '1', 'truncated'],
    [65535, 1, 16, 16, 15, 1, '1', 'truncated'],
    [8192, 8192, 8, 8, 7, 1, '1', 'truncated'],
    [1024, 65535, 16, 16, 15, 1, '1', 'truncated'],
    [8193, 8192, 8, 8, 7, 1, '1', 'limit-exceeded'],
    [65535, 65535, 16, 16, 15, 1, '1', 'limit-exceeded'],
    [65535, 65535, 8, 8, 7, 1, '1', 'limit-exceeded'],
    [65535, 1025, 16, 16, 15, 1, '1', 'limit-exceeded'],
    [16384, 4097, 16, 12, 11, 1, '1', 'limit-exceeded'],
    [46341, 46341, 16, 16, 15, 1, '1', 'limit-exceeded'],
    [32768, 65535, 8, 8, 7, 1, '1', 'limit-exceeded'],
    [0, 3, 16, 12, 11, 1, '1', odd],
    [2, 0, 16, 12, 11, 1, '1', odd],
    [0, 0, 16, 12, 11, 1, '1', odd],
    [2, 3, 16, 12, 11, 0, '1', odd],
    [2, 3, 16, 12, 11, 2, '1', odd],
    [2, 3, 16, 12, 11, 3, '1', odd],
    [2, 3, 16, 12, 11, 4, '1', odd],
    [2, 3, 16, 12, 11, 65535, '1', odd],
    [2, 3, 16, 12, 11, 1, '0', odd],
    [2, 3, 16, 12, 11, 1, '2', odd],
    [2, 3, 16, 12, 11, 1, '1000000000', odd],
    [2, 3, 16, 12, 11, 1, '-1', odd],
    [2, 3, 1, 1, 0, 1, '1', odd],
    [2, 3, 12, 12, 11, 1, '1', odd],
    [2, 3, 24, 16, 15, 1, '1', odd],
    [2, 3, 32, 32, 31, 1, '1', odd],
    [2, 3, 64, 64, 63, 1, '1', odd],
    [2, 3, 16, 17, 16, 1, '1', odd],
    [2, 3, 16, 0, 0, 1, '1', odd],
    [2, 3, 8, 12, 11, 1, '1', odd],
    [2, 3, 16, 12, 10, 1, '1', odd],
    [2, 3, 16, 12, 16, 1, '1', odd],
    [2, 3, 16, 12, 65535, 1, '1', odd],
  ])(
    'T6: %i × %i pixels of %i, %i and %i bits, %i samples, "%s" frames',
    async (rows, columns, allocated, bitsStored, highBit, samples, frames, expected) => {
      const header = {
        ...bits(allocated, bitsStored, highBit),
        ...number('00280010', rows),
        ...number('00280011', columns),
        ...number('00280002', samples),
        ...words('00280008', 'IS', frames),
      };
      const before = process.memoryUsage().arrayBuffers;
      expect(await code(Buffer.alloc(12, 1), header)).toBe(expected);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
    },
  );

  test('native pixels in a compressed syntax are refused, because one of the two is a lie', async () => {
    expect(await code(ramp, {}, '1.2.840.10008.1.2.4.80')).toBe('invalid-pixels');
    expect(await code(ramp, { '7FE00010': encapsulated() }, '1.2.840.10008.1.2.4.80')).toBe('invalid-pixels');
  });
});

describe('greys', () => {
  test('span from least to most when the header has no window, because every film must use the scale', async () => {
    expect(await greys(ramp)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  test('follow the first window: LINEAR by default, then LINEAR_EXACT and SIGMOID as the standard draws them', async () => {
    expect(await greys(ramp, window(2.5, 5))).toEqual([0, 0.25, 0.5, 0.75, 1, 1]);
    expect(await greys(ramp, window(2.5, 5, 'LINEAR_EXACT'))).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(await greys(ramp, window(2, 4, 'SIGMOID'))).toEqual([0.1192, 0.2689, 0.5, 0.7311, 0.8808, 0.9526]);
    const two = { ...words('00281050', 'DS', '2.5\\900'), ...words('00281051', 'DS', '5\\2') };
    expect(await greys(ramp, two)).toEqual([0, 0.25, 0.5, 0.75, 1, 1]);
  });

  test('ignore a window that cannot be, because a width of 0 shows nothing', async () => {
    for (const shape of ['LINEAR', 'LINEAR_EXACT', 'SIGMOID']) {
      expect([shape, await greys(ramp, window(2, 0, shape))]).toEqual([shape, [0, 0.2, 0.4, 0.6, 0.8, 1]]);
    }
  });

  test('are inverted exactly once, because MONOCHROME1 and INVERSE say the same', async () => {
    const inverse = words('20500020', 'CS', 'INVERSE');
    expect(await greys(ramp, mono1)).toEqual([1, 0.8, 0.6, 0.4, 0.2, 0]);
    expect(await greys(ramp, { ...mono1, ...inverse })).toEqual([1, 0.8, 0.6, 0.4, 0.2, 0]);
    expect(await greys(ramp, inverse)).toEqual([1, 0.8, 0.6, 0.4, 0.2, 0]);
  });

  test('of padding are black on every film and do not stretch the scale, because padding is no anatomy', async () => {
    const padded = us(0, 1000, 2, 3, 4, 1000);
    expect(await greys(padded, number('00280120', 1000))).toEqual([0, 0, 0.5, 0.75, 1, 0]);
    expect(await greys(padded, { ...mono1, ...number('00280120', 1000) })).toEqual([1, 0, 0.5, 0.25, 0, 0]);
    const range = { ...number('00280120', 1000), ...number('00280121', 3) };
    expect(await greys(us(0, 1000, 2, 3, 4, 1), range)).toEqual([0, 0, 1, 0, 0, 0.5]);
  });

  test('of signed padding are found under US too, because writers confuse the two VRs', async () => {
    const header = { ...bits(16, 16, 15, 1), ...number('00280120', 0x10000 - 2000) };
    expect(await greys(us(-2000, 0, 1, 2, 3, 4), header)).toEqual([0, 0, 0.25, 0.5, 0.75, 1]);
  });

  test('follow the Modality LUT with its ends held, and the scale of its bits', async () => {
    const header = lut('00283000', us(3, 2, 12), us(100, 200, 300));
    expect(await greys(ramp, header)).toEqual([0, 0, 0, 0.5, 1, 1]);
  });

  test('follow the VOI LUT before a window, scaled to its bits', async () => {
    const header = { ...lut('00283010', us(4, 1, 8), us(0, 51, 102, 255)), ...window(2, 4) };
    expect(await greys(ramp, header)).toEqual([0, 0, 0.2, 0.4, 1, 1]);
  });

  test('follow a LUT of bytes packed two to a word, because entries of 8 bits may be written so', async () => {
    expect(await greys(ramp, lut('00283010', us(4, 1, 8), Buffer.from([0, 51, 102, 255])))).toEqual([
      0, 0, 0.2, 0.4, 1, 1,
    ]);
  });

  test.each<[string, Header]>([
    ['a LUT without data', lut('00283010', us(4, 0, 8), Buffer.alloc(0))],
    ['a LUT with too little data', lut('00283010', us(9, 0, 16), us(1, 2))],
    ['a LUT of 20 bits', lut('00283010', us(2, 0, 20), us(1, 2))],
    ['a LUT with half a descriptor', lut('00283010', us(2), us(1, 2))],
    ['a slope of 0', words('00281053', 'DS', '0')],
  ])('%s is refused, because the greys would be invented', async (_, header) => {
    expect(await greyCode(ramp, header)).toBe('invalid-pixels');
  });

  test.each<[string, Uint8Array, Header]>([
    ['one value everywhere', us(7, 7, 7, 7, 7, 7), {}],
    ['nothing but padding', us(7, 7, 7, 7, 7, 7), number('00280120', 7)],
    ['one value beside padding', us(7, 7, 9, 7, 9, 7), number('00280120', 7)],
    ['a window far away', ramp, window(4000, 2)],
    ['a Modality LUT of one value', ramp, lut('00283000', us(2, 0, 16), us(5, 5))],
  ])('of %s are a constant image, because nothing can be read from it', async (_, pixels, header) => {
    expect(await greyCode(pixels, header)).toBe('constant-image');
  });
});

test.each<[string, Header, number]>([
  ['PixelAspectRatio', words('00280034', 'IS', '2\\1'), 2],
  ['PixelSpacing', words('00280030', 'DS', '0.3\\0.2'), 1.5],
  ['ImagerPixelSpacing', words('00181164', 'DS', '0.1\\0.2'), 0.5],
  ['nothing', {}, 1],
  ['a spacing of 0', words('00280030', 'DS', '0\\0.2'), 1],
])('the pixel aspect comes from %s, because a stretched film has another heart', async (_, header, expected) => {
  const parsed = parsePart10(film(ramp, header));
  expect(radiograph(parsed, await storedPixels(parsed)).pixelAspect).toBeCloseTo(expected, 9);
});

test('the digest tells films apart by pixels, size and polarity, and by nothing else', async () => {
  const digest = async (pixels: Uint8Array, header?: Header) =>
    pixelDigest(await storedPixels(parsePart10(film(pixels, header))));
  const one = await digest(ramp);
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(await digest(ramp, words('00100020', 'LO', 'other'))).toBe(one);
  expect(await digest(us(0xf000, 1, 2, 3, 4, 5))).toBe(one);
  expect(await digest(us(1, 1, 2, 3, 4, 5))).not.toBe(one);
  expect(await digest(ramp, mono1)).not.toBe(one);
  expect(await digest(ramp, { ...number('00280010', 3), ...number('00280011', 2) })).not.toBe(one);
});
