import { constants, inflateRawSync } from 'node:zlib';
import { Failure } from '../core/failure.ts';
import type { Dataset } from '../core/study.ts';
import { encodeCanonical } from './canonical.ts';
import { has } from './dataset.ts';
import { readCanonical } from './dcmjs-reader.ts';
import { limits } from './limits.ts';
import {
  type Encoding,
  explicitBigEndian,
  explicitLittleEndian,
  implicitLittleEndian,
  transferSyntaxOf,
} from './transfer-syntax.ts';
import { isKnownVr } from './vr.ts';
import { type Element, walkDataset, walkMeta } from './walk.ts';

/** Pixel data as it lies in the file; the bytes are views, not copies. */
export type PixelData =
  | { readonly fragments: null; readonly bytes: Uint8Array; readonly littleEndian: boolean; readonly vr: string }
  | { readonly fragments: readonly Uint8Array[]; readonly bytes?: never };

/** A DICOM file: its header in Unicode, and where its pixels lie. */
export interface Part10 {
  readonly transferSyntaxUID: string;
  /** Without pixel data, bulk data, private elements and group 0002. LUTData is a list of 16-bit words. */
  readonly header: Dataset;
  readonly pixelData: PixelData | null;
  /** What was strange or guessed: `charset-guessed`, `charset-invalid`, `transfer-syntax-guessed`, `no-preamble`, ... */
  readonly flags: readonly string[];
}

interface Opened {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly encoding: Encoding;
  readonly transferSyntaxUID: string;
}

/**
 * Reads a DICOM file (PS3.10), and a bare data set without preamble too. Raises `not-dicom`, `truncated`,
 * `malformed-dicom` (also when one of the four UIDs that name an instance is missing) and `limit-exceeded`.
 *
 * @param only tags of what is wanted of the header, the four UIDs and the character set among them; null: all of it.
 */
export function parsePart10(bytes: Uint8Array, only: ReadonlySet<string> | null = null): Part10 {
  const part10 = parseDataset(bytes, only);
  for (const keyword of ['SOPClassUID', 'SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID'] as const) {
    if (!has(part10.header, keyword)) {
      throw new Failure('malformed-dicom', { where: keyword, expected: 'a UID', got: 'none' });
    }
  }
  return part10;
}

/** As `parsePart10`, for data sets that need not be an instance, such as a DICOMDIR. */
export function parseDataset(file: Uint8Array, only: ReadonlySet<string> | null = null): Part10 {
  const flags = new Set<string>();
  const { bytes, start, encoding, transferSyntaxUID } = open(file, flags);
  const { elements, pixelData } = walkDataset(bytes, start, encoding, flags);
  const source = { bytes, flags, signed: isSigned(bytes, elements) };
  const wanted = only ? elements.filter(({ tag }) => only.has(tag)) : elements;
  const header = readCanonical(encodeCanonical(source, wanted));
  const view = (span: { start: number; end: number }) => bytes.subarray(span.start, span.end);
  const pixels = pixelData?.fragments
    ? { fragments: pixelData.fragments.map(view) }
    : pixelData && { fragments: null, bytes: view(pixelData), littleEndian: encoding.littleEndian, vr: pixelData.vr };
  return { transferSyntaxUID, header, pixelData: pixels, flags: [...flags] };
}

/** Whether PixelRepresentation (0028,0103) is 1. */
function isSigned(bytes: Uint8Array, elements: readonly Element[]): boolean {
  const element = elements.find(({ tag }) => tag === '00280103');
  return element !== undefined && bytes.subarray(element.start, element.end).includes(1);
}

/** Finds where the data set begins and how it is written. */
function open(file: Uint8Array, flags: Set<string>): Opened {
  const metaStart = isAscii(file, 128, 'DICM') ? 132 : isAscii(file, 0, 'DICM') ? 4 : null;
  if (metaStart !== 132) flags.add('no-preamble');
  const start = metaStart ?? 0;
  if (metaStart === null && !isMeta(file)) return openBare(file, 0, flags);
  const meta = walkMeta(file, start);
  const syntax = meta.elements.find(({ tag }) => tag === '00020010');
  if (!syntax) return openBare(file, meta.next, flags);
  const transferSyntaxUID = uidAt(file, syntax);
  const { encoding, deflated } = transferSyntaxOf(transferSyntaxUID);
  if (deflated) return { bytes: inflate(file.subarray(meta.next)), start: 0, encoding, transferSyntaxUID };
  return { bytes: file, start: meta.next, encoding: agreed(file, meta.next, encoding, flags), transferSyntaxUID };
}

const uidAt = (file: Uint8Array, { start, end }: Element): string =>
  Buffer.from(file.subarray(start, end))
    .toString('latin1')
    .replace(/[\0 ]+$/, '');

/** A data set that does not say how it is written: its first element tells. */
function openBare(file: Uint8Array, start: number, flags: Set<string>): Opened {
  const encoding = sniff(file, start);
  if (!encoding) {
    throw new Failure('not-dicom', { where: 'first bytes', expected: 'DICM or a data element of group 0008' });
  }
  flags.add('transfer-syntax-guessed');
  const { explicit, littleEndian } = encoding;
  const transferSyntaxUID = explicit ? (littleEndian ? explicitLittleEndian : explicitBigEndian) : implicitLittleEndian;
  return { bytes: file, start, encoding, transferSyntaxUID };
}

/** The declared encoding, unless the first element is plainly written in another one. */
function agreed(file: Uint8Array, start: number, declared: Encoding, flags: Set<string>): Encoding {
  const seen = sniff(file, start);
  if (!seen || (seen.explicit === declared.explicit && seen.littleEndian === declared.littleEndian)) return declared;
  flags.add('transfer-syntax-guessed');
  return seen;
}

/** How the first element is written, if it is one of group 0008 with a length that the file can hold; else null. */
function sniff(file: Uint8Array, start: number): Encoding | null {
  if (start + 8 > file.length) return null;
  const view = new DataView(file.buffer, file.byteOffset + start, file.length - start);
  const littleEndian = view.getUint16(0, true) === 8;
  if (!littleEndian && view.getUint16(0, false) !== 8) return null;
  if (isKnownVr(String.fromCharCode(view.getUint8(4), view.getUint8(5)))) return { explicit: true, littleEndian };
  return littleEndian && view.getUint32(4, true) <= view.byteLength - 8 ? { explicit: false, littleEndian } : null;
}

const isAscii = (file: Uint8Array, at: number, text: string): boolean =>
  Buffer.from(file.subarray(at, at + text.length)).toString('latin1') === text;

/** File meta information at the very begin: group 0002 with an explicit VR. */
const isMeta = (file: Uint8Array): boolean =>
  isAscii(file, 0, '\u0002\0') && /^(U[LI]|OB)$/.test(String.fromCharCode(file[4] ?? 0, file[5] ?? 0));

/** The data set of the deflated transfer syntax (PS3.5 A.5), never beyond the limits. */
function inflate(deflated: Uint8Array): Uint8Array {
  const allowed = Math.max(limits.inflatedFreeBytes, deflated.length * limits.inflateRatio);
  const maxOutputLength = Math.min(limits.inflatedBytes, allowed);
  try {
    return inflateRawSync(deflated, { maxOutputLength, finishFlush: constants.Z_FINISH });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const where = 'deflated data set';
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new Failure('limit-exceeded', { where, expected: `at most ${maxOutputLength} bytes` });
    }
    if (code === 'Z_BUF_ERROR') throw new Failure('truncated', { where, expected: 'the end of the stream' });
    throw new Failure('malformed-dicom', { where, expected: 'a deflate stream', cause });
  }
}
