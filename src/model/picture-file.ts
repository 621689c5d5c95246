import sharp, { type Metadata } from 'sharp';
import { Failure } from '../core/failure.ts';
import type { Radiograph } from '../core/study.ts';

/** Films that come as picture files, as public collections have them: 8-bit JPEG and PNG, grey or colour. */

export type PictureFormat = 'jpeg' | 'png';

const signatures: Readonly<Record<PictureFormat, readonly number[]>> = {
  jpeg: [0xff, 0xd8, 0xff],
  png: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
};

/** The format that the first bytes name; null: neither. Nothing else may reach sharp, which would open SVG and TIFF too. */
export function pictureFormatOf(bytes: Uint8Array): PictureFormat | null {
  const starts = (format: PictureFormat) => signatures[format].every((byte, i) => bytes[i] === byte);
  return starts('jpeg') ? 'jpeg' : starts('png') ? 'png' : null;
}

/**
 * The radiograph of a JPEG or PNG: white is 1, pixels are square. Colour profiles and orientation marks are not applied and
 * transparency is dropped, as the training code has it.
 * Raises `limit-exceeded`, `decode-failed`, `invalid-pixels` for a format that is not 8-bit grey or RGB, `constant-image`.
 */
export async function readPicture(bytes: Uint8Array, mostPixels: number): Promise<Radiograph> {
  const options = { failOn: 'warning', ignoreIcc: true } as const;
  // The header alone, without the limit: sharp tells its own refusal by text only.
  checkPicture(await decoded(() => sharp(bytes, { ...options, limitInputPixels: false }).metadata()), mostPixels);
  const picture = sharp(bytes, { ...options, limitInputPixels: mostPixels });
  const { data, info } = await decoded(() => picture.raw().toBuffer({ resolveWithObject: true }));
  const pixels = greysOf(data, info.channels);
  if (pixels.every((pixel) => pixel === pixels[0])) {
    throw new Failure('constant-image', { where: 'picture file', expected: 'two different greys' });
  }
  return { columns: info.width, rows: info.height, pixels, pixelAspect: 1 };
}

async function decoded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Failure('decode-failed', { where: 'picture file', expected: 'a whole JPEG or PNG', cause });
  }
}

function checkPicture({ width, height, depth, space }: Metadata, mostPixels: number): void {
  if (width * height > mostPixels) {
    throw new Failure('limit-exceeded', { where: 'width × height of the picture', expected: `at most ${mostPixels}` });
  }
  if (depth !== 'uchar') throw invalid('depth', '8 bits a channel', depth);
  if (space !== 'b-w' && space !== 'srgb') throw invalid('colours', 'grey or RGB', space);
}

/** Luma of ITU-R BT.601 in the integer steps of Pillow's `convert('L')`; equal channels give their own value. */
function greysOf(data: Uint8Array, channels: number): Float32Array {
  const pixels = new Float32Array(data.length / channels);
  for (let i = 0, at = 0; i < pixels.length; i++, at += channels) {
    const [red, green, blue] =
      channels < 3 ? [data[at]!, data[at]!, data[at]!] : [data[at]!, data[at + 1]!, data[at + 2]!];
    pixels[i] = ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16) / 255;
  }
  return pixels;
}

const invalid = (what: string, expected: string, got: string): Failure =>
  new Failure('invalid-pixels', { where: `${what} of the picture file`, expected, got });
