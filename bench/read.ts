import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { goldenRadiograph } from '../src/model/golden.ts';
import { type LoadedModel, loadModel } from '../src/model/manifest.ts';
import { decodeModel } from '../src/model/onnx-schema.ts';
import { inputSide } from '../src/model/preprocess-steps.ts';
import { buildUntrained } from '../src/model/untrained.ts';
import { makeTestFilm } from '../test/support/films.ts';
import { settings } from '../test/support/readings.ts';
import { multiplyAdds } from './graph-work.ts';
import { childMemory } from './machine.ts';
import { median, type Timings, takeTurns } from './measure.ts';
import { bare, type Files, gemm, network, type Open, readers } from './read-contestants.ts';
import { readRows } from './read-rows.ts';
import type { Report } from './table.ts';

/** Images a minute: of a film from DICOM to picture and score through the child, and of everything below it. */

async function writeFiles(folder: string): Promise<Files> {
  const film = join(folder, 'film.dcm');
  writeFileSync(film, await makeTestFilm(1));
  const picture = join(folder, 'picture.png');
  const { columns, rows, pixels } = goldenRadiograph(1);
  const levels = Uint8Array.from(pixels, (pixel) => Math.round(pixel * 255));
  await sharp(levels, { raw: { width: columns, height: rows, channels: 1 } })
    .resize(inputSide, inputSide, { fit: 'fill' })
    .toColourspace('b-w')
    .png()
    .toFile(picture);
  return { film, picture };
}

async function buildFull(folder: string): Promise<LoadedModel> {
  const id = 'resnet101-untrained';
  const { files } = await buildUntrained({ id, width: 64, seed: 7 });
  mkdirSync(join(folder, id));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, id, name), content);
  return loadModel(join(folder, id));
}

async function benchModel(title: string, model: LoadedModel, files: Files, rounds: number): Promise<Report> {
  const open: Open[] = [];
  let timings: Timings;
  let memory: ReturnType<typeof childMemory>;
  try {
    for (const threads of [1, 2]) {
      open.push(await gemm(threads), await bare(model, threads), await network(model, threads));
    }
    for (const [atOnce, threads] of [
      [1, 1],
      [1, 2],
      [2, 1],
    ] as const) {
      open.push(...(await readers(model, files, { atOnce, threads, settings })));
    }
    timings = await takeTurns(open, rounds);
    memory = childMemory();
  } finally {
    await Promise.all(open.map(({ close }) => close()));
  }
  const peak = memory && memory.length > 0 ? median(memory.map((each) => each.peak)) : null;
  const about = `${model.manifest.name}: ${(multiplyAdds(decodeModel(model.weights)) / 1e9).toPrecision(3)} G multiply-adds an image.`;
  return { name: title, about, rows: readRows(timings, multiplyAdds(decodeModel(model.weights)), peak) };
}

export async function benchRead(rounds: number): Promise<readonly Report[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-'));
  try {
    const files = await writeFiles(folder);
    const narrow = loadModel(resolve(import.meta.dirname, '../models/resnet101-narrow-untrained'));
    return [
      await benchModel('read, full model', await buildFull(folder), files, rounds),
      await benchModel('read, narrow model', narrow, files, rounds),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
