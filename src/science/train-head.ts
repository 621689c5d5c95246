import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Examine } from '../core/examination.ts';
import type { Failure } from '../core/failure.ts';
import { sha256 } from '../core/ids.ts';
import { toPng, toSvg } from '../model/drawing.ts';
import { checkGolden } from '../model/golden.ts';
import { type LoadedModel, loadModel, type Manifest } from '../model/manifest.ts';
import { replaceHead } from '../model/replace-head.ts';
import { openNetwork } from '../model/session.ts';
import { drawCurve } from './curve.ts';
import { openFeatureStore } from './feature-store.ts';
import { type Extracted, type ExtractionProgress, extractFeatures } from './features.ts';
import { headCard, intendedUse, type TrainingFacts } from './head-card.ts';
import { heatScale, jsonOf, openStaging, requireFree, writeManifest, writeModel } from './head-model.ts';
import { type TrainedHead, trainHeadOn } from './head-training.ts';
import {
  groupDigest,
  overlapOf,
  readTrainingDigests,
  type TrainingDigests,
  trainingDigestsFile,
  type trainingDigestsSchema,
} from './overlap.ts';
import type { Epoch } from './sgd.ts';
import { createHead, toFloat32 } from './softmax-head.ts';
import { readTable } from './table.ts';
import type { TrainHeadOptions } from './train-options.ts';
import { type TrainingFilm, type TrainingRow, trainingRows, withoutCopies } from './training-films.ts';

/**
 * The paper's transfer learning: a frozen backbone, its pooled features taken once, a new last layer trained on them,
 * and a model folder written that the reader loads like any other.
 */

export interface TrainHeadInput {
  readonly table: string;
  /** Folder that the files of the table lie in. */
  readonly root: string;
  readonly backboneFolder: string;
  /** Folder of models that the new one is put into. */
  readonly out: string;
  /** Where features are kept between runs. */
  readonly work: string;
  readonly atOnce: number;
  readonly options: TrainHeadOptions;
}

export type TrainHeadProgress =
  | ({ readonly kind: 'features' } & ExtractionProgress)
  | { readonly kind: 'unreadable'; readonly file: string; readonly failure: Failure }
  | { readonly kind: 'epoch'; readonly epoch: Epoch; readonly epochs: number }
  | { readonly kind: 'heat'; readonly done: number; readonly total: number };

/** The reader, opened on one model folder. */
export interface OpenedReader {
  readonly examine: Examine;
  readonly close: () => Promise<void>;
}

export interface TrainHeadTools {
  readonly openReader: (modelFolder: string) => OpenedReader;
  readonly progress: (progress: TrainHeadProgress) => void;
  /** When it aborts, no model is written; the features that were taken stay. */
  readonly signal: AbortSignal;
}

export interface TrainHeadResult {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly facts: TrainingFacts;
}

/**
 * Raises `config-invalid` for options and a taken id, `table-invalid`, `images-unreadable`, `model-unusable` for the backbone,
 * or the signal's reason. Whatever it raises, no folder of the new id is there.
 */
export async function trainHead(input: TrainHeadInput, tools: TrainHeadTools): Promise<TrainHeadResult> {
  const { options, out } = input;
  requireFree(out, options.id);
  const backbone = loadModel(input.backboneFolder);
  requireReplaceable(backbone);
  const { rows, counts } = trainingRows(readTable(input.table), options.includeCovid);
  const { films: extracted, unreadable } = await takeFeatures(input, backbone, rows, tools);
  const films = withoutCopies(rows, extracted);
  const trained = await trainHeadOn(films, options, {
    signal: tools.signal,
    epoch: (epoch) => tools.progress({ kind: 'epoch', epoch, epochs: options.epochs }),
  });
  const seen = readTrainingDigests(input.backboneFolder);
  const knownToBackbone = seen && countSeen(trained.split.validation, seen);
  const copies = extracted.length - films.length;
  const facts = { backbone: backbone.manifest, options, counts, unreadable, copies, knownToBackbone, trained };
  const digests = digestsOf(rows, extracted, seen);
  return writeFolder(input, backbone, facts, digests, tools);
}

function countSeen(films: readonly TrainingFilm[], seen: TrainingDigests): number {
  const question = { groupsUnrelated: false };
  return films.filter(({ group, fileDigest }) => overlapOf(seen, { group, fileDigests: [fileDigest] }, question))
    .length;
}

/** Asked before hours of reading: a head of zeros is put into the graph and thrown away. */
function requireReplaceable({ weights, manifest: { outputs } }: LoadedModel): void {
  replaceHead(weights, outputs, toFloat32(createHead(outputs.features.shape[1])));
}

async function takeFeatures(
  input: TrainHeadInput,
  backbone: LoadedModel,
  rows: readonly TrainingRow[],
  { openReader, progress, signal }: TrainHeadTools,
) {
  const reader = openReader(input.backboneFolder);
  try {
    return await extractFeatures(
      rows.map(({ file }) => file),
      {
        root: input.root,
        store: openFeatureStore(input.work, backbone.manifest),
        examine: reader.examine,
        atOnce: input.atOnce,
        signal,
        progress: (done) => progress({ kind: 'features', ...done }),
        unreadable: (file, failure) => progress({ kind: 'unreadable', file, failure }),
      },
    );
  } finally {
    await reader.close();
  }
}

/** Of all films and groups that took part, and of those that the backbone names. */
function digestsOf(
  rows: readonly TrainingRow[],
  extracted: readonly Extracted[],
  seen: TrainingDigests | null,
): z.input<typeof trainingDigestsSchema> {
  const films = extracted.map(({ fileDigest }) => fileDigest);
  const groups = extracted.map(({ index }) => groupDigest(rows[index]!.group));
  const sorted = (digests: readonly string[], before?: ReadonlySet<string>) =>
    [...new Set([...digests, ...(before ?? [])])].sort();
  return { films: sorted(films, seen?.films), groups: sorted(groups, seen?.groups) };
}

type FactsBeforeHeat = Omit<TrainingFacts, 'heatFilms' | 'heatKept'>;

async function writeFolder(
  input: TrainHeadInput,
  backbone: LoadedModel,
  facts: FactsBeforeHeat,
  digests: z.input<typeof trainingDigestsSchema>,
  tools: TrainHeadTools,
): Promise<TrainHeadResult> {
  const { out, options } = input;
  const staging = openStaging(out, options.id);
  try {
    const weights = replaceHead(backbone.weights, backbone.manifest.outputs, toFloat32(facts.trained.head));
    const planned = manifestOf(backbone.manifest, weights, facts);
    await writeModel(staging.folder, planned, weights);
    const heat = await takeHeat(input, staging.folder, facts.trained, tools);
    const manifest = { ...planned, heat: { max: heat.max ?? backbone.manifest.heat.max } };
    const whole = { ...facts, heatFilms: heat.films, heatKept: heat.max === null };
    writeManifest(staging.folder, manifest);
    await writeRest(staging.folder, manifest, whole, digests);
    await requireSound(staging.folder);
    tools.signal.throwIfAborted();
    requireFree(out, options.id);
    const folder = join(out, options.id);
    renameSync(staging.folder, folder);
    return { folder, manifest, facts: whole };
  } finally {
    rmSync(staging.parent, { recursive: true, force: true });
  }
}

async function takeHeat(
  { root, options: { seed } }: TrainHeadInput,
  folder: string,
  { split, head }: TrainedHead,
  { openReader, progress, signal }: TrainHeadTools,
) {
  const reader = openReader(folder);
  const tell = (done: number, total: number) => progress({ kind: 'heat', done, total });
  try {
    return await heatScale(split.training, head, { root, examine: reader.examine, signal, seed, progress: tell });
  } finally {
    await reader.close();
  }
}

function manifestOf(backbone: Manifest, weights: Uint8Array, { options, trained }: FactsBeforeHeat): Manifest {
  return {
    ...backbone,
    id: options.id,
    manufacturer: options.manufacturer ?? backbone.manufacturer,
    name: options.name ?? `Head on ${backbone.id}`.slice(0, 64),
    version: options.modelVersion,
    training: 'trained',
    intendedUse: intendedUse({ backbone, options }),
    weights: { ...backbone.weights, sha256: sha256(weights) },
    operatingPoint: trained.operatingPoint,
    golden: 'golden.json',
  };
}

/** Pixels of the PNG for one of the drawing's. */
const pngScale = 2;

async function writeRest(
  folder: string,
  manifest: Manifest,
  facts: TrainingFacts,
  digests: z.input<typeof trainingDigestsSchema>,
): Promise<void> {
  const curve = drawCurve(facts.trained.epochs, facts.trained.kept);
  writeFileSync(join(folder, 'training-curve.svg'), toSvg(curve));
  writeFileSync(join(folder, 'training-curve.png'), await toPng(curve, pngScale));
  writeFileSync(join(folder, trainingDigestsFile), jsonOf(digests));
  writeFileSync(join(folder, 'CARD.md'), headCard(manifest, facts));
}

/** What every start asks: form, digest, graph, known answer. */
async function requireSound(folder: string): Promise<void> {
  const model = loadModel(folder);
  const network = await openNetwork(model, { threads: 1 });
  try {
    if (model.golden) await checkGolden(network, model.manifest, model.golden);
  } finally {
    await network.close();
  }
}
