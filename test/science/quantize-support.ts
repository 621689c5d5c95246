import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Examination } from '../../src/core/examination.ts';
import { deviceUid, sha256 } from '../../src/core/ids.ts';
import { wholeFilm } from '../../src/core/lungs.ts';
import type { Precision } from '../../src/core/reading.ts';
import type { Radiograph } from '../../src/core/study.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';
import { loadModel, type Manifest } from '../../src/model/manifest.ts';
import { replaceHead } from '../../src/model/replace-head.ts';
import { type Inference, openNetwork } from '../../src/model/session.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { loadNarrow } from '../model/models.ts';

/** A narrow model that tells drawn films of two kinds apart, and a reader of such films without a process of its own. */

export const opacityFilms = (count: number) => Array.from({ length: count }, (_, i) => `opacity-${i}`);
export const clearFilms = (count: number) => Array.from({ length: count }, (_, i) => `clear-${i}`);

/** Films of one kind are the negatives of the other. */
function filmOf(name: string): Radiograph {
  const film = goldenRadiograph(500 + Number(name.split('-')[1]) + (name.startsWith('clear') ? 5000 : 0));
  return name.startsWith('clear') ? { ...film, pixels: film.pixels.map((value) => 1 - value) } : film;
}

async function inferAll(weights: Uint8Array, names: readonly string[]): Promise<readonly Inference[]> {
  const narrow = loadNarrow();
  const network = await openNetwork({ ...narrow, weights }, { threads: 1 });
  const answers: Inference[] = [];
  for (const name of names)
    answers.push(await network.infer(preprocess(filmOf(name), narrow.manifest.preprocess).tensor));
  await network.close();
  return answers;
}

/** A model folder `<parent>/site` whose head lies along the difference of the two kinds' mean features. */
export async function makeSite(): Promise<{ readonly parent: string; readonly folder: string }> {
  const narrow = loadNarrow();
  const { outputs } = narrow.manifest;
  const width = outputs.features.shape[1];
  const mean = (films: readonly Inference[]) =>
    Float64Array.from(
      { length: width },
      (_, k) => films.reduce((sum, { features }) => sum + features[k]!, 0) / films.length,
    );
  const opacity = mean(await inferAll(narrow.weights, opacityFilms(4)));
  const clear = mean(await inferAll(narrow.weights, clearFilms(4)));
  const direction = opacity.map((value, k) => value - clear[k]!);
  const along = (features: Float64Array) => features.reduce((sum, value, k) => sum + value * direction[k]!, 0);
  const scale = 6 / (along(opacity) - along(clear));
  const middle = (scale * (along(opacity) + along(clear))) / 2;
  const head = {
    weight: Float32Array.from(
      { length: 2 * width },
      (_, i) => (i < width ? -0.5 : 0.5) * scale * direction[i % width]!,
    ),
    bias: Float32Array.of(middle / 2, -middle / 2),
  };
  const weights = replaceHead(narrow.weights, outputs, head);
  const peaks = (await inferAll(weights, opacityFilms(2))).map(({ map }) => Math.max(...map.values));
  const parent = mkdtempSync(join(tmpdir(), 'cxr-quantize-'));
  const folder = join(parent, 'site');
  mkdirSync(folder);
  const { golden: _, ...bare } = narrow.manifest;
  const manifest: Manifest = {
    ...bare,
    ...{ id: 'site', training: 'trained', heat: { max: Math.max(...peaks) } },
    weights: { file: 'weights.onnx', sha256: sha256(weights) },
  };
  writeFileSync(join(folder, 'weights.onnx'), weights);
  writeFileSync(join(folder, 'model.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'CARD.md'), `weights ${sha256(weights)}, device ${deviceUid(sha256(weights))}\n`);
  writeFileSync(join(folder, 'training-digests.json'), '{"films":[],"groups":[]}\n');
  return { parent, folder };
}

export function tableOf(parent: string, name: string, films: readonly string[]): string {
  const file = join(parent, name);
  const lines = films.map((film) => `${film},${film.startsWith('opacity') ? 'opacity' : 'none'},${film}`);
  writeFileSync(file, ['file,label,group', ...lines, ''].join('\n'));
  return file;
}

/** What the reader would say of a drawn film whose name is the file's. */
export function openReader(folder: string, precision: Precision) {
  const model = loadModel(folder, precision);
  const opening = openNetwork(model, { threads: 1 });
  return {
    async examine(path: string): Promise<Examination> {
      const network = await opening;
      const { probabilities, map, features } = await network.infer(
        preprocess(filmOf(basename(path)), model.manifest.preprocess).tensor,
      );
      return {
        score: probabilities[1],
        map,
        window: wholeFilm,
        features,
        fileDigest: sha256(path),
        header: null,
        picture: null,
      };
    },
    close: async () => (await opening).close(),
  };
}

export const readJson = (folder: string, file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
