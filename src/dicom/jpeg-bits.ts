import { Failure } from '../core/failure.ts';

/** The entropy-coded data of a sequential JPEG scan: bits, Huffman codes and restart markers (ISO 10918-1, annex F.2.2). */

const longestCode = 16;

/** By the next 16 bits of the stream: length of the code they begin with in the high byte, its value in the low one; 0 = no code. */
export type HuffmanTable = Uint16Array;

/** The codes of a DHT segment (annex C). Raises `decode-failed` when there are more than their lengths have room for. */
export function huffmanTable(counts: ArrayLike<number>, values: Uint8Array): HuffmanTable {
  const table = new Uint16Array(2 ** longestCode);
  let [next, index] = [0, 0];
  for (let length = 1; length <= longestCode; length++) {
    const span = 2 ** (longestCode - length);
    for (let n = counts[length - 1]!; n > 0; n--) {
      if (next + span > table.length) throw broken('DHT', 'codes that fit into their lengths', 'more');
      table.fill((length << 8) | values[index++]!, next, next + span);
      next += span;
    }
  }
  return table;
}

export interface BitReader {
  /** The value of the next Huffman code. */
  readonly code: (table: HuffmanTable) => number;
  /** The next 1 to 16 bits as a whole number. */
  readonly take: (count: number) => number;
  /** Goes on behind the restart marker that must be here, the n-th of the scan from 0. */
  readonly restart: (n: number) => void;
}

/** Reads from `start` to the first marker. All raise `truncated` behind it, and `decode-failed` for what is no code. */
export function createBitReader(bytes: Uint8Array, start: number): BitReader {
  let at = start;
  /** The next `held` bits, from the lowest of 32 upwards; `lent` of them are zeros from behind the end. */
  let [buffer, held, lent] = [0, 0, 0];

  const fill = () => {
    while (held <= 24) {
      const byte = bytes[at];
      const isStuffed = byte === 0xff && bytes[at + 1] === 0;
      if (byte === undefined || (byte === 0xff && !isStuffed)) {
        buffer <<= 8;
        lent += 8;
      } else {
        buffer = (buffer << 8) | byte;
        at += isStuffed ? 2 : 1;
      }
      held += 8;
    }
  };

  const drop = (count: number) => {
    held -= count;
    if (held < lent) throw truncated();
  };

  const code = (table: HuffmanTable): number => {
    if (held < longestCode) fill();
    const entry = table[(buffer >>> (held - longestCode)) & 0xffff]!;
    if (entry === 0) throw held - lent < longestCode ? truncated() : broken('scan', 'a Huffman code', 'another');
    drop(entry >> 8);
    return entry & 0xff;
  };

  const take = (count: number): number => {
    if (held < count) fill();
    const value = (buffer >>> (held - count)) & (2 ** count - 1);
    drop(count);
    return value;
  };

  const restart = (n: number): void => {
    [buffer, held, lent] = [0, 0, 0];
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    const expected = 0xd0 + (n % 8);
    const got = bytes[at] === 0xff ? bytes[at + 1] : undefined;
    if (got !== expected) throw broken('scan', `restart marker ${n % 8}`, 'another');
    at += 2;
  };

  return { code, take, restart };
}

const truncated = (): Failure =>
  new Failure('truncated', { where: 'JPEG, scan', expected: 'all blocks of the frame', got: 'fewer' });

const broken = (where: string, expected: string, got: string): Failure =>
  new Failure('decode-failed', { where: `JPEG, ${where}`, expected, got });
