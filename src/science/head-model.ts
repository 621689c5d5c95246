import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Examine } from '../core/examination.ts';
import { Failure } from '../core/failure.ts';
import { type Golden, goldenRadiograph } from '../model/golden.ts';
import { type LoadedModel, loadModel, type Manifest } from '../model/manifest.ts';
import { uniform } from '../model/random.ts';
import { openNetwork } from '../model/session.ts';
import { preprocess } from '../model/tensor.ts';
import { probabilityOf, type SoftmaxHead } from './softmax-head.ts';
import { shuffled } from './split.ts';
import type { TrainingFilm } from './training-films.ts';

/** A new model folder, whole or not at all. */

export const goldenSeeds = [1, 2, 3, 4, 5, 6];
const goldenTolerance = 1e-3;
/** Films that the heat scale is taken from: enough for the 99.5th percentile, few enough to be read again. */
const mostHeatFilms = 400;
const heatPercentile = 0.995;
/** How far the written network may be from the head that was trained: float32 against float64. */
const scoreTolerance = 1e-4;

/** A folder that is being made: beside its later place, so that one rename makes it visible. */
export interface Staging {
  readonly parent: string;
  /** Named by the model's id, as a model folder is. */
  readonly folder: string;
}

const stagingPrefix = '.train-head-';

/** Raises `config-invalid` when a model of that id is there. Clears away what runs that were killed left behind. */
export function openStaging(out: string, id: string): Staging {
  requireFree(out, id);
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out)) {
    const pid = new RegExp(`^\\${stagingPrefix}(\\d+)$`).exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(out, name), { recursive: true, force: true });
  }
  const parent = join(out, `${stagingPrefix}${process.pid}`);
  const folder = join(parent, id);
  rmSync(parent, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return { parent, folder };
}

export function requireFree(out: string, id: string): void {
  if (!existsSync(join(out, id))) return;
  throw new Failure('config-invalid', { where: '--id', expected: 'a name that is not taken', got: `${id} is there` });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function writeManifest(folder: string, manifest: Manifest): void {
  writeFileSync(join(folder, 'model.json'), jsonOf(manifest));
}

export const jsonOf = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Weights, manifest and known answers, so that the folder is a model; the caller adds card, curve and digests. */
export async function writeModel(folder: string, manifest: Manifest, weights: Uint8Array): Promise<void> {
  const { golden: _, ...bare } = manifest;
  writeFileSync(join(folder, manifest.weights.file), weights);
  writeManifest(folder, bare);
  const golden = await knownAnswers(loadModel(folder));
  writeFileSync(join(folder, 'golden.json'), jsonOf(golden));
  writeManifest(folder, manifest);
}

/** What the model says of the drawn films; `tolerance` is how far another machine may be from it. */
export async function knownAnswers(model: LoadedModel, tolerance = goldenTolerance): Promise<Golden> {
  const network = await openNetwork(model, { threads: 1 });
  const cases: Golden['cases'] = [];
  for (const seed of goldenSeeds) {
    const { probabilities } = await network.infer(preprocess(goldenRadiograph(seed), model.manifest.preprocess).tensor);
    cases.push({ seed, probability: Number(probabilities[1].toFixed(6)) });
  }
  await network.close();
  return { tolerance, cases };
}

export interface HeatTools {
  readonly root: string;
  readonly examine: Examine;
  readonly signal: AbortSignal;
  readonly seed: number;
  readonly progress: (done: number, total: number) => void;
}

/**
 * Reads positive training films with the new model, through the reader as any film, and gives the 99.5th percentile of the
 * hottest cells of their maps; null when no map is above 0. Raises `model-unusable` when the written network scores a film
 * otherwise than the head that was trained.
 */
export async function heatScale(
  training: readonly TrainingFilm[],
  head: SoftmaxHead,
  { root, examine, signal, seed, progress }: HeatTools,
): Promise<{ readonly films: number; readonly max: number | null }> {
  const positive = training.filter(({ target }) => target === 1);
  const films = shuffled(positive, uniform(seed)).slice(0, mostHeatFilms);
  const peaks: number[] = [];
  for (const film of films) {
    signal.throwIfAborted();
    const { score, map } = await examine(join(root, film.file));
    checkScore(probabilityOf(head, film.features), score);
    peaks.push(Math.max(...map.values));
    progress(peaks.length, films.length);
  }
  const warm = percentile(peaks, heatPercentile);
  return { films: films.length, max: warm > 0 ? Number(warm.toPrecision(3)) : null };
}

function checkScore(expected: number, got: number): void {
  if (Math.abs(expected - got) <= scoreTolerance) return;
  const where = 'score of the new network for a training film';
  throw new Failure('model-unusable', { where, expected: expected.toFixed(6), got: got.toFixed(6) });
}

/** Between the two nearest ranks, linearly. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(rank)] ?? 0, sorted[Math.ceil(rank)] ?? 0];
  return low + (rank - Math.floor(rank)) * (high - low);
}
