// @ts-expect-error: the package has no declarations
import createCharls from '@cornerstonejs/codec-charls/wasmjs';
// @ts-expect-error: the package has no declarations
import createOpenJpeg from '@cornerstonejs/codec-openjpeg/wasmjs';
import { Failure } from '../core/failure.ts';
import { explicitLittleEndian } from './transfer-syntax.ts';

/** Grey frames to the lossless transfer syntaxes that the film maker offers. The gateway itself compresses nothing. */

export const jpegLsLossless = '1.2.840.10008.1.2.4.80';
export const jpeg2000Lossless = '1.2.840.10008.1.2.4.90';

/** One frame of unsigned samples, rows × columns, row by row. */
export interface GreyFrame {
  readonly columns: number;
  readonly rows: number;
  readonly bitsStored: number;
  readonly values: Uint16Array;
}

interface WasmEncoder {
  getDecodedBuffer(frame: {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
    readonly componentCount: number;
    readonly isSigned: boolean;
    readonly isUsingColorTransform: boolean;
  }): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array | Uint8ClampedArray;
  delete(): void;
}

interface Jpeg2000Encoder extends WasmEncoder {
  setQuality(lossless: boolean, quantization: number): void;
}

interface JpegLsEncoder extends WasmEncoder {
  setNearLossless(error: number): void;
}

type Factory<Name extends string, Encoder> = (options: {
  readonly print: () => void;
  readonly printErr: () => void;
}) => Promise<Readonly<Record<Name, new () => Encoder>>>;

/** A new one for each module: the modules write their exports into it. */
const silent = () => ({ print: () => {}, printErr: () => {} });

/** Pixel data of the frame, little endian or compressed. Raises `unsupported-transfer-syntax` for any other than the three. */
export async function encodeFrame(transferSyntaxUid: string, frame: GreyFrame): Promise<Uint8Array> {
  if (transferSyntaxUid === explicitLittleEndian) return bytesOf(frame.values);
  if (transferSyntaxUid === jpeg2000Lossless) {
    const { J2KEncoder } = await (createOpenJpeg as Factory<'J2KEncoder', Jpeg2000Encoder>)(silent());
    const encoder = new J2KEncoder();
    encoder.setQuality(true, 0);
    return compress(encoder, frame);
  }
  if (transferSyntaxUid === jpegLsLossless) {
    const { JpegLSEncoder } = await (createCharls as Factory<'JpegLSEncoder', JpegLsEncoder>)(silent());
    const encoder = new JpegLSEncoder();
    encoder.setNearLossless(0);
    return compress(encoder, frame);
  }
  const expected = [explicitLittleEndian, jpegLsLossless, jpeg2000Lossless].join(', ');
  throw new Failure('unsupported-transfer-syntax', { where: 'encoder', expected, got: transferSyntaxUid });
}

function compress(encoder: WasmEncoder, { columns, rows, bitsStored, values }: GreyFrame): Uint8Array {
  const shape = { width: columns, height: rows, bitsPerSample: bitsStored, componentCount: 1 };
  encoder.getDecodedBuffer({ ...shape, isSigned: false, isUsingColorTransform: false }).set(bytesOf(values));
  encoder.encode();
  // A copy: the buffer is WebAssembly memory and dies with the encoder (and of JPEG-LS it is a Uint8ClampedArray).
  const encoded = new Uint8Array(encoder.getEncodedBuffer());
  encoder.delete();
  return encoded;
}

/** Little endian, whatever the machine is. */
function bytesOf(values: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  for (let index = 0; index < values.length; index++) {
    bytes[2 * index] = values[index]! & 0xff;
    bytes[2 * index + 1] = values[index]! >> 8;
  }
  return bytes;
}
