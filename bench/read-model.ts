import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type LoadedModel, loadModel } from '../src/model/manifest.ts';
import { buildUntrained } from '../src/model/untrained.ts';

/** Which network the benchmark of reading runs. */

const models = resolve(import.meta.dirname, '../models');
/** The one that comes with the project, once it is trained. */
const shipped = 'resnet101-airspace-opacity';
export const narrow = 'resnet101-narrow-untrained';

/**
 * The model of that name or path; without one the shipped model, or a full-size network of noise, which takes as long.
 * Raises `model-unusable`.
 */
export async function openModel(asked: string | null, folder: string): Promise<LoadedModel> {
  if (asked !== null) return loadModel(existsSync(join(models, asked)) ? join(models, asked) : resolve(asked));
  return existsSync(join(models, shipped, 'model.json')) ? loadModel(join(models, shipped)) : buildFull(folder);
}

async function buildFull(folder: string): Promise<LoadedModel> {
  const id = 'resnet101-untrained';
  const { files } = await buildUntrained({ id, width: 64, seed: 7 });
  mkdirSync(join(folder, id));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, id, name), content);
  return loadModel(join(folder, id));
}

export const openNarrow = (): LoadedModel => loadModel(join(models, narrow));
