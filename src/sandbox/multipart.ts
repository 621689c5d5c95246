/** `multipart/related` as DICOMweb speaks it (PS3.18 8.6, RFC 2387): binary parts between boundary lines. */

export interface Part {
  /** Lower case, without parameters; empty when the part names none. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

const lineEnd = Buffer.from('\r\n');
const blankLine = Buffer.from('\r\n\r\n');

/** A parameter of a media type or Accept entry, quoted or bare; null when absent. */
export function mediaParameter(header: string, name: string): string | null {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;,\\s]+))`, 'i').exec(header);
  return match?.[1] ?? match?.[2] ?? null;
}

/**
 * The parts of a body, or null when the framing is broken: no boundary, no header end, no closing boundary line.
 * A boundary counts only at the start of a line and before a line end or `--`, so that pixels may hold its letters.
 */
export function readMultipart(body: Buffer, contentType: string): readonly Part[] | null {
  const boundary = mediaParameter(contentType, 'boundary');
  if (!boundary || boundary.length > 70) return null;
  const parts: Part[] = [];
  let line = nextDelimiter(body, boundary, 0);
  while (line && !line.closing) {
    const next = nextDelimiter(body, boundary, line.end);
    const part = next && readPart(body.subarray(line.end, next.start));
    if (!part) return null;
    parts.push(part);
    line = next;
  }
  return line ? parts : null;
}

interface Delimiter {
  /** Of the CRLF that belongs to the delimiter. */
  readonly start: number;
  /** First byte after the delimiter line. */
  readonly end: number;
  readonly closing: boolean;
}

function nextDelimiter(body: Buffer, boundary: string, from: number): Delimiter | null {
  const dashed = Buffer.from(`--${boundary}`, 'latin1');
  for (let at = body.indexOf(dashed, from); at >= 0; at = body.indexOf(dashed, at + 1)) {
    const afterLineEnd = at >= 2 && body.subarray(at - 2, at).equals(lineEnd);
    if (at !== 0 && !afterLineEnd) continue;
    const after = body.subarray(at + dashed.length, at + dashed.length + 2).toString('latin1');
    const start = at === 0 ? 0 : at - 2;
    if (after === '--') return { start, end: body.length, closing: true };
    if (after === '\r\n') return { start, end: at + dashed.length + 2, closing: false };
  }
  return null;
}

function readPart(raw: Buffer): Part | null {
  if (raw.subarray(0, 2).equals(lineEnd)) return { mediaType: '', bytes: raw.subarray(2) };
  const split = raw.indexOf(blankLine);
  if (split < 0) return null;
  const header = raw.subarray(0, split).toString('latin1');
  const mediaType = /^content-type:\s*([^;\r\n]*)/im.exec(header)?.[1] ?? '';
  return { mediaType: mediaType.trim().toLowerCase(), bytes: raw.subarray(split + blankLine.length) };
}

/** Body of an answer whose parts are whole objects. The boundary must not stand in a part at the start of a line: take a random one. */
export function writeMultipart(parts: readonly Uint8Array[], partType: string, boundary: string): Buffer {
  const framed = parts.flatMap((bytes) => [
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${partType}\r\nContent-Length: ${bytes.length}\r\nMIME-Version: 1.0\r\n\r\n`,
    ),
    bytes,
    lineEnd,
  ]);
  return Buffer.concat([...framed, Buffer.from(`--${boundary}--\r\n`)]);
}
