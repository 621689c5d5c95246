import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jpeg2000Lossless, jpegLsLossless } from '../src/dicom/encode.ts';
import { parsePart10 } from '../src/dicom/part10.ts';
import { radiograph, storedPixels } from '../src/dicom/pixels.ts';
import { explicitLittleEndian } from '../src/dicom/transfer-syntax.ts';
import { leastSide } from '../src/reader/hanging.ts';
import { makeTestFilm } from '../test/support/films.ts';
import { type Contestant, median, takeTurns } from './measure.ts';
import type { Report, Row } from './table.ts';

/** A film of 2048 × 2500 pixels and 12 bits, from the bytes of its file to grey values, by transfer syntax. */

const uncompressed = 'Explicit VR Little Endian';

/** Transfer syntaxes that the film maker does not write, and the dcmtk command that does. */
const byDcmtk = [
  ['Implicit VR Little Endian', 'dcmconv', ['+ti']],
  ['Explicit VR Big Endian', 'dcmconv', ['+tb']],
  ['Deflated Explicit VR Little Endian', 'dcmconv', ['+td']],
  ['RLE Lossless', 'dcmcrle', []],
  ['JPEG Baseline (8 bits)', 'dcmcjpeg', ['+eb', '+Wm']],
  ['JPEG Lossless, First-Order Prediction', 'dcmcjpeg', ['+e1']],
] as const;

/** File bytes by the name of the transfer syntax; null where the tool that writes it is not there. */
async function films(folder: string): Promise<ReadonlyMap<string, Uint8Array | null>> {
  const plain = await makeTestFilm(1, { transferSyntaxUID: explicitLittleEndian });
  const source = join(folder, 'plain.dcm');
  writeFileSync(source, plain);
  const rewritten = byDcmtk.map(([name, tool, flags]): [string, Uint8Array | null] => {
    const target = join(folder, 'other.dcm');
    try {
      execFileSync(tool, [...flags, source, target], { stdio: 'ignore' });
      return [name, readFileSync(target)];
    } catch {
      return [name, null];
    }
  });
  return new Map<string, Uint8Array | null>([
    [uncompressed, plain],
    ...rewritten,
    ['JPEG-LS Lossless', await makeTestFilm(1, { transferSyntaxUID: jpegLsLossless })],
    [jpeg2000, await makeTestFilm(1, { transferSyntaxUID: jpeg2000Lossless })],
  ]);
}

const jpeg2000 = 'JPEG 2000 (Lossless Only)';
const reduced = `${jpeg2000}, with reducedDecoding`;

async function decode(bytes: Uint8Array, leastSide: number | null): Promise<void> {
  const part10 = parsePart10(bytes);
  radiograph(part10, await storedPixels(part10, leastSide));
}

export async function benchDecode(rounds: number): Promise<readonly Report[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-'));
  try {
    const files = await films(folder);
    const all = new Map([...files, [reduced, files.get(jpeg2000)!]]);
    const contestants = [...all].flatMap(([name, bytes]): Contestant[] =>
      bytes ? [{ name, times: 1, work: () => decode(bytes, name === reduced ? leastSide : null) }] : [],
    );
    const timings = await takeTurns(contestants, rounds);
    const plain = timings.get(uncompressed)!;
    const rows = [...all].map(([what, bytes]): Row => {
      const own = timings.get(what);
      if (!own)
        return {
          id: what,
          what,
          value: null,
          unit: 'ms',
          note: 'the dcmtk tool that writes it is not installed, or failed',
        };
      const slower = median(own.map((seconds, round) => seconds / plain[round]!));
      const note = `${((bytes?.length ?? 0) / 1e6).toFixed(1)} MB`;
      return {
        id: what,
        what,
        value: median(own) * 1000,
        unit: 'ms',
        ratio: { value: slower, of: 'uncompressed' },
        note,
      };
    });
    const about = 'One film of 2048 × 2500 pixels, 12 bits: parse, decode, look-up tables. A ratio above 1 is slower.';
    return [{ name: 'decode', about, rows }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
