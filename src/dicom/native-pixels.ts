import type { Dataset } from '../core/study.ts';
import { frame } from './canonical.ts';
import { keywords } from './keywords.ts';

/**
 * PixelData of our own pictures, written beside dcmjs: that copies them in pieces of 256 bytes, ten thousand of them a picture,
 * and their garbage held the gateway up longer than anything else.
 */

const [pixelTag] = keywords.PixelData;

export interface Apart {
  readonly rest: Dataset;
  /** The element as it stands behind all others in Explicit VR Little Endian (PS3.5 7.1.2); empty where it is left in `rest`. */
  readonly pixels: Uint8Array;
}

/** The native pixels of a data set apart from it, when they are its last element (PS3.5 7.1: ascending tags). */
export function nativePixelsApart(dataset: Dataset): Apart {
  const { [pixelTag]: attribute, ...rest } = dataset;
  const bytes = attribute?.Value?.[0];
  const isLast = bytes instanceof Uint8Array && Object.keys(rest).every((tag) => tag < pixelTag);
  return isLast
    ? { rest, pixels: frame(pixelTag, attribute!.vr, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) }
    : { rest: dataset, pixels: new Uint8Array() };
}

export function withPixels(file: Uint8Array, pixels: Uint8Array): Uint8Array {
  if (pixels.length === 0) return file;
  const whole = new Uint8Array(file.length + pixels.length);
  whole.set(file);
  whole.set(pixels, file.length);
  return whole;
}
