import { Failure } from '../core/failure.ts';
import { createTextDecoder, type DecodeText, decodePlain } from './charset.ts';
import { tagName } from './dataset.ts';
import { encodedTextVrs, hasLongLength, numberVrs, plainTextVrs, singleTextVrs } from './vr.ts';
import type { Element } from './walk.ts';

/**
 * The one form in which a header goes to dcmjs: Explicit VR Little Endian, text in UTF-8, every length true, no private
 * elements, no bulk data. Whatever order of bytes, character set or mistake the file has ends here.
 */

export interface Source {
  readonly bytes: Uint8Array;
  readonly flags: Set<string>;
  /** From PixelRepresentation: whether values of `US or SS` are signed (PS3.5 A.1). */
  readonly signed: boolean;
}

const specificCharacterSet = '00080005';
const lutData = '00283006';

/**
 * The elements of a data set, or of an item with the character sets of its parent, as one canonical block. Every block says
 * that it is in UTF-8, items too: dcmjs does not hand the character set down to them.
 */
export function encodeCanonical(
  source: Source,
  elements: readonly Element[],
  parentTerms: readonly string[] = [],
): Buffer {
  const own = elements.find(({ tag }) => tag === specificCharacterSet);
  const terms = own ? decodePlain(valueBytes(source, own), () => {}).split('\\') : parentTerms;
  const decode = createTextDecoder(terms, (flag) => source.flags.add(flag));
  const written = elements
    .filter((element) => isKept(element) && isFilled(element))
    .map((element) => encodeElement(source, element, terms, decode));
  return Buffer.concat([frame(specificCharacterSet, 'CS', Buffer.from('ISO_IR 192')), ...written]);
}

/** Standard attributes but group lengths, bulk data, and the groups of curves, overlays, waveforms and pixels. */
function isKept({ tag, vr, items }: Element): boolean {
  const group = Number.parseInt(tag.slice(0, 4), 16);
  if (group % 2 === 1 || tag.endsWith('0000') || group >= 0x5000 || tag === specificCharacterSet) return false;
  return items !== null || tag === lutData || encodedTextVrs.has(vr) || plainTextVrs.has(vr) || isNumber(vr);
}

/** dcmjs would make a number of an empty value. */
const isFilled = ({ items, start, end }: Element): boolean => items !== null || end > start;

const isNumber = (vr: string): boolean => vr in numberVrs || vr === 'US or SS';

function encodeElement(source: Source, element: Element, terms: readonly string[], decode: DecodeText): Buffer {
  const { tag, items } = element;
  const vr = tag === lutData ? 'OW' : element.vr === 'US or SS' ? (source.signed ? 'SS' : 'US') : element.vr;
  if (items) return frame(tag, 'SQ', Buffer.concat(items.map((item) => encodeItem(source, item, terms))));
  const bytes = valueBytes(source, element);
  if (plainTextVrs.has(vr)) return frame(tag, vr, Buffer.from(plainText(source, vr, bytes)));
  if (encodedTextVrs.has(vr)) {
    const kind = vr === 'PN' ? 'name' : singleTextVrs.has(vr) ? 'single' : 'list';
    return frame(tag, vr, Buffer.from(decode(bytes, kind)));
  }
  return frame(tag, vr, littleEndian(bytes, numberVrs[vr] ?? 2, element.littleEndian));
}

/** dcmjs logs an age string of other than four characters: a short one, such as `62`, is padded. */
function plainText({ flags }: Source, vr: string, bytes: Uint8Array): string {
  const text = decodePlain(bytes, (flag) => flags.add(flag));
  return vr === 'AS' ? text.trimEnd().padEnd(4) : text;
}

function encodeItem(source: Source, item: readonly Element[], terms: readonly string[]): Buffer {
  const value = encodeCanonical(source, item, terms);
  const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(value.length, 4);
  return Buffer.concat([head, value]);
}

function frame(tag: string, vr: string, value: Buffer): Buffer {
  const long = hasLongLength(vr);
  const padded = value.length % 2 === 0 ? value : Buffer.concat([value, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
  if (!long && padded.length > 0xffff) {
    throw new Failure('malformed-dicom', { where: tagName(tag), expected: `at most 64 KiB under VR ${vr}` });
  }
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
  head.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(padded.length, 8);
  else head.writeUInt16LE(padded.length, 6);
  return Buffer.concat([head, padded]);
}

const valueBytes = ({ bytes }: Source, { start, end }: Element): Uint8Array => bytes.subarray(start, end);

/** Whole numbers only: a rest that is shorter than one is dropped. */
function littleEndian(bytes: Uint8Array, size: number, isLittle: boolean): Buffer {
  const whole = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % size)));
  if (isLittle || size === 1) return whole;
  return size === 2 ? whole.swap16() : size === 4 ? whole.swap32() : whole.swap64();
}
