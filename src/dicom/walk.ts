import { Failure } from '../core/failure.ts';
import { tagName } from './dataset.ts';
import { limits } from './limits.ts';
import type { Encoding } from './transfer-syntax.ts';
import { dictionaryVr, hasLongLength, isKnownVr } from './vr.ts';

/**
 * Walks the bytes of a data set without believing any of them: every length is held against what holds it, nesting and
 * counts are bounded, no value is copied. What comes out are the places of the values (PS3.5 7).
 */

/** Where a value lies in the file. A sequence has items, all others have none. */
export interface Element {
  /** Eight upper-case hex digits. */
  readonly tag: string;
  readonly vr: string;
  readonly start: number;
  readonly end: number;
  readonly littleEndian: boolean;
  readonly items: readonly (readonly Element[])[] | null;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface PixelSpan extends Span {
  /** Fragments without the Basic Offset Table; null when the pixels are native. */
  readonly fragments: readonly Span[] | null;
  /** OB or OW: whether 8-bit samples of big-endian files lie in words, and so two by two the other way round (PS3.5 8.2). */
  readonly vr: string;
}

export interface Walked {
  readonly elements: readonly Element[];
  readonly pixelData: PixelSpan | null;
  /** First byte after what was walked. */
  readonly next: number;
}

const undefinedLength = 0xffffffff;
const item = 'FFFEE000';
const itemDelimiter = 'FFFEE00D';
const sequenceDelimiter = 'FFFEE0DD';
const pixelDataTag = '7FE00010';
const implicitLittle: Encoding = { explicit: false, littleEndian: true };

export interface Walk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly flags: Set<string>;
  elements: number;
  pixelData: PixelSpan | null;
}

interface Frame extends Span {
  readonly encoding: Encoding;
  readonly depth: number;
  /** The elements end at an item delimiter, not at `end`. */
  readonly delimited: boolean;
}

interface Head {
  readonly tag: string;
  readonly vr: string;
  readonly length: number;
  readonly start: number;
  readonly encoding: Encoding;
}

/**
 * Walks a data set to the end of the bytes; notes what was strange in `flags`. Raises `truncated` when the file ends inside
 * a value, `malformed-dicom` when an inner length breaks out of what holds it, `limit-exceeded` beyond the limits.
 */
export function walkDataset(bytes: Uint8Array, start: number, encoding: Encoding, flags: Set<string>): Walked {
  const walk = begin(bytes, flags);
  const frame = { start, end: bytes.length, encoding, depth: 0, delimited: false };
  const { elements, next } = readElements(walk, frame, () => true);
  const pixelBytes = walk.pixelData ? walk.pixelData.end - walk.pixelData.start : 0;
  if (next - start - pixelBytes > limits.headerBytes) throw exceeded('bytes before the pixels', limits.headerBytes);
  return { elements, pixelData: walk.pixelData, next };
}

/** Walks the file meta information: group 0002, whatever its group length says (PS3.10 7.1). */
export function walkMeta(bytes: Uint8Array, start: number): Walked {
  const encoding = { explicit: true, littleEndian: true };
  const frame = { start, end: bytes.length, encoding, depth: 0, delimited: false };
  const { elements, next } = readElements(begin(bytes, new Set()), frame, (tag) => tag.startsWith('0002'));
  return { elements, pixelData: null, next };
}

function begin(bytes: Uint8Array, flags: Set<string>): Walk {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, flags, elements: 0, pixelData: null };
}

function readElements(
  walk: Walk,
  frame: Frame,
  wanted: (tag: string) => boolean,
): { elements: Element[]; next: number } {
  const elements = new Map<string, Element>();
  let at = frame.start;
  while (at < frame.end) {
    if (frame.depth === 0 && isZeroTail(walk, at)) break;
    const head = readHead(walk, at, frame);
    if (head.tag === itemDelimiter && frame.delimited) return { elements: [...elements.values()], next: head.start };
    if (!wanted(head.tag)) break;
    const { element, next } = readElement(walk, head, frame);
    if (elements.has(element.tag)) throw malformed(tagName(element.tag), 'one element of a tag', 'two');
    elements.set(element.tag, element);
    at = next;
  }
  if (frame.delimited) throw short(walk, frame, 'item');
  return { elements: [...elements.values()], next: at };
}

/** Some writers fill the last block of a file with zeros. */
function isZeroTail({ bytes, flags }: Walk, at: number): boolean {
  if (bytes[at] !== 0 || bytes[at + 1] || bytes[at + 2] || bytes[at + 3]) return false;
  for (let index = at; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  flags.add('trailing-zeros');
  return true;
}

function readHead(walk: Walk, at: number, frame: Frame): Head {
  const { view } = walk;
  const little = frame.encoding.littleEndian;
  if (at + 8 > frame.end) throw short(walk, frame, 'element header');
  const tag = hex(view.getUint16(at, little)) + hex(view.getUint16(at + 2, little));
  const vr = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5));
  if (tag.startsWith('FFFE') || !frame.encoding.explicit || !/^[A-Z]{2}$/.test(vr)) {
    if (frame.encoding.explicit && !tag.startsWith('FFFE')) walk.flags.add('implicit-in-explicit');
    const encoding = { explicit: false, littleEndian: little };
    return { tag, vr: implicitVr(tag), length: view.getUint32(at + 4, little), start: at + 8, encoding };
  }
  if (!isKnownVr(vr)) walk.flags.add('vr-unknown');
  const { encoding } = frame;
  if (!hasLongLength(vr)) return { tag, vr, length: view.getUint16(at + 6, little), start: at + 8, encoding };
  if (at + 12 > frame.end) throw short(walk, frame, tagName(tag));
  return { tag, vr, length: view.getUint32(at + 8, little), start: at + 12, encoding };
}

const implicitVr = (tag: string): string => dictionaryVr(tag) ?? 'UN';

function readElement(walk: Walk, head: Head, frame: Frame): { element: Element; next: number } {
  const { tag, start, length } = head;
  if (++walk.elements > limits.elements) throw exceeded('elements', limits.elements);
  if (tag.startsWith('FFFE')) throw malformed(`${tagName(tag)} between elements`, 'an element', 'a delimiter or item');
  const leaf = (end: number, vr = head.vr, encoding = head.encoding): { element: Element; next: number } => ({
    element: { tag, vr, start, end, littleEndian: encoding.littleEndian, items: null },
    next: end,
  });
  if (tag === pixelDataTag) return leaf(readPixelData(walk, head, frame));
  // A value of undefined length and unknown VR is a sequence in Implicit VR Little Endian (PS3.5 6.2.2, note).
  const unknown = head.vr === 'UN' && head.encoding.explicit;
  const inner = unknown ? implicitLittle : head.encoding;
  if (length === undefinedLength) return readSequence(walk, head, { ...frame, start, encoding: inner }, true);
  const end = start + length;
  if (end > frame.end) throw short(walk, frame, tagName(tag));
  if (isPrivate(tag)) return leaf(end);
  const vr = unknown ? implicitVr(tag) : head.vr;
  if (vr !== 'SQ') return leaf(end, vr, inner);
  const content = { ...frame, start, end, encoding: inner };
  if (head.encoding.explicit && !unknown) return readSequence(walk, head, content, false);
  return readIfSequence(walk, head, content) ?? leaf(end, 'UN');
}

const isPrivate = (tag: string): boolean => /^...[13579BDF]/.test(tag);

/** A value that only the dictionary calls a sequence: read as one when it begins with an item, else left as bytes. */
function readIfSequence(walk: Walk, head: Head, frame: Frame): { element: Element; next: number } | null {
  const isSequence = frame.start === frame.end || readHead(walk, frame.start, frame).tag === item;
  return isSequence ? readSequence(walk, head, frame, false) : null;
}

function readSequence(walk: Walk, head: Head, frame: Frame, delimited: boolean): { element: Element; next: number } {
  const { tag, start } = head;
  if (frame.depth === limits.depth) throw exceeded('nested sequences', limits.depth);
  if (delimited && head.encoding.explicit && head.vr !== 'SQ' && head.vr !== 'UN') {
    throw malformed(tagName(tag), 'a defined length', `undefined length under VR ${head.vr}`);
  }
  const { items, next } = readItems(walk, { ...frame, depth: frame.depth + 1, delimited });
  const element = { tag, vr: 'SQ', start, end: next, littleEndian: frame.encoding.littleEndian, items };
  return { element, next };
}

function readItems(walk: Walk, frame: Frame): { items: (readonly Element[])[]; next: number } {
  const items: (readonly Element[])[] = [];
  let at = frame.start;
  while (at < frame.end) {
    const { tag, length, start } = readHead(walk, at, frame);
    if (tag === sequenceDelimiter) return { items, next: frame.delimited ? start : frame.end };
    if (tag !== item) throw malformed(`${tagName(tag)} in a sequence`, 'an item', 'another tag');
    if (++walk.elements > limits.elements) throw exceeded('elements', limits.elements);
    const delimited = length === undefinedLength;
    const end = delimited ? frame.end : start + length;
    if (end > frame.end) throw short(walk, frame, 'item');
    const { elements, next } = readElements(walk, { ...frame, start, end, delimited }, () => true);
    items.push(elements);
    at = next;
  }
  if (frame.delimited) throw short(walk, frame, 'sequence');
  return { items, next: at };
}

/** Gives the end of the pixel data. Only that of the data set itself is kept; an icon may have its own. */
function readPixelData(walk: Walk, { vr, start, length }: Head, frame: Frame): number {
  const fragments = length === undefinedLength ? readFragments(walk, { ...frame, start }) : null;
  const end = fragments ? fragments.next : start + length;
  if (end > frame.end) throw short(walk, frame, 'PixelData', `${length} bytes`, `${frame.end - start}`);
  if (frame.depth === 0) walk.pixelData = { start, end, fragments: fragments?.spans ?? null, vr };
  return end;
}

/** Fragments of encapsulated pixels, behind a Basic Offset Table (PS3.5 A.4): it is empty or begins with 0, or a writer left it out. */
function readFragments(walk: Walk, frame: Frame): { spans: Span[]; next: number } {
  const spans: Span[] = [];
  let beginsWithTable = true;
  let at = frame.start;
  while (at < frame.end) {
    const { tag, length, start } = readHead(walk, at, frame);
    if (tag === sequenceDelimiter) return { spans: beginsWithTable ? spans.slice(1) : spans, next: start };
    if (tag !== item) throw malformed(`${tagName(tag)} in PixelData`, 'a fragment', 'another tag');
    if (start + length > frame.end) throw short(walk, frame, 'fragment of PixelData');
    if (spans.length > limits.fragments) throw exceeded('fragments of PixelData', limits.fragments);
    if (spans.length === 0) beginsWithTable = length < 4 || walk.view.getUint32(start) === 0;
    spans.push({ start, end: start + length });
    at = start + length;
  }
  throw short(walk, frame, 'PixelData', 'a sequence delimiter', 'none');
}

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');

/** What does not fit: the file ends early, or an inner length is a lie. */
function short(walk: Walk, frame: Frame, where: string, expected = 'more bytes', got = 'the end'): Failure {
  return frame.end === walk.bytes.length
    ? new Failure('truncated', { where, expected, got })
    : malformed(where, 'a length within its item or sequence', 'a longer one');
}

const malformed = (where: string, expected: string, got: string): Failure =>
  new Failure('malformed-dicom', { where, expected, got });

const exceeded = (where: string, limit: number): Failure =>
  new Failure('limit-exceeded', { where, expected: `at most ${limit}` });
