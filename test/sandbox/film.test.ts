import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { number, text } from '../../src/dicom/dataset.ts';
import { encodeFrame, jpeg2000Lossless, jpegLsLossless } from '../../src/dicom/encode.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { radiograph, storedPixels } from '../../src/dicom/pixels.ts';
import { type DemoFilm, demoFilms } from '../../src/sandbox/demo-world.ts';
import { drawPhantom, type Phantom } from '../../src/sandbox/phantom.ts';
import { dciodvfy, python, testWithValidators } from '../services/validators.ts';

const maybe = testWithValidators();
const folder = mkdtempSync(join(tmpdir(), 'cxr-films-'));
const pathOf = (name: string) => join(folder, `${name}.dcm`);

let films: readonly DemoFilm[];
let drawn: Phantom;
beforeAll(async () => {
  const start = performance.now();
  films = await demoFilms('20260102');
  const made = performance.now();
  drawn = drawPhantom('clear', 7);
  // Reported, not asserted: the machine decides.
  const [all, one] = [Math.round(made - start), Math.round(performance.now() - made)];
  process.stderr.write(`three films made and compressed in ${all} ms; one drawn in ${one} ms\n`);
  for (const { name, bytes } of films) writeFileSync(pathOf(name), bytes);
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true }));

const film = (name: DemoFilm['name']) => parsePart10(films.find((candidate) => candidate.name === name)!.bytes);
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const digestOf = (values: Uint16Array | Int16Array) =>
  digest(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
/** Mean over a box given in cm on the film of 35 cm width. */
const mean = (
  values: Uint16Array | Float32Array,
  [left, top, right, bottom]: readonly [number, number, number, number],
) => {
  const perCm = 2048 / 35;
  let [sum, count] = [0, 0];
  for (let row = Math.round(top * perCm); row < bottom * perCm; row++) {
    for (let column = Math.round(left * perCm); column < right * perCm; column++) {
      sum += values[row * 2048 + column]!;
      count++;
    }
  }
  return sum / count;
};

describe('the demo films', () => {
  test('are three studies of three invented patients, two of them compressed, one MONOCHROME1', () => {
    const facts = films.map(({ name }) => {
      const { header, transferSyntaxUID } = film(name);
      return [
        name,
        text(header, 'PatientName'),
        text(header, 'ViewPosition'),
        text(header, 'PhotometricInterpretation'),
        transferSyntaxUID,
      ];
    });
    expect(facts).toEqual([
      ['clear', 'PHANTOM^CLEAR', 'PA', 'MONOCHROME2', '1.2.840.10008.1.2.4.90'],
      ['opacity', 'PHANTOM^OPACITY', 'PA', 'MONOCHROME1', '1.2.840.10008.1.2.4.80'],
      ['lateral', 'PHANTOM^LATERAL', 'LL', 'MONOCHROME2', '1.2.840.10008.1.2.1'],
    ]);
    for (const keyword of ['StudyInstanceUID', 'PatientID', 'AccessionNumber'] as const) {
      expect(new Set(films.map(({ name }) => text(film(name).header, keyword))).size).toBe(3);
    }
  });

  test('are 2048 columns by 2500 rows of 12 bits', () => {
    const { header } = film('clear');
    const shape = (['Columns', 'Rows', 'BitsStored'] as const).map((keyword) => number(header, keyword));
    expect(shape).toEqual([2048, 2500, 12]);
  });

  test('are drawn the same by the same seed, because a demo that changes cannot be compared', async () => {
    expect(digestOf((await storedPixels(film('clear'))).values)).toBe(digestOf(drawn.values));
  });

  test('differ by seed', () => {
    expect(digestOf(drawPhantom('clear', 8).values)).not.toBe(digestOf(drawn.values));
  });

  maybe('pass dciodvfy without any error', () => {
    for (const { name } of films) expect([name, dciodvfy(pathOf(name)).errors]).toEqual([name, []]);
  });

  maybe('hold the same stored values for pydicom as for us, because lossless means bit-equal', async () => {
    const script = `
import hashlib, sys, pydicom
for path in sys.argv[1:]:
    print(hashlib.sha256(pydicom.dcmread(path).pixel_array.astype('<u2').tobytes()).hexdigest())
`;
    const paths = films.map(({ name }) => pathOf(name));
    const { stdout, stderr } = spawnSync(python, ['-c', script, ...paths], { encoding: 'utf8' });
    const ours = await Promise.all(films.map(async ({ name }) => digestOf((await storedPixels(film(name))).values)));
    expect([stdout.trim().split('\n'), stderr]).toEqual([ours, '']);
  });

  maybe('the JPEG-LS film is bit-equal through dcmtk too', async () => {
    const plain = pathOf('opacity-plain');
    expect(spawnSync('dcmdjpls', [pathOf('opacity'), plain]).status).toBe(0);
    const decoded = await storedPixels(parsePart10(readFileSync(plain)));
    expect(digestOf(decoded.values)).toBe(digestOf((await storedPixels(film('opacity'))).values));
  });
});

describe('the phantom as a radiograph', () => {
  // Boxes in cm: [left, top, right, bottom]; the film is 35 wide, the midline at 17.5.
  const rightLung = [7, 17, 11, 24] as const;
  const spine = [16.8, 24, 18.2, 28] as const;
  const belowDome = [10, 33.5, 13, 37] as const;
  const air = [0.5, 1, 4, 4] as const;

  test('has air darker than lung, and lung darker than heart and liver, as X-rays make them', () => {
    const [outside, lung, heart, liver] = [air, rightLung, spine, belowDome].map((box) => mean(drawn.values, box));
    expect(outside!).toBeLessThan(lung! / 2);
    expect(lung!).toBeLessThan(0.5 * heart!);
    expect(lung!).toBeLessThan(0.6 * liver!);
  });

  test('has the heart and the marker at the patient’s left, which a PA film shows at the right', () => {
    const [left, right] = [mean(drawn.values, [21.5, 25, 24.5, 28]), mean(drawn.values, [10.5, 25, 13.5, 28])];
    expect(left).toBeGreaterThan(1.3 * right);
    expect(mean(drawn.values, [32.1, 1.4, 32.3, 2.8])).toBeGreaterThan(4000);
    expect(mean(drawn.values, [2, 1.4, 3, 2.8])).toBeLessThan(800);
  });

  test('with an opacity differs from the clear one in the outer lower zones and nowhere else', () => {
    const opaque = drawPhantom('opacity', 7);
    const change = (box: readonly [number, number, number, number]) =>
      mean(opaque.values, box) - mean(drawn.values, box);
    const lower = Math.max(change([5.5, 23, 9, 28]), change([26, 23, 29.5, 28]));
    expect(lower).toBeGreaterThan(250);
    expect(Math.abs(change([8, 10, 12, 14]))).toBeLessThan(60);
    expect(Math.abs(change(belowDome))).toBeLessThan(60);
  });

  test('looks the same as MONOCHROME1, because polarity is only a way of storing', async () => {
    const inverted = film('opacity');
    const shown = radiograph(inverted, await storedPixels(inverted));
    expect(mean(shown.pixels, air)).toBeLessThan(0.1);
    expect(mean(shown.pixels, spine)).toBeGreaterThan(0.6);
  });
});

describe('the encoder', () => {
  const values = Uint16Array.from({ length: 48 * 40 }, (_, index) => (index * 2654435761) % 4096);
  const frame = { columns: 48, rows: 40, bitsStored: 12, values };

  test('makes several codecs in one process, because their modules must not share memory or names', async () => {
    const sizes = [];
    for (const syntax of [jpeg2000Lossless, jpegLsLossless, jpeg2000Lossless, jpegLsLossless]) {
      sizes.push(digest(await encodeFrame(syntax, frame)));
    }
    expect([sizes[0], sizes[1]]).toEqual([sizes[2], sizes[3]]);
  });

  test('refuses a transfer syntax that it does not write, by name', async () => {
    await expect(encodeFrame('1.2.840.10008.1.2.4.70', frame)).rejects.toMatchObject({
      code: 'unsupported-transfer-syntax',
    });
  });
});
