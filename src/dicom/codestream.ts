import { Failure } from '../core/failure.ts';

/** Reads the size and depth that a codestream declares, before a decoder spends memory on it. */

export interface CodestreamSize {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  /** Bits of a sample. */
  readonly precision: number;
}

/** With the place of the byte that holds precision and sign, Ssiz of the one component. */
export interface Jpeg2000Size extends CodestreamSize {
  readonly signed: boolean;
  readonly depthAt: number;
  /** How often the size can be halved without decoding the rest. */
  readonly levels: number;
}

/** The end marker of JPEG, JPEG-LS and JPEG 2000 (EOI, EOC); none of their entropy coders can write these two bytes. */
const endMarker = 0xffd9;
const [sot, sod, eoc] = [0xff90, 0xff93, endMarker];

/** The size in the frame header of a JPEG or JPEG-LS stream (ISO 10918-1 B.2.2, ISO 14495-1 C.2.2). */
export function readJpegSize(bytes: Uint8Array): CodestreamSize {
  const view = viewOf(bytes);
  expectMarker(view, 0, 0xffd8, 'SOI');
  for (let at = 2; at + 10 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw broken('JPEG marker', 'FF', hex(bytes[at]!));
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at += 1;
    else if (isFrameHeader(marker)) {
      const [precision, components] = [view.getUint8(at + 4), view.getUint8(at + 9)];
      return { rows: view.getUint16(at + 5), columns: view.getUint16(at + 7), components, precision };
    } else if (marker === 0xda || marker === 0xd9) break;
    else at += 2 + view.getUint16(at + 2);
  }
  throw broken('JPEG frame header', 'a frame header before the scan', 'none');
}

/** SOF0 to SOF15 without DHT, JPG and DAC; SOF55 of JPEG-LS. */
const isFrameHeader = (marker: number): boolean =>
  marker === 0xf7 || (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker));

/** The size in the SIZ segment of a JPEG 2000 codestream (ISO 15444-1 A.5.1); of a JP2 file, of the codestream in it. */
export function readJpeg2000Size(bytes: Uint8Array): Jpeg2000Size {
  const view = viewOf(bytes);
  const start = startOfCodestream(bytes);
  expectMarker(view, start, 0xff4f, 'SOC');
  expectMarker(view, start + 2, 0xff51, 'SIZ');
  if (start + 43 > bytes.length) throw truncated('SIZ');
  const [width, height, left, top] = [8, 12, 16, 20].map((offset) => view.getUint32(start + offset)) as [
    number,
    number,
    number,
    number,
  ];
  const depthAt = start + 42;
  const depth = view.getUint8(depthAt);
  return {
    rows: height - top,
    columns: width - left,
    components: view.getUint16(start + 40),
    precision: (depth & 0x7f) + 1,
    signed: depth >= 0x80,
    depthAt,
    levels: levelsOf(view, start),
  };
}

const [cod, coc] = [0xff52, 0xff53];

/** Decomposition levels by the COD segment of the main header (ISO 15444-1 A.6.1); 0 where a component may have its own. */
function levelsOf(view: DataView, start: number): number {
  let levels = 0;
  for (let at = start + 2; at + 10 <= view.byteLength && view.getUint16(at) !== sot; at += 2 + view.getUint16(at + 2)) {
    if (view.getUint16(at) === coc) return 0;
    if (view.getUint16(at) === cod) levels = view.getUint8(at + 9);
  }
  return Math.min(levels, mostLevels);
}

/** What a COD segment may say. */
const mostLevels = 32;

/** JP2 boxes around the codestream are against PS3.5 A.4.4, and met all the same. */
function startOfCodestream(bytes: Uint8Array): number {
  const isBoxed = bytes.length > 12 && viewOf(bytes).getUint32(4) === 0x6a502020;
  if (!isBoxed) return 0;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf('ff4fff51', 0, 'hex');
  if (start === -1) throw broken('JP2 file', 'a codestream', 'none');
  return start;
}

/** Raises `truncated` unless the end marker stands at the end, padding aside: decoders fill what is missing with grey. */
export function expectEnd(bytes: Uint8Array): void {
  const view = viewOf(bytes);
  for (let at = bytes.length - 2; at >= Math.max(0, bytes.length - 64); at--) {
    if (view.getUint16(at) === endMarker) return;
  }
  throw truncated('codestream');
}

/**
 * Raises `truncated` unless the tile-parts of a JPEG 2000 codestream lead from the main header to the end marker (ISO 15444-1 A.4.2):
 * a part that was cut out shows here, while decoders fill in grey for it.
 */
export function expectTileParts(bytes: Uint8Array): void {
  const view = viewOf(bytes);
  let at = startOfCodestream(bytes) + 2;
  const marker = (): number => {
    if (at + 4 > bytes.length) throw truncated('tile-part');
    return view.getUint16(at);
  };
  while (marker() !== sot) {
    if (marker() === eoc || marker() === sod) throw broken('main header', 'a tile-part behind it', hex(marker()));
    at += 2 + view.getUint16(at + 2);
  }
  while (at + 12 <= bytes.length && marker() === sot) {
    const length = view.getUint32(at + 6);
    // The last one may leave its length open: it goes on to the end marker.
    if (length === 0) return;
    if (length < 14) throw broken('tile-part', 'at least 14 bytes', String(length));
    at += length;
  }
  if (at + 2 > bytes.length || view.getUint16(at) !== eoc) throw truncated('tile-part');
}

function expectMarker(view: DataView, at: number, marker: number, name: string): void {
  if (at + 2 > view.byteLength) throw truncated(name);
  const got = view.getUint16(at);
  if (got !== marker) throw broken(name, hex(marker), hex(got));
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const hex = (value: number): string => value.toString(16).toUpperCase();

const truncated = (where: string): Failure =>
  new Failure('truncated', { where: `pixel data, ${where}`, expected: 'the end marker FFD9' });

const broken = (where: string, expected: string, got: string): Failure =>
  new Failure('decode-failed', { where: `pixel data, ${where}`, expected, got });
