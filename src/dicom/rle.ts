import { Failure } from '../core/failure.ts';

/** RLE Lossless (PS3.5 annex G): one segment of PackBits for each byte of a sample, the most significant byte first. */

const headerBytes = 64;

/** Samples of one frame, little endian, `pixels` × `bytesPerSample` bytes. Raises `decode-failed` or `truncated`. */
export function decodeRle(bytes: Uint8Array, pixels: number, bytesPerSample: number): Uint8Array {
  if (bytes.length < headerBytes) throw new Failure('truncated', { where: 'RLE header', expected: '64 bytes' });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = view.getUint32(0, true);
  if (segments !== bytesPerSample) throw failed('RLE segments', String(bytesPerSample), String(segments));
  const decoded = new Uint8Array(pixels * bytesPerSample);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segments ? view.getUint32(8 + 4 * segment, true) : bytes.length;
    if (start < headerBytes || start > end) {
      throw failed('RLE offsets', 'rising, behind the header', 'others');
    }
    unpack(bytes.subarray(start, end), decoded, bytesPerSample - 1 - segment, bytesPerSample);
  }
  return decoded;
}

/** Unpacks one segment into every `step`-th byte of `target`; fills it to the end or raises. */
function unpack(packed: Uint8Array, target: Uint8Array, first: number, step: number): void {
  let at = 0;
  let to = first;
  while (to < target.length && at < packed.length) {
    const control = packed[at++]!;
    if (control === 128) continue;
    const isRun = control > 128;
    const count = isRun ? 257 - control : control + 1;
    if (at + (isRun ? 1 : count) > packed.length) break;
    const stop = Math.min(target.length, to + count * step);
    if (isRun) for (const value = packed[at++]!; to < stop; to += step) target[to] = value;
    else {
      for (let from = at; to < stop; to += step) target[to] = packed[from++]!;
      at += count;
    }
  }
  if (to < target.length) throw new Failure('truncated', { where: 'RLE segment', expected: 'a value for every pixel' });
}

const failed = (where: string, expected: string, got: string): Failure =>
  new Failure('decode-failed', { where, expected, got });
