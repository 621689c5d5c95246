/** The typed door to the codec packages, which bring no types: only what we use of them, under the names that they have there. */
// @ts-expect-error: the package has no declarations
import createCharls from '@cornerstonejs/codec-charls/decodewasmjs';
// @ts-expect-error: the package has no declarations
import createTurbo from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
// @ts-expect-error: the package has no declarations
import createOpenJpeg from '@cornerstonejs/codec-openjpeg/decodewasmjs';
// @ts-expect-error: the package has no declarations
import createOpenJph from '@cornerstonejs/codec-openjph/wasmjs';
// @ts-expect-error: the package points to declarations that it does not hold
import lossless from 'jpeg-lossless-decoder-js';

/** A decoder in WebAssembly memory. Buffers are views of that memory: they die with `delete` and when the memory grows. */
export interface WasmDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  /** Of JPEG 2000: the size halved so many times; 0 layers are all. */
  decodeSubResolution?(halvings: number, layers: number): void;
  getFrameInfo(): {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
    readonly componentCount: number;
    readonly isSigned?: boolean;
  };
  /** Of codecs that tell a fault instead of throwing it; empty when all went well. */
  getLastErrorMessage?(): string;
  delete(): void;
}

type Factory<Name extends string> = (options: {
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<Readonly<Record<Name, new () => WasmDecoder>>>;

/** A new object each time: the module that comes of it lives in it. */
const silent = () => ({ print: () => {}, printErr: () => {} });

/** Each call compiles a module of its own with fresh memory; what the codecs would print is dropped. */
export const codecModules = {
  'jpeg-ls': async () => (await (createCharls as Factory<'JpegLSDecoder'>)(silent())).JpegLSDecoder,
  jpeg: async () => (await (createTurbo as Factory<'JPEGDecoder'>)(silent())).JPEGDecoder,
  'jpeg-2000': async () => (await (createOpenJpeg as Factory<'J2KDecoder'>)(silent())).J2KDecoder,
  htj2k: async () => (await (createOpenJph as Factory<'HTJ2KDecoder'>)(silent())).HTJ2KDecoder,
} as const satisfies Readonly<Record<string, () => Promise<new () => WasmDecoder>>>;

interface Lossless {
  readonly Decoder: new () => {
    /** Rows that are decoded. */
    readonly yLoc: number;
    /** The bytes that were read. */
    readonly stream: { readonly index: number } | null;
    /** Samples of `bytesPerSample` bytes. */
    decode(file: ArrayBuffer, offset: number, length: number, bytesPerSample: 1 | 2): Uint8Array | Uint16Array;
  };
}

export const LosslessDecoder = (lossless as Lossless).Decoder;
