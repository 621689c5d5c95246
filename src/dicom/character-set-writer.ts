import { Failure } from '../core/failure.ts';
import type { Dataset } from '../core/study.ts';
import { frame, frameItem } from './canonical.ts';
import { texts } from './dataset.ts';
import { replacement, singleByteSets } from './single-byte.ts';
import { encodedTextVrs } from './vr.ts';
import { type Element, type Span, walkDataset, walkMeta } from './walk.ts';

/** Text of our own objects in another character set than UTF-8, for archives that know no other (PS3.3 C.12.1.1.2, edition 2025e). */

/** Defined terms that results can be written in beside ISO_IR 192: the Latin and other alphabets of one byte a letter. */
export const writableCharacterSets: readonly string[] = Object.keys(singleByteSets)
  // JIS X 0201 has no backslash and no tilde.
  .filter((number) => number !== '13')
  .map((number) => `ISO_IR ${number}`);

/** What results are written in: UTF-8, or the character set of their source where that can be. */
export type CharacterSet = 'utf-8' | 'source';

/** What a result of the film names; nothing for UTF-8. */
export function resultCharacterSet(film: Dataset, wanted: CharacterSet): { readonly SpecificCharacterSet?: string } {
  const term = texts(film, 'SpecificCharacterSet').join('\\');
  return wanted === 'source' && writableCharacterSets.includes(term) ? { SpecificCharacterSet: term } : {};
}

const specificCharacterSet = '00080005';
const explicitLittleEndian = { explicit: true, littleEndian: true };

interface Rewriting {
  readonly file: Uint8Array;
  readonly term: string;
  readonly encode: (text: string) => Buffer;
}

/**
 * A Part 10 file of ours in Explicit VR Little Endian and UTF-8, without pixels yet, written anew in one of `writableCharacterSets`; null
 * when a text of it has a letter that the set has not.
 */
export function inCharacterSet(file: Uint8Array, term: string): Uint8Array | null {
  let fits = true;
  const encode = encoderOf(term, () => {
    fits = false;
  });
  const meta = walkMeta(file, 132);
  const { elements, pixelData } = walkDataset(file, meta.next, explicitLittleEndian, new Set());
  const rewriting = { file, term, encode };
  const dataset = encodeElements(rewriting, elements);
  if (!fits || pixelData) return null;
  return new Uint8Array(Buffer.concat([file.subarray(0, meta.next), dataset]));
}

const encodeElements = (rewriting: Rewriting, elements: readonly Element[]): Buffer =>
  Buffer.concat(elements.map((element) => encodeElement(rewriting, element)));

function encodeElement(rewriting: Rewriting, element: Element): Buffer {
  const { tag, vr, items } = element;
  if (items) return frame(tag, vr, Buffer.concat(items.map((item) => frameItem(encodeElements(rewriting, item)))));
  if (tag === specificCharacterSet) return frame(tag, vr, Buffer.from(rewriting.term));
  const value = bytesOf(rewriting.file, element);
  return frame(tag, vr, encodedTextVrs.has(vr) ? rewriting.encode(value.toString().trimEnd()) : value);
}

const bytesOf = (file: Uint8Array, { start, end }: Span): Buffer =>
  Buffer.from(file.buffer, file.byteOffset + start, end - start);

/** Text to bytes: ASCII, and the set's own letters above it. `missing` hears of a letter that the set has not. */
function encoderOf(term: string, missing: () => void): (text: string) => Buffer {
  const upperHalf = writableCharacterSets.includes(term) ? singleByteSets[term.slice('ISO_IR '.length)] : undefined;
  if (upperHalf === undefined) {
    throw new Failure('internal', { where: 'SpecificCharacterSet', expected: writableCharacterSets.join(', ') });
  }
  const bytes = new Map([...upperHalf].map((letter, index) => [letter, 0x80 + index]));
  bytes.delete(replacement);
  const byteOf = (letter: string): number => {
    const byte = letter < '\x80' ? letter.charCodeAt(0) : bytes.get(letter);
    if (byte === undefined) missing();
    return byte ?? 0;
  };
  return (text) => Buffer.from(Array.from(text, byteOf));
}
