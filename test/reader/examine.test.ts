/** @jest-environment ./test/model/onnx-environment.js */

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { defaultReadingConfig } from '../../src/config.ts';
import { asFailure } from '../../src/core/failure.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';
import { openNetwork } from '../../src/model/session.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { type Examiner, wireExaminer } from '../../src/wire.ts';
import { loadNarrow } from '../model/models.ts';
import { temporaryFolder } from '../model/python.ts';
import { writeFilm } from './film-file.ts';

/** The real child, asked for science: scores and features of files. */

const folder = temporaryFolder();
const config = defaultReadingConfig({ model: { id: 'resnet101-narrow-untrained' } });

async function withExaminer<T>(work: (examiner: Examiner) => Promise<T>): Promise<T> {
  const examiner = wireExaminer(config, { threads: 1 });
  try {
    return await work(examiner);
  } finally {
    await examiner.close();
  }
}

const faultOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: unknown) => `${asFailure(thrown).class} ${asFailure(thrown).code} at ${asFailure(thrown).detail.where}`,
  );

const film = goldenRadiograph(2);
const levels = Uint8Array.from(film.pixels, (pixel) => Math.round(pixel * 255));
const grey = () => sharp(levels, { raw: { width: film.columns, height: film.rows, channels: 1 } });

async function pictureFile(name: string, picture: Sharp): Promise<string> {
  const path = join(folder, name);
  await picture.toFile(path);
  return path;
}

test('a PNG is examined as the same steps do one by one, because science must see what the gateway sees', async () => {
  const path = await pictureFile('grey.png', grey().toColourspace('b-w').png());
  const model = loadNarrow();
  const network = await openNetwork(model, { threads: 1 });
  const pixels = Float32Array.from(levels, (level) => level / 255);
  const direct = await network.infer(preprocess({ ...film, pixels }, model.manifest.preprocess).tensor);
  await network.close();
  await withExaminer(async ({ examine, model: facts }) => {
    const examination = await examine(path);
    expect(examination.score).toBe(direct.probabilities[1]);
    expect(examination.features).toEqual(direct.features);
    expect(examination.map).toEqual(direct.map);
    expect(examination.window).toEqual({ left: 0, top: 0, width: 1, height: 1 });
    expect(examination.features).toHaveLength(facts.manifest.outputs.features.shape[1]);
    expect(examination.fileDigest).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
    expect([examination.header, examination.picture]).toEqual([null, null]);
  });
});

test('a film is the same film as PNG, as colour and as DICOM, because only its pixels count', async () => {
  const files = [
    await pictureFile('a.png', grey().toColourspace('b-w').png()),
    await pictureFile('colour.png', grey().toColourspace('srgb').png()),
    await pictureFile('alpha.png', grey().toColourspace('srgb').ensureAlpha().png()),
  ];
  await withExaminer(async ({ examine }) => {
    const [plain, ...others] = await Promise.all(files.map((file) => examine(file)));
    for (const other of others) expect(other.score).toBe(plain!.score);
    const dicom = await examine(writeFilm(folder, 2));
    expect(dicom.score).toBeCloseTo(plain!.score, 2);
    expect(dicom.header).toEqual({ ViewPosition: 'PA', Manufacturer: null, ManufacturerModelName: null });
  });
});

test('a picture is drawn when it is asked for, as a report shows it', async () => {
  const path = await pictureFile('drawn.jpg', grey().jpeg({ quality: 95 }));
  await withExaminer(async ({ examine }) => {
    const { picture } = await examine(path, { picture: true });
    expect(Math.max(picture!.columns, picture!.rows)).toBe(config.heatmapMaxSide);
    const { format, width } = await sharp(picture!.jpeg).metadata();
    expect([format, width]).toEqual(['jpeg', picture!.columns]);
  });
});

test('files that cannot be read are named by their code, and the next one is examined', async () => {
  const whole = await pictureFile('whole.jpg', grey().jpeg());
  const cut = join(folder, 'cut.jpg');
  writeFileSync(cut, readFileSync(whole).subarray(0, 2000));
  const text = join(folder, 'text.png');
  writeFileSync(text, 'no picture');
  await withExaminer(async ({ examine }) => {
    expect(await faultOf(examine(cut))).toBe('quarantine decode-failed at picture file');
    expect(await faultOf(examine(text))).toMatch(/^quarantine not-dicom/);
    expect(await faultOf(examine(join(folder, 'gone.png')))).toMatch(/^quarantine not-dicom/);
    expect((await examine(whole)).score).toBeGreaterThan(0);
  });
});
