import { Failure } from '../core/failure.ts';
import { type HuffmanTable, huffmanTable } from './jpeg-bits.ts';

/** What stands before the scan of a sequential JPEG stream of one component (ISO 10918-1, annex B.2). */
export interface JpegHead {
  /** 64 steps in the order of the stream. */
  readonly quantisation: readonly number[];
  readonly dc: HuffmanTable;
  readonly ac: HuffmanTable;
  /** Blocks between two restart markers; 0 = there are none. */
  readonly restartInterval: number;
  /** Where the entropy-coded data starts. */
  readonly scan: number;
}

const marker = {
  sof0: 0xc0,
  sof1: 0xc1,
  dht: 0xc4,
  jpg: 0xc8,
  dac: 0xcc,
  sof15: 0xcf,
  sos: 0xda,
  dqt: 0xdb,
  dri: 0xdd,
};
/** Bit that parts tables of AC coefficients from those of DC in the byte that names them. */
const acClass = 0x10;

/** Raises `decode-failed` for another process than the sequential one or a table that is missing, `truncated` without a scan. */
export function readJpegHead(bytes: Uint8Array): JpegHead {
  const quantisations = new Map<number, readonly number[]>();
  const codes = new Map<number, HuffmanTable>();
  let [component, quantisation, restartInterval] = [-1, -1, 0];
  for (const { code, segment, end } of segmentsOf(bytes)) {
    if (code === marker.dqt) readQuantisations(segment, quantisations);
    else if (code === marker.dht) readCodes(segment, codes);
    else if (code === marker.dri) restartInterval = word(segment, 0);
    else if (code === marker.sof0 || code === marker.sof1) [component, quantisation] = [segment[6]!, segment[8]!];
    else if (code === marker.sos) {
      const [components, selector, tables] = segment;
      if (components !== 1 || selector !== component) throw broken('scan', 'the one component of the frame', 'another');
      const steps = quantisations.get(quantisation);
      const [dc, ac] = [codes.get(tables! >> 4), codes.get(acClass | (tables! & 15))];
      if (!steps || !dc || !ac) throw broken('scan', 'the tables that it names', 'one is missing');
      return { quantisation: steps, dc, ac, restartInterval, scan: end };
    } else if (isOtherFrame(code)) throw broken('frame header', 'SOF0 or SOF1', `SOF${code - marker.sof0}`);
  }
  throw truncated('its head');
}

/** Progressive, lossless, differential and arithmetic frames. */
const isOtherFrame = (code: number): boolean =>
  code > marker.sof1 && code <= marker.sof15 && code !== marker.jpg && code !== marker.dac;

/** Marker segments behind SOI, each without its length. */
function* segmentsOf(bytes: Uint8Array) {
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw broken('marker', 'FF', bytes[at]!.toString(16).toUpperCase());
    if (bytes[at + 1] === 0xff) {
      at += 1;
      continue;
    }
    const end = at + 2 + word(bytes, at + 2);
    if (end < at + 4 || end > bytes.length) throw truncated('a marker segment');
    yield { code: bytes[at + 1]!, segment: bytes.subarray(at + 4, end), end };
    at = end;
  }
}

/** DQT (B.2.4.1): steps of 8 or 16 bits. */
function readQuantisations(segment: Uint8Array, into: Map<number, readonly number[]>): void {
  for (let at = 0; at < segment.length; ) {
    const [isWide, id] = [segment[at]! >> 4 !== 0, segment[at]! & 15];
    const start = at + 1;
    at = start + (isWide ? 128 : 64);
    if (at > segment.length) throw truncated('a quantisation table');
    const step = (_: unknown, k: number) => (isWide ? word(segment, start + 2 * k) : segment[start + k]!);
    into.set(id, Array.from({ length: 64 }, step));
  }
}

/** DHT (B.2.4.2): how many codes there are of each length from 1 to 16 bits, then their values. */
function readCodes(segment: Uint8Array, into: Map<number, HuffmanTable>): void {
  for (let at = 0; at < segment.length; ) {
    const counts = segment.subarray(at + 1, at + 17);
    const values = at + 17 + counts.reduce((sum, count) => sum + count, 0);
    if (values > segment.length) throw truncated('a Huffman table');
    into.set(segment[at]!, huffmanTable(counts, segment.subarray(at + 17, values)));
    at = values;
  }
}

const word = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

const truncated = (where: string): Failure =>
  new Failure('truncated', { where: `JPEG, ${where}`, expected: 'a whole stream', got: 'its beginning' });

const broken = (where: string, expected: string, got: string): Failure =>
  new Failure('decode-failed', { where: `JPEG, ${where}`, expected, got });
