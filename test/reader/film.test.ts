/** @jest-environment ./test/model/onnx-environment.js */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asFailure } from '../../src/core/failure.ts';
import { wholeFilm } from '../../src/core/lungs.ts';
import type { FilmRequest } from '../../src/core/ports.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { radiograph, storedPixels } from '../../src/dicom/pixels.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';
import { hottestZone } from '../../src/model/hottest.ts';
import { openNetwork } from '../../src/model/session.ts';
import { preparePlane, preprocess } from '../../src/model/tensor.ts';
import { createReader, type Reader } from '../../src/reader/index.ts';
import { changeManifest, changeWeights, copyOfNarrow, loadNarrow, narrowFolder, withNumber } from '../model/models.ts';
import { floatsOf, python, temporaryFolder, testWithPython } from '../model/python.ts';
import { makeTestFilm } from '../support/films.ts';
import { settings } from '../support/readings.ts';
import { filmUid, type Lying, onHungFilm, writeFilm } from './film-file.ts';

/** The real child: from a DICOM file to a reading. */

const folder = temporaryFolder();
const request = (path: string, expectedSOPInstanceUID: string | null = null): FilmRequest => ({
  path,
  expectedSOPInstanceUID,
  settings,
});

const faultOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: unknown) => `${asFailure(thrown).code} at ${asFailure(thrown).detail.where}`,
  );

async function withModel<T>(modelFolder: string, work: (reader: Reader) => Promise<T>): Promise<T> {
  const reader = createReader({ modelFolder, spares: 0 });
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}

describe('the child', () => {
  test('reads a film as the same steps do one by one, and gives the header of the very file', async () => {
    const path = writeFilm(folder, 3);
    const { header, reading, again } = await withModel(narrowFolder, async (reader) => ({
      header: await reader.header(path),
      reading: await reader.read(request(path, filmUid)),
      again: await reader.read(request(path)),
    }));
    const model = loadNarrow();
    const network = await openNetwork(model, { threads: 1 });
    const stored = { ...goldenRadiograph(3) };
    stored.pixels = stored.pixels.map((pixel) => Math.round(pixel * 4095) / 4095);
    const direct = await network.infer(preprocess(stored, model.manifest.preprocess).tensor);
    await network.close();
    expect(reading.score).toBeCloseTo(direct.probabilities[1], 4);
    expect(reading.map.values).toHaveLength(49);
    expect(reading.zone).toBe(hottestZone(direct.map, wholeFilm));
    expect(reading.pixelDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(Math.max(reading.picture.columns, reading.picture.rows)).toBeLessThanOrEqual(settings.heatmapMaxSide);
    expect(reading.header).toEqual(header);
    expect(header['00080018']?.Value).toEqual([filmUid]);
    expect(header['7FE00010']).toBeUndefined();
    expect([again.score, again.pixelDigest, again.region]).toEqual([
      reading.score,
      reading.pixelDigest,
      reading.region,
    ]);
    expect(Buffer.compare(again.picture.rgb, reading.picture.rgb)).toBe(0);
  });

  test('reads a film that lies mirrored or turned as it is hung, and tells places in its matrix', async () => {
    const ways = ['LF', 'RF', 'LH', 'RH', 'FL', 'FR', 'HL', 'HR'].map((way) => [...way] as unknown as Lying);
    const { columns, rows } = goldenRadiograph(3);
    const always = { ...settings, operatingPoint: 0 };
    await withModel(narrowFolder, async (reader) => {
      const plain = await reader.read({ ...request(writeFilm(folder, 3)), settings: always });
      expect(plain.region.length).toBeGreaterThan(5);
      for (const lying of ways) {
        const turned = await reader.read({ ...request(writeFilm(folder, 3, lying)), settings: always });
        const { score, map, zone, picture } = turned;
        expect([lying, score, map, zone]).toEqual([lying, plain.score, plain.map, plain.zone]);
        expect(Buffer.compare(picture.rgb, plain.picture.rgb)).toBe(0);
        const hung = turned.region.map((point) => onHungFilm(point, lying, columns, rows));
        for (const [index, point] of plain.region.entries())
          for (const axis of [0, 1] as const) expect(hung[index]![axis]).toBeCloseTo(point[axis], 6);
      }
    });
  }, 120_000);

  test('reads a JPEG 2000 film at the size that reading needs where it is told to, and tells places in its matrix', async () => {
    const path = join(folder, 'large.dcm');
    writeFileSync(path, await makeTestFilm(7, { kind: 'opacity', transferSyntaxUID: '1.2.840.10008.1.2.4.90' }));
    const always = { ...settings, operatingPoint: 0 };
    await withModel(narrowFolder, async (reader) => {
      const whole = await reader.read({ ...request(path), settings: always });
      const reduced = await reader.read({ ...request(path), settings: { ...always, reducedDecoding: true } });
      expect(Math.abs(whole.score - reduced.score)).toBeLessThan(0.005);
      expect(reduced.pixelDigest).not.toBe(whole.pixelDigest);
      const extent = (axis: 0 | 1) =>
        [whole, reduced].map(({ region }) => Math.max(...region.map((point) => point[axis])));
      for (const axis of [0, 1] as const) {
        const [expected, got] = extent(axis);
        expect(expected).toBeGreaterThan(200);
        expect(Math.abs(got! - expected!)).toBeLessThan(40);
      }
    });
  }, 120_000);

  test('refuses an object that was not asked for, because its score would go to another patient (fault 37)', async () => {
    const path = writeFilm(folder, 4);
    await withModel(narrowFolder, async (reader) => {
      expect(await faultOf(reader.read(request(path, '2.25.1')))).toBe('wrong-object at SOPInstanceUID');
    });
  });

  test('outlives bad files: each gets its reason, and the next film is read', async () => {
    const path = writeFilm(folder, 5);
    const truncated = join(folder, 'truncated.dcm');
    writeFileSync(truncated, readFileSync(path).subarray(0, 9000));
    const page = join(folder, 'page.dcm');
    writeFileSync(page, '<!DOCTYPE html><html><body>Login</body></html>');
    await withModel(narrowFolder, async (reader) => {
      expect(await faultOf(reader.read(request(page)))).toMatch(/^not-dicom/);
      expect(await faultOf(reader.read(request(join(folder, 'gone.dcm'))))).toMatch(/^not-dicom/);
      expect(await faultOf(reader.read(request(folder)))).toMatch(/^not-dicom/);
      expect(await faultOf(reader.read(request(truncated)))).toMatch(/^truncated/);
      expect((await reader.read(request(path))).score).toBeGreaterThan(0);
    });
  });
});

describe('a model at fault', () => {
  test('with a flipped bit is unusable before any film is opened', async () => {
    const model = copyOfNarrow();
    const weights = readFileSync(join(model, 'weights.onnx'));
    weights[400_000]! ^= 4;
    writeFileSync(join(model, 'weights.onnx'), weights);
    await withModel(model, async (reader) => {
      expect(await faultOf(reader.ready())).toBe('model-unusable at weights.onnx sha256');
      expect(await faultOf(reader.read(request(writeFilm(folder, 5))))).toBe('model-unusable at weights.onnx sha256');
    });
  });

  test('with NaN weights is unusable by its known answer, and without one the film is refused, never "absent"', async () => {
    const model = copyOfNarrow();
    changeWeights(model, (message) => withNumber(message, 'head.weight', Number.NaN));
    await withModel(model, async (reader) => {
      expect(await faultOf(reader.ready())).toBe('model-unusable at known answer of seed 1');
    });
    changeManifest(model, ({ golden: _, ...manifest }) => manifest);
    await withModel(model, async (reader) => {
      expect(await faultOf(reader.read(request(writeFilm(folder, 5))))).toBe('model-invalid at output probabilities');
    });
  });
});

const chests = resolve('../shared/data/dicom/chest');
const testWithFilms = existsSync(chests) || process.env['CI'] ? testWithPython : test.skip;
if (!existsSync(chests)) console.warn(`skipped: no films at ${chests}`);

testWithFilms(
  'real films reach the network as pydicom, Pillow and numpy prepare them, within 1 grey level',
  async () => {
    const { preprocess: steps } = loadNarrow().manifest;
    const files = readdirSync(chests).map((name) => join(chests, name));
    const jobs = files.map((file, i) => ({ file, steps, plane: join(folder, `${i}.plane`) }));
    python('dicom.py', folder, jobs);
    for (const { file, plane } of jobs) {
      const part10 = parsePart10(readFileSync(file));
      const film = radiograph(part10, await storedPixels(part10));
      const ours = preparePlane(film, steps).plane.values;
      const theirs = floatsOf(readFileSync(plane));
      const furthest = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
      expect(furthest).toBeLessThanOrEqual(1);
    }
    expect(files.length).toBeGreaterThanOrEqual(3);
  },
);
