import { Failure } from '../core/failure.ts';
import { codecModules, LosslessDecoder, type WasmDecoder } from './codec-modules.ts';
import {
  type CodestreamSize,
  expectEnd,
  expectTileParts,
  type Jpeg2000Size,
  readJpeg2000Size,
  readJpegSize,
} from './codestream.ts';
import { decodeJpegDct } from './jpeg-dct.ts';
import { decodeRle } from './rle.ts';
import { transferSyntaxOf } from './transfer-syntax.ts';

/** Compressed frames to samples. What a frame declares is held against the header before memory is spent on it. */

/** What the header says of a frame of one sample a pixel. */
export interface FrameShape {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
}

export interface DecodedFrame {
  /** rows × columns values, row by row, as the codec or the file has them: neither masked nor sign-extended. */
  readonly samples: Uint8Array | Uint16Array | Int16Array;
  /** Bits of a sample in the codestream; BitsAllocated where there is none. */
  readonly precision: number;
  /** Rounding may have carried a value out of BitsStored bits, where the codestream has more of them. */
  readonly overshoots?: true;
  /** How often rows and columns were halved, rounded up; 0 when absent. */
  readonly halvings?: number;
}

type WasmCodec = keyof typeof codecModules;

/**
 * Decodes one frame, whole; with `leastSide` a JPEG 2000 frame may come in the smallest of its sizes whose sides are no shorter.
 * Raises `unsupported-transfer-syntax`, `truncated`, `decode-failed`, and `invalid-pixels` when the codestream has another size,
 * depth or number of samples than the header.
 */
export async function decodeFrame(
  syntaxUid: string,
  frame: Uint8Array,
  shape: FrameShape,
  leastSide: number | null = null,
): Promise<DecodedFrame> {
  const codec = transferSyntaxOf(syntaxUid).pixels;
  if (codec === null) throw unsupported(syntaxUid);
  if (codec === 'native') throw invalid('PixelData', 'native pixels, as the transfer syntax says', 'fragments');
  if (codec === 'rle') return decodeNative(decodeRle(frame, pixelsOf(shape), shape.bitsAllocated / 8), shape, true);
  if (codec === 'jpeg-2000' || codec === 'htj2k') {
    const size = readJpeg2000Size(frame);
    expectSize(size, shape);
    expectEnd(frame);
    expectTileParts(frame);
    return decodeJpeg2000(codec, frame, size, leastSide === null ? 0 : halvingsOf(size, leastSide));
  }
  const size = readJpegSize(frame);
  expectSize(size, shape);
  expectEnd(frame);
  if (codec === 'jpeg-lossless') return decodeLossless(frame, size);
  if (codec === 'jpeg') {
    const { precision } = size;
    if (precision === 12) return { samples: decodeJpegDct(frame, size), precision, overshoots: true };
    if (precision !== 8) throw invalid('bits of the codestream', '8 or 12', String(precision));
    // A lossy stream of 8 bits in a header of 12 has lost what BitsStored and the windows speak of.
    if (shape.bitsStored !== 8) throw invalid('BitsStored', '8, as the codestream has', String(shape.bitsStored));
  }
  return decodeWasm(codec, frame, size);
}

/**
 * Samples of native pixel data; `littleEndian` tells of the words that they stand in, two samples of 8 bits in one. They are those
 * bytes themselves, and no copy of a whole film, where they lie as this machine reads them.
 * Raises `truncated` when there are fewer than rows × columns; more are ignored.
 */
export function decodeNative(bytes: Uint8Array, shape: FrameShape, littleEndian: boolean): DecodedFrame {
  const precision = shape.bitsAllocated;
  const pixels = pixelsOf(shape);
  const length = pixels * (precision / 8);
  if (bytes.length < length) throw truncated('PixelData', `${length} bytes`, String(bytes.length));
  const words = littleEndian && isAligned(bytes, precision) ? bytes : copyOfWords(bytes, length, littleEndian);
  const samples = precision === 8 ? words.subarray(0, length) : new Uint16Array(words.buffer, words.byteOffset, pixels);
  return { samples, precision };
}

/** Words begin at an even address; a file may put them at an odd one. */
const isAligned = ({ byteOffset }: Uint8Array, precision: 8 | 16): boolean => precision === 8 || byteOffset % 2 === 0;

function copyOfWords(bytes: Uint8Array, length: number, littleEndian: boolean): Uint8Array {
  const copy = Buffer.from(new Uint8Array(length + (length % 2)).buffer);
  copy.set(bytes.subarray(0, copy.length));
  return littleEndian ? copy : copy.swap16();
}

const pixelsOf = ({ rows, columns }: FrameShape): number => rows * columns;

function expectSize(size: CodestreamSize, { rows, columns, bitsAllocated }: FrameShape): void {
  const same = (where: string, expected: number, got: number) => {
    if (expected !== got) throw invalid(`${where} of the codestream`, String(expected), String(got));
  };
  same('rows', rows, size.rows);
  same('columns', columns, size.columns);
  same('samples a pixel', 1, size.components);
  if (size.precision > bitsAllocated) {
    throw invalid('bits of the codestream', `at most ${bitsAllocated}`, String(size.precision));
  }
}

/** Zeros in front of the end marker: the decoder loses the last pixel when it meets the marker while it looks ahead. */
const lookAheadBytes = 4;

function decodeLossless(frame: Uint8Array, { precision, rows, columns }: CodestreamSize): DecodedFrame {
  const end = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).lastIndexOf('ffd9', undefined, 'hex');
  const file = new Uint8Array(end + lookAheadBytes + 2);
  file.set(frame.subarray(0, end));
  file.set([0xff, 0xd9], end + lookAheadBytes);
  const decoder = new LosslessDecoder();
  const samples = guard('JPEG Lossless', () => decoder.decode(file.buffer, 0, file.length, precision > 8 ? 2 : 1));
  // At an end that comes too early the decoder stops without a word, or reads on behind it as if there were zeros.
  const readOn = (decoder.stream?.index ?? 0) > file.length;
  const isWhole = samples.length === rows * columns && decoder.yLoc === rows && !readOn;
  if (!isWhole) throw failed('JPEG Lossless', 'a sample for every pixel');
  return { samples, precision };
}

/** As often as the codestream allows while no side becomes shorter than `leastSide`. */
function halvingsOf({ rows, columns, levels }: Jpeg2000Size, leastSide: number): number {
  let halvings = 0;
  while (halvings < levels && halved(Math.min(rows, columns), halvings + 1) >= leastSide) halvings++;
  return halvings;
}

/** Length of a side after so many halvings (ISO 15444-1 B.5). */
export const halved = (side: number, halvings: number): number => Math.ceil(side / 2 ** halvings);

/**
 * Signed samples are decoded as unsigned ones, half the range higher, which is the same stream but for one bit of its header
 * (ISO 15444-1 G.1): the codecs cut unsigned samples to their range and make something else of signed ones beyond it, and of
 * all that are negative in 8 bits. OpenJPH cuts at 8 and 16 bits alone.
 */
async function decodeJpeg2000(
  codec: 'jpeg-2000' | 'htj2k',
  frame: Uint8Array,
  size: Jpeg2000Size,
  most: number,
): Promise<DecodedFrame> {
  const { signed, depthAt, precision } = size;
  const stream = signed ? frame.with(depthAt, precision - 1) : frame;
  const { samples, halvings } = await decodeHalved(codec, stream, size, most);
  const white = 2 ** precision - 1;
  for (let i = 0; i < samples.length; i++) if (samples[i]! > white) samples[i] = white;
  if (!signed) return { samples, precision, halvings };
  const half = 2 ** (precision - 1);
  return { samples: Int16Array.from(samples, (value) => value - half), precision, halvings };
}

/** At the smaller size, or whole where that fails: a tile may have fewer sizes than the main header says. */
async function decodeHalved(
  codec: 'jpeg-2000' | 'htj2k',
  frame: Uint8Array,
  size: Jpeg2000Size,
  halvings: number,
): Promise<Pick<DecodedFrame, 'samples'> & { readonly halvings: number }> {
  try {
    return { ...(await decodeWasm(codec, frame, size, halvings)), halvings };
  } catch (thrown) {
    if (halvings === 0) throw thrown;
    return { ...(await decodeWasm(codec, frame, size)), halvings: 0 };
  }
}

/** Compiled modules, kept from film to film; one that has failed is thrown away with its memory. */
const compiled = new Map<WasmCodec, Promise<new () => WasmDecoder>>();

async function decodeWasm(
  codec: WasmCodec,
  frame: Uint8Array,
  size: CodestreamSize,
  halvings = 0,
): Promise<DecodedFrame> {
  const module = compiled.get(codec) ?? codecModules[codec]();
  compiled.delete(codec);
  const Decoder = await module;
  const decoded = guard(codec, () => runDecoder(new Decoder(), frame, size, halvings));
  compiled.set(codec, module);
  return decoded;
}

function runDecoder(decoder: WasmDecoder, frame: Uint8Array, size: CodestreamSize, halvings: number): DecodedFrame {
  decoder.getEncodedBuffer(frame.length).set(frame);
  if (halvings > 0) decoder.decodeSubResolution!(halvings, 0);
  else decoder.decode();
  const complaint = decoder.getLastErrorMessage?.();
  if (complaint) throw failed('codec', 'a stream that the codec can decode', complaint);
  const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
  const bytes = Uint8Array.prototype.slice.call(decoder.getDecodedBuffer());
  decoder.delete();
  // The codecs tell the full size whatever they decode.
  const asDeclared = width === size.columns && height === size.rows && bitsPerSample === size.precision;
  const [rows, columns] = [halved(size.rows, halvings), halved(size.columns, halvings)];
  const length = rows * columns * (size.precision > 8 ? 2 : 1);
  if (!asDeclared || componentCount !== 1 || bytes.length !== length) throw failed('codec', 'the declared size');
  return { samples: size.precision > 8 ? new Uint16Array(bytes.buffer) : bytes, precision: size.precision };
}

/** Whatever a codec throws (numbers, strings, aborts) is a failure to decode. */
function guard<T>(where: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw failed(where, 'a stream that the codec can decode', cause);
  }
}

const unsupported = (syntaxUid: string, expected?: string, got?: string): Failure =>
  new Failure('unsupported-transfer-syntax', {
    where: `${transferSyntaxOf(syntaxUid).name} ${/^[0-9.]{1,64}$/.test(syntaxUid) ? syntaxUid : ''}`.trim(),
    ...(expected === undefined ? {} : { expected }),
    ...(got === undefined ? {} : { got }),
  });

const failed = (where: string, expected: string, cause?: unknown): Failure =>
  new Failure('decode-failed', { where, expected, cause });

const truncated = (where: string, expected: string, got: string): Failure =>
  new Failure('truncated', { where, expected, got });

const invalid = (where: string, expected: string, got: string): Failure =>
  new Failure('invalid-pixels', { where, expected, got });
