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
export function encodeCanonical(source: Source, elements: readonly Element[], parent?: DecodeText): Buffer {
  const own = elements.find(({ tag }) => tag === specificCharacterSet);
  const decode = own || !parent ? textDecoderOf(source, own) : parent;
  const written = elements
    .filter((element) => isKept(element) && isFilled(element))
    .map((element) => encodeElement(source, element, decode));
  return Buffer.concat([frame(specificCharacterSet, 'CS', Buffer.from('ISO_IR 192')), ...written]);
}

function textDecoderOf(source: Source, own: Element | undefined): DecodeText {
  return createTextDecoder(termsIn(source, own), (flag) => source.flags.add(flag));
}

/** The values of SpecificCharacterSet of a data set, as they are written; one empty value where it has none. */
export function characterSetOf(source: Source, elements: readonly Element[]): readonly string[] {
  return termsIn(
    source,
    elements.find(({ tag }) => tag === specificCharacterSet),
  );
}

const termsIn = (source: Source, own: Element | undefined): readonly string[] =>
  (own ? decodePlain(valueBytes(source, own), () => {}) : '').split('\\').map((term) => term.trim());

/** Standard attributes but group lengths, bulk data, and the groups of curves, overlays, waveforms and pixels. */
function isKept({ tag, vr, items }: Element): boolean {
  const group = Number.parseInt(tag.slice(0, 4), 16);
  if (group % 2 === 1 || tag.endsWith('0000') || group >= 0x5000 || tag === specificCharacterSet) return false;
  return (
    items !== null || tag === lutData || encodedTextVrs.has(vr) || plainTextVrs.has(vr) || numberBytes(vr) !== undefined
  );
}

/** dcmjs would make a number of an empty value. */
const isFilled = ({ vr, items, start, end }: Element): boolean =>
  items !== null || end - start >= (numberBytes(vr) ?? 1);

const numberBytes = (vr: string): number | undefined => numberVrs[vr === 'US or SS' ? 'US' : vr];

function encodeElement(source: Source, element: Element, decode: DecodeText): Buffer {
  const { tag, items } = element;
  const vr = tag === lutData ? 'OW' : element.vr === 'US or SS' ? (source.signed ? 'SS' : 'US') : element.vr;
  if (items) return frame(tag, 'SQ', Buffer.concat(items.map((item) => encodeItem(source, item, decode))));
  const bytes = valueBytes(source, element);
  if (plainTextVrs.has(vr)) return frame(tag, vr, Buffer.from(plainText(source, vr, bytes)));
  if (encodedTextVrs.has(vr)) {
    const kind = vr === 'PN' ? 'name' : singleTextVrs.has(vr) ? 'single' : 'list';
    return frame(tag, vr, Buffer.from(decode(bytes, kind)));
  }
  return frame(tag, vr, littleEndian(bytes, numberBytes(vr) ?? 2, element.littleEndian));
}

/**
 * Text as dcmjs can bear it. It drops from numbers what it does not understand, so that `1,5` would become 15: what is no
 * decimal string is emptied. It logs an age string of other than four characters: a short one, such as `62`, is padded.
 */
function plainText({ flags }: Source, vr: string, bytes: Uint8Array): string {
  const text = decodePlain(bytes, (flag) => flags.add(flag));
  if (vr === 'AS') return text.trimEnd().padEnd(4);
  if (vr !== 'DS' && vr !== 'IS') return text;
  const numbers = text.split('\\').map((value) => value.replace(/^[ \0]+|[ \0]+$/g, ''));
  const isNumber = (value: string) => value === '' || decimal.test(value);
  if (!numbers.every(isNumber)) flags.add('number-invalid');
  return numbers.map((value) => (isNumber(value) ? value : '')).join('\\');
}

/** A decimal or integer string (PS3.5 table 6.2-1). */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

const encodeItem = (source: Source, item: readonly Element[], decode: DecodeText): Buffer =>
  frameItem(encodeCanonical(source, item, decode));

/** One item of a sequence, of known length. */
export function frameItem(value: Buffer): Buffer {
  const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(value.length, 4);
  return Buffer.concat([head, value]);
}

const isSpaced = (vr: string): boolean => vr !== 'UI' && (encodedTextVrs.has(vr) || plainTextVrs.has(vr));

/** One element in Explicit VR Little Endian, padded to an even length: text by a space, UIDs and bytes by zero (PS3.5 6.2). */
export function frame(tag: string, vr: string, value: Buffer): Buffer {
  const long = hasLongLength(vr);
  const padded = value.length % 2 === 0 ? value : Buffer.concat([value, Buffer.from(isSpaced(vr) ? ' ' : '\0')]);
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
