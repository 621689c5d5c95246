/** Transfer syntaxes that the gateway reads (PS3.5 10, annex A; PS3.6 table A-1, edition 2025e). */

/** How elements are written: with or without VR, in which byte order. */
export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

/** How pixel data is written; `null`: no decoder reads it. */
export type PixelCodec = 'native' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k' | null;

export interface TransferSyntax {
  readonly name: string;
  readonly encoding: Encoding;
  readonly deflated: boolean;
  readonly pixels: PixelCodec;
}

const explicit: Encoding = { explicit: true, littleEndian: true };
const encapsulated = (name: string, pixels: PixelCodec): TransferSyntax => ({
  name,
  encoding: explicit,
  deflated: false,
  pixels,
});

export const implicitLittleEndian = '1.2.840.10008.1.2';
export const explicitLittleEndian = '1.2.840.10008.1.2.1';
export const explicitBigEndian = '1.2.840.10008.1.2.2';

export const transferSyntaxes: Readonly<Record<string, TransferSyntax>> = {
  [implicitLittleEndian]: {
    name: 'Implicit VR Little Endian',
    encoding: { explicit: false, littleEndian: true },
    deflated: false,
    pixels: 'native',
  },
  [explicitLittleEndian]: encapsulated('Explicit VR Little Endian', 'native'),
  '1.2.840.10008.1.2.1.99': { ...encapsulated('Deflated Explicit VR Little Endian', 'native'), deflated: true },
  [explicitBigEndian]: {
    name: 'Explicit VR Big Endian',
    encoding: { explicit: true, littleEndian: false },
    deflated: false,
    pixels: 'native',
  },
  '1.2.840.10008.1.2.4.50': encapsulated('JPEG Baseline (Process 1)', 'jpeg'),
  '1.2.840.10008.1.2.4.51': encapsulated('JPEG Extended (Process 2 and 4)', 'jpeg'),
  '1.2.840.10008.1.2.4.57': encapsulated('JPEG Lossless, Non-Hierarchical (Process 14)', 'jpeg-lossless'),
  '1.2.840.10008.1.2.4.70': encapsulated('JPEG Lossless, Non-Hierarchical, First-Order Prediction', 'jpeg-lossless'),
  '1.2.840.10008.1.2.4.80': encapsulated('JPEG-LS Lossless', 'jpeg-ls'),
  '1.2.840.10008.1.2.4.81': encapsulated('JPEG-LS Lossy (Near-Lossless)', 'jpeg-ls'),
  '1.2.840.10008.1.2.4.90': encapsulated('JPEG 2000 (Lossless Only)', 'jpeg-2000'),
  '1.2.840.10008.1.2.4.91': encapsulated('JPEG 2000', 'jpeg-2000'),
  '1.2.840.10008.1.2.4.201': encapsulated('High-Throughput JPEG 2000 (Lossless Only)', 'htj2k'),
  '1.2.840.10008.1.2.4.202': encapsulated('High-Throughput JPEG 2000 with RPCL Options (Lossless Only)', 'htj2k'),
  '1.2.840.10008.1.2.4.203': encapsulated('High-Throughput JPEG 2000', 'htj2k'),
  '1.2.840.10008.1.2.5': encapsulated('RLE Lossless', 'rle'),
};

/** Every encapsulated transfer syntax is in Explicit VR Little Endian around its pixels (PS3.5 A.4), the unknown ones too. */
export function transferSyntaxOf(uid: string): TransferSyntax {
  return Object.hasOwn(transferSyntaxes, uid) ? transferSyntaxes[uid]! : encapsulated('unknown', null);
}
