import sharp from 'sharp';
import { asFailure } from '../../src/core/failure.ts';
import { pictureFormatOf, readPicture } from '../../src/model/picture-file.ts';

const plenty = 1_000_000;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: unknown) => `${asFailure(thrown).code} at ${asFailure(thrown).detail.where}`,
  );

const levels = Uint8Array.from({ length: 16 * 8 }, (_, i) => i * 2);
const raw = { width: 16, height: 8, channels: 1 } as const;
const grey = () => sharp(levels, { raw }).toColourspace('b-w');

test('white is 1 and black is 0, because a model is shown films as a radiologist sees them', async () => {
  const { columns, rows, pixels, pixelAspect } = await readPicture(await grey().png().toBuffer(), plenty);
  expect([columns, rows, pixelAspect]).toEqual([16, 8, 1]);
  expect([...pixels].map((pixel) => Math.round(pixel * 255))).toEqual([...levels]);
});

test('colour becomes luma in the steps of Pillow, because the training code reads its films so', async () => {
  const rgb = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 90);
  const png = await sharp(rgb, { raw: { width: 4, height: 1, channels: 3 } })
    .png()
    .toBuffer();
  const { pixels } = await readPicture(png, plenty);
  // Image.fromarray(...).convert('L') of the same four pixels.
  expect([...pixels].map((pixel) => Math.round(pixel * 255))).toEqual([76, 150, 29, 131]);
});

test.each([
  ['GIF89a', null],
  ['<svg xmlns="http://www.w3.org/2000/svg"/>', null],
  ['II*\0', null],
  ['', null],
])('%j never reaches the picture library, because it would open it', (text, format) => {
  expect(pictureFormatOf(Buffer.from(text))).toBe(format);
});

test('formats are told by their first bytes, because names lie', async () => {
  expect(pictureFormatOf(await grey().png().toBuffer())).toBe('png');
  expect(pictureFormatOf(await grey().jpeg().toBuffer())).toBe('jpeg');
});

test('a picture beyond the limit is refused before it is decoded, because 31 kB may hold 768 MB', async () => {
  const bomb = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'black' } })
    .png()
    .toBuffer();
  expect(await codeOf(readPicture(bomb, plenty))).toBe('limit-exceeded at width × height of the picture');
  expect(await codeOf(readPicture(await grey().png().toBuffer(), 127))).toMatch(/^limit-exceeded/);
  expect(await codeOf(readPicture(await grey().png().toBuffer(), 128))).toBe('none');
});

test('what is not 8-bit grey or RGB is refused, because a guess would be scored', async () => {
  const deep = await grey().toColourspace('grey16').png().toBuffer();
  expect(await codeOf(readPicture(deep, plenty))).toBe('invalid-pixels at depth of the picture file');
  const print = await grey().toColourspace('cmyk').jpeg().toBuffer();
  expect(await codeOf(readPicture(print, plenty))).toBe('invalid-pixels at colours of the picture file');
});

test('a picture that ends early or is of one grey is refused, because a network scores anything', async () => {
  const whole = await grey().png().toBuffer();
  expect(await codeOf(readPicture(whole.subarray(0, 60), plenty))).toBe('decode-failed at picture file');
  const flat = await sharp(new Uint8Array(128).fill(7), { raw }).png().toBuffer();
  expect(await codeOf(readPicture(flat, plenty))).toBe('constant-image at picture file');
});
