import { Failure } from '../core/failure.ts';
import { type MediaType, mediaTypeOf } from './media-type.ts';

/**
 * `multipart/related` as DICOMweb speaks it (PS3.18 8.6, RFC 2046 5.1), read as a stream and strictly: a body that was cut
 * anywhere, or that holds more or less than one part, never reads as success. What is inside the part is not looked at.
 */

const longestBoundary = 200;
/** Before the first boundary, and for the headers of the part. */
const longestPrologue = 16_384;
const longestPadding = 64;

const lineEnd = Buffer.from('\r\n');
const blankLine = Buffer.from('\r\n\r\n');

const broken = (expected: string, got?: string): Failure =>
  new Failure('pacs-incomplete', { where: 'multipart answer', expected, ...(got === undefined ? {} : { got }) });

/**
 * The bytes of the one part. `contentType` is the header of the whole answer. Accepted: a quoted or bare boundary, a
 * preamble, an epilogue, blanks after a boundary, a part without headers. Raises `pacs-incomplete` for broken framing and
 * `pacs-not-dicomweb` for a part that is not DICOM. The caller must read to the end before it believes the bytes.
 */
export async function* readOnePart(
  body: AsyncIterable<Uint8Array>,
  contentType: MediaType,
): AsyncGenerator<Uint8Array, void, void> {
  const boundary = contentType.parameters.get('boundary') ?? '';
  if (boundary === '' || boundary.length > longestBoundary) throw broken('a boundary in Content-Type');
  const window = createWindow(body);
  try {
    yield* onePart(window, Buffer.from(`\r\n--${boundary}`, 'latin1'));
  } finally {
    await window.close();
  }
}

async function* onePart(window: Window, delimiter: Buffer): AsyncGenerator<Uint8Array, void, void> {
  if ((await skipPreamble(window, delimiter)) === 'close') throw broken('one part', 'none');
  const length = await readPartHeaders(window);
  let bytes = 0;
  for await (const piece of length === null ? untilDelimiter(window, delimiter) : exactly(window, length)) {
    bytes += piece.length;
    yield piece;
  }
  if (bytes === 0) throw broken('a part with content', 'an empty one');
  if ((await readDelimiter(window, delimiter)) !== 'close') throw broken('one part', 'another boundary after it');
  await skipEpilogue(window, delimiter);
}

/** What has arrived of a stream and is not used yet. */
interface Window {
  readonly bytes: Buffer;
  /** Waits for more bytes; false at the end of the stream. */
  more(): Promise<boolean>;
  drop(count: number): void;
  /** Gives the stream up. */
  close(): Promise<void>;
}

/** The stream begins with a CRLF that is not there, so that a boundary in the first line is found like any other. */
function createWindow(body: AsyncIterable<Uint8Array>): Window {
  const iterator = body[Symbol.asyncIterator]();
  let bytes: Buffer = lineEnd;
  return {
    get bytes() {
      return bytes;
    },
    async more() {
      const next = await iterator.next();
      if (next.done) return false;
      const { buffer, byteOffset, length } = next.value;
      bytes = bytes.length === 0 ? Buffer.from(buffer, byteOffset, length) : Buffer.concat([bytes, next.value]);
      return true;
    },
    drop(count) {
      bytes = bytes.subarray(count);
    },
    async close() {
      await iterator.return?.();
    },
  };
}

type Kind = 'part' | 'close';

/** What stands behind a boundary: null when it is no delimiter after all, `more` when too little has arrived to tell. */
function kindOf(rest: Buffer): { readonly kind: Kind; readonly length: number } | 'more' | null {
  if (rest.length < 2) return 'more';
  if (rest[0] === 0x2d && rest[1] === 0x2d) return { kind: 'close', length: 2 };
  let end = 0;
  while (end < longestPadding && (rest[end] === 0x20 || rest[end] === 0x09)) end++;
  if (rest.length < end + 2) return 'more';
  // The CRLF stays: it is the first half of the blank line when a part has no headers.
  return rest[end] === 0x0d && rest[end + 1] === 0x0a ? { kind: 'part', length: end } : null;
}

/** Reads the delimiter that must stand next; anything else is broken. */
async function readDelimiter(window: Window, delimiter: Buffer): Promise<Kind> {
  for (;;) {
    const { bytes } = window;
    const complete = bytes.length >= delimiter.length;
    if (complete && !bytes.subarray(0, delimiter.length).equals(delimiter)) throw broken('a boundary after the part');
    const found = complete ? kindOf(bytes.subarray(delimiter.length)) : 'more';
    if (found === null) throw broken('a boundary line');
    if (found !== 'more') {
      window.drop(delimiter.length + found.length);
      return found.kind;
    }
    if (!(await window.more())) throw broken('a closing boundary', 'the end of the answer');
  }
}

async function skipPreamble(window: Window, delimiter: Buffer): Promise<Kind> {
  let skipped = 0;
  for await (const piece of untilDelimiter(window, delimiter)) {
    skipped += piece.length;
    if (skipped > longestPrologue) throw broken('a boundary near the begin of the answer');
  }
  return readDelimiter(window, delimiter);
}

/** The closing boundary stands once: a second one behind it means that the first stood amid the pixels. */
async function skipEpilogue(window: Window, delimiter: Buffer): Promise<void> {
  do {
    if (window.bytes.includes(delimiter)) throw broken('one closing boundary', 'two');
    window.drop(Math.max(0, window.bytes.length - delimiter.length + 1));
  } while (await window.more());
}

/** Content-Length of the part, null when it has none. */
async function readPartHeaders(window: Window): Promise<number | null> {
  while (!window.bytes.includes(blankLine)) {
    if (window.bytes.length > longestPrologue) throw broken('a blank line after the headers of the part');
    if (!(await window.more())) throw broken('the headers of the part', 'the end of the answer');
  }
  const end = window.bytes.indexOf(blankLine);
  const lines = window.bytes.subarray(0, end).toString('latin1').split('\r\n');
  window.drop(end + blankLine.length);
  const headers = new Map(lines.map((line) => [nameOf(line), line.slice(line.indexOf(':') + 1).trim()]));
  requireDicom(headers.get('content-type') ?? null);
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary';
  if (!['binary', '8bit', '7bit'].includes(encoding))
    throw broken('a part without transfer encoding', 'another encoding');
  const length = headers.get('content-length');
  if (length === undefined) return null;
  if (!/^\d{1,12}$/.test(length)) throw broken('a number as Content-Length of the part');
  return Number(length);
}

const nameOf = (line: string): string =>
  line
    .slice(0, Math.max(line.indexOf(':'), 0))
    .trim()
    .toLowerCase();

/** Many servers leave the type of a part out or call it an octet stream; a page or a picture is refused. */
function requireDicom(contentType: string | null): void {
  const { type } = mediaTypeOf(contentType);
  if (['', 'application/dicom', 'application/octet-stream'].includes(type)) return;
  throw new Failure('pacs-not-dicomweb', {
    where: 'multipart answer',
    expected: 'application/dicom',
    got: 'another type',
  });
}

async function* exactly(window: Window, length: number): AsyncGenerator<Buffer, void, void> {
  let left = length;
  for (;;) {
    const piece = window.bytes.subarray(0, left);
    window.drop(piece.length);
    left -= piece.length;
    if (piece.length > 0) yield piece;
    if (left === 0) return;
    if (!(await window.more())) throw broken(`${length} bytes as Content-Length says`, `${length - left}`);
  }
}

/**
 * Everything before the next delimiter. The letters of the boundary amid pixels are no delimiter unless they fill a line:
 * CRLF before, and CRLF or `--` behind.
 */
async function* untilDelimiter(window: Window, delimiter: Buffer): AsyncGenerator<Buffer, void, void> {
  let from = 0;
  for (;;) {
    const at = window.bytes.indexOf(delimiter, from);
    const found = at < 0 ? null : kindOf(window.bytes.subarray(at + delimiter.length));
    if (at >= 0 && found === null) {
      from = at + 1;
      continue;
    }
    const safe = at >= 0 ? at : Math.max(from, window.bytes.length - delimiter.length + 1);
    const piece = window.bytes.subarray(0, Math.max(safe, 0));
    window.drop(piece.length);
    from = 0;
    if (piece.length > 0) yield piece;
    if (found !== null && found !== 'more') return;
    if (!(await window.more())) throw broken('a closing boundary', 'the end of the answer');
  }
}
