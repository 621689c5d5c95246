import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** A JSON array item by item, as its bytes arrive: the metadata of a study may have megabytes, and nothing else may wait for them. */

/** Stands for an item of more bytes than allowed, which was not parsed. */
export const oversized = Symbol('an item of too many bytes');

/** The bytes are no JSON array; `otherJson`: they begin as an object of JSON does. */
export class NoJsonArray extends Error {
  readonly otherJson: boolean;
  constructor(otherJson: boolean) {
    super(otherJson ? 'other JSON than an array' : 'no whole JSON array');
    this.otherJson = otherJson;
  }
}

const [space, quote, comma, backslash] = [0x20, 0x22, 0x2c, 0x5c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Longest turn of the event loop for parsing alone. */
const longestTurnMs = 8;

/** Where in the text the scan is, from chunk to chunk. */
interface Scan {
  /** 0 before and behind the array, 1 between its items. */
  depth: number;
  inString: boolean;
  escaped: boolean;
  ended: boolean;
}

/**
 * The items, each parsed on its own; one of more than `maxItemBytes` is `oversized`. Invalid UTF-8 becomes replacement characters, which
 * identifiers refuse later. Raises `NoJsonArray`, also when the end is missing.
 */
export async function* itemsOf(chunks: AsyncIterable<Uint8Array>, maxItemBytes: number): AsyncGenerator<unknown> {
  const scan: Scan = { depth: 0, inString: false, escaped: false, ended: false };
  let parts: Uint8Array[] = [];
  let size = 0;
  let items = 0;
  let turn = performance.now();
  const keep = (part: Uint8Array): void => {
    size += part.length;
    if (size <= maxItemBytes) parts.push(part);
  };
  const take = (): unknown => {
    const item = size > maxItemBytes ? oversized : parse(Buffer.concat(parts));
    parts = [];
    size = 0;
    items++;
    return item;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (const { at, byte } of separators(chunk, scan)) {
      if (byte === openBracket) from = at + 1;
      else {
        keep(chunk.subarray(from, at));
        from = at + 1;
        // `[]` holds nothing, `[1,]` something that is missing.
        if (byte === comma || items > 0 || !isBlank(parts)) yield take();
      }
      if (performance.now() - turn > longestTurnMs) turn = await nextTurn();
    }
    if (scan.depth > 0) keep(chunk.subarray(from));
    if (performance.now() - turn > longestTurnMs) turn = await nextTurn();
  }
  if (!scan.ended) throw new NoJsonArray(false);
}

async function nextTurn(): Promise<number> {
  await setImmediate();
  return performance.now();
}

/** The bracket that opens the array, the commas between its items, and the bracket that closes it. */
function* separators(chunk: Uint8Array, scan: Scan): Generator<{ readonly at: number; readonly byte: number }> {
  for (let at = 0; at < chunk.length; at++) {
    const byte = chunk[at]!;
    if (scan.inString) {
      if (scan.escaped) scan.escaped = false;
      else if (byte === backslash) scan.escaped = true;
      else if (byte === quote) scan.inString = false;
    } else if (byte > space && (scan.depth === 0 || scan.ended)) {
      if (scan.ended || byte !== openBracket) throw new NoJsonArray(!scan.ended && byte === openBrace);
      scan.depth = 1;
      yield { at, byte };
    } else if (byte === quote) scan.inString = true;
    else if (byte === openBrace || byte === openBracket) scan.depth++;
    else if (byte === comma && scan.depth === 1) yield { at, byte };
    else if ((byte === closeBrace || byte === closeBracket) && --scan.depth === 0) {
      if (byte === closeBrace) throw new NoJsonArray(false);
      scan.ended = true;
      yield { at, byte };
    }
  }
}

const isBlank = (parts: readonly Uint8Array[]): boolean => parts.every((part) => part.every((byte) => byte <= space));

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    throw new NoJsonArray(false);
  }
}
