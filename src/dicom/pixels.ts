import { createHash } from 'node:crypto';
import { Failure } from '../core/failure.ts';
import type { Dataset } from '../core/study.ts';
import { type DecodedFrame, decodeFrame, decodeNative, type FrameShape, halved } from './codecs.ts';
import { number, text } from './dataset.ts';
import { limits } from './limits.ts';
import type { Part10, PixelData } from './part10.ts';
import { transferSyntaxOf } from './transfer-syntax.ts';

export { radiograph } from './grey.ts';

/** Stored values of a single-frame grey image (PS3.3 C.7.6.3.1), or of the same image at a smaller size. */
export interface StoredPixels {
  /** How often rows and columns of the image were halved, rounded up. */
  readonly halvings: number;
  /** Of the image in the file. */
  readonly source: { readonly rows: number; readonly columns: number };
  readonly rows: number;
  readonly columns: number;
  /** rows × columns values, row by row: BitsStored bits, sign-extended when PixelRepresentation is 1. */
  readonly values: Uint16Array | Int16Array;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly photometricInterpretation: 'MONOCHROME1' | 'MONOCHROME2';
}

interface PixelModule extends FrameShape {
  readonly highBit: number;
  readonly signed: boolean;
  readonly photometricInterpretation: StoredPixels['photometricInterpretation'];
}

/**
 * Decodes the one frame of an image; with `leastSide` one of JPEG 2000 at the smallest of its sizes that is no shorter.
 * Raises `no-pixels`, `invalid-pixels` when the pixel module contradicts itself or the
 * codestream, `limit-exceeded`, `truncated`, `unsupported-transfer-syntax` and `decode-failed`.
 */
export async function storedPixels(
  { header, pixelData, transferSyntaxUID }: Part10,
  leastSide: number | null = null,
): Promise<StoredPixels> {
  if (pixelData === null) throw new Failure('no-pixels', { where: 'PixelData', expected: 'pixel data', got: 'none' });
  const module = pixelModule(header);
  const frame = await decode(pixelData, transferSyntaxUID, module, leastSide);
  const { bitsStored, signed, photometricInterpretation } = module;
  const { halvings = 0 } = frame;
  const [rows, columns] = [halved(module.rows, halvings), halved(module.columns, halvings)];
  const values = storedValues(frame, module);
  const source = { rows: module.rows, columns: module.columns };
  return { rows, columns, halvings, source, values, bitsStored, signed, photometricInterpretation };
}

/** Hex SHA-256 of size, photometric interpretation and stored values: two lossless transfer syntaxes of one film agree, at one size. */
export function pixelDigest({ rows, columns, values, signed, photometricInterpretation }: StoredPixels): string {
  const head = `${rows}\n${columns}\n${photometricInterpretation}\n${signed ? 'signed' : 'unsigned'}\n`;
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(head).update(bytes).digest('hex');
}

function decode(
  pixelData: PixelData,
  syntaxUid: string,
  module: PixelModule,
  leastSide: number | null,
): Promise<DecodedFrame> | DecodedFrame {
  const isNative = transferSyntaxOf(syntaxUid).pixels === 'native';
  if (pixelData.fragments === null) {
    if (!isNative) throw invalid('PixelData', 'fragments, as the transfer syntax says', 'native pixels');
    const { bytes, littleEndian, vr } = pixelData;
    return decodeNative(bytes, module, littleEndian || (vr === 'OB' && module.bitsAllocated === 8));
  }
  const [first, ...more] = pixelData.fragments;
  if (!first) throw invalid('PixelData', 'a fragment', 'none');
  return decodeFrame(syntaxUid, more.length > 0 ? Buffer.concat(pixelData.fragments) : first, module, leastSide);
}

/** The pixel module of one grey frame; types and conditions of PS3.3 C.7.6.3 and C.8.11.3. */
function pixelModule(header: Dataset): PixelModule {
  const rows = whole(header, 'Rows', 1, 0xffff);
  const columns = whole(header, 'Columns', 1, 0xffff);
  if (rows * columns > limits.pixels) {
    throw new Failure('limit-exceeded', { where: 'Rows × Columns', expected: `at most ${limits.pixels}` });
  }
  whole(header, 'SamplesPerPixel', 1, 1);
  if (number(header, 'NumberOfFrames') !== null) whole(header, 'NumberOfFrames', 1, 1);
  const photometricInterpretation = text(header, 'PhotometricInterpretation');
  if (photometricInterpretation !== 'MONOCHROME1' && photometricInterpretation !== 'MONOCHROME2') {
    throw invalid('PhotometricInterpretation', 'MONOCHROME1 or MONOCHROME2', 'another or none');
  }
  const bitsAllocated = whole(header, 'BitsAllocated', 8, 16);
  if (bitsAllocated !== 8 && bitsAllocated !== 16) throw invalid('BitsAllocated', '8 or 16', String(bitsAllocated));
  const bitsStored = whole(header, 'BitsStored', 1, bitsAllocated);
  const highBit =
    number(header, 'HighBit') === null ? bitsStored - 1 : whole(header, 'HighBit', bitsStored - 1, bitsAllocated - 1);
  const signed = whole(header, 'PixelRepresentation', 0, 1) === 1;
  return { rows, columns, bitsAllocated, bitsStored, highBit, signed, photometricInterpretation };
}

type WholeNumber =
  | 'Rows'
  | 'Columns'
  | 'SamplesPerPixel'
  | 'NumberOfFrames'
  | 'BitsAllocated'
  | 'BitsStored'
  | 'HighBit'
  | 'PixelRepresentation';

function whole(header: Dataset, keyword: WholeNumber, least: number, most: number): number {
  const value = number(header, keyword);
  if (value !== null && Number.isInteger(value) && value >= least && value <= most) return value;
  const expected = least === most ? String(least) : `${least} to ${most}`;
  throw invalid(keyword, expected, value === null ? 'none' : String(value));
}

/**
 * Cuts BitsStored bits out below HighBit and extends the sign (PS3.5 8.1.1). A codestream of fewer bits has its sign in its
 * own highest bit; one of no more than BitsStored holds the values themselves, wherever HighBit would put them. What a lossy
 * stream has rounded out of the range is the nearest value in it: cut bits would make black of white.
 */
function storedValues({ samples, precision, overshoots }: DecodedFrame, module: PixelModule): Uint16Array | Int16Array {
  const { signed, highBit } = module;
  const bits = Math.min(module.bitsStored, precision);
  const shift = precision > bits ? highBit + 1 - bits : 0;
  if (bits === 16) {
    const { buffer, byteOffset, length } = samples;
    return signed ? new Int16Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
  }
  const mask = (1 << bits) - 1;
  if (!signed && shift === 0 && samples instanceof Uint16Array && fits(samples, mask)) return samples;
  const values = signed ? new Int16Array(samples.length) : new Uint16Array(samples.length);
  if (overshoots && !signed) return values.map((_, index) => Math.min(samples[index]!, mask));
  const unused = 32 - bits;
  for (let index = 0; index < samples.length; index++) {
    const cut = (samples[index]! >> shift) & mask;
    values[index] = signed ? (cut << unused) >> unused : cut;
  }
  return values;
}

/** Whether no sample has a bit beyond the mask: then there is nothing to cut, and no copy of a whole film to make. */
function fits(samples: Uint16Array, mask: number): boolean {
  let all = 0;
  for (let index = 0; index < samples.length; index++) all |= samples[index]!;
  return (all & ~mask) === 0;
}

const invalid = (where: string, expected: string, got: string): Failure =>
  new Failure('invalid-pixels', { where, expected, got });
