import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Examine } from '../core/examination.ts';
import { Failure } from '../core/failure.ts';
import { deviceUid, sha256 } from '../core/ids.ts';
import type { Precision } from '../core/reading.ts';
import { int8File } from '../model/int8-file.ts';
import { type LoadedModel, loadModel, type Manifest } from '../model/manifest.ts';
import { decodeModel } from '../model/onnx-schema.ts';
import { headInitializers } from '../model/replace-head.ts';
import { storeKernels } from '../model/stored-weights.ts';
import { type Comparison, compare, requireStored, type Shot, shots } from './fidelity.ts';
import { openStaging, type Staging, writeModel } from './head-model.ts';
import { makeInt8, type Variant } from './int8-variant.ts';
import { type Row, readTable } from './table.ts';

/** A model folder with its kernels in 8 bits, out of one with floats; and, with films to calibrate on, its 8-bit arithmetic. */

export interface QuantizeInput {
  readonly modelFolder: string;
  /** Folder of models that the new one, of the same id, is put into. */
  readonly out: string;
  /** Table of the films that both are compared on. */
  readonly table: string;
  /** Folder that the files of the tables lie in. */
  readonly root: string;
  readonly atOnce: number;
  /** Null: no int8.json is made. */
  readonly int8: Int8Options | null;
  /** For tests of the gate: what becomes of each scale. */
  readonly spoil?: (scale: number) => number;
}

export interface Int8Options {
  /** Table of films that the model was trained on. */
  readonly table: string;
  readonly films: number;
  /** Write what misses the limits too; int8.json says so. */
  readonly keepFailing: boolean;
}

export interface QuantizeProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
}

export interface QuantizeTools {
  readonly openReader: (
    modelFolder: string,
    precision: Precision,
  ) => { readonly examine: Examine; readonly close: () => Promise<void> };
  readonly progress: (progress: QuantizeProgress) => void;
  readonly signal: AbortSignal;
}

export interface Quantized {
  readonly folder: string;
  readonly bytes: number;
  readonly stored: Comparison;
  readonly int8: Variant | null;
}

/** The films of a table, asked of a model. */
export type Asking = (
  phase: string,
  folder: string,
  precision: Precision,
  rows: readonly Row[],
) => Promise<readonly (Shot | null)[]>;

/**
 * Raises `config-invalid` for a taken folder, `table-invalid`, `images-unreadable`, `model-unusable` for a model that cannot be
 * stored so or that scores otherwise than the limits allow, or the signal's reason. Whatever it raises, no folder is there.
 */
export async function quantize(input: QuantizeInput, tools: QuantizeTools): Promise<Quantized> {
  const source = loadModel(input.modelFolder);
  requireNew(join(input.out, source.manifest.id));
  const rows = labelled(readTable(input.table));
  const { graph } = decodeModel(source.weights);
  const weights = storeKernels(source.weights, headInitializers(graph, source.manifest.outputs), input.spoil);
  const staging = openStaging(input.out, source.manifest.id);
  try {
    const manifest = await writeStored(staging, source, weights);
    const ask = asking(input, tools);
    const float = await ask('float weights', input.modelFolder, 'float32', rows);
    const eight = await ask('8-bit weights', staging.folder, 'float32', rows);
    const points = { operatingPoint: manifest.operatingPoint, heatMax: manifest.heat.max };
    const stored = compare(rows, float, eight, points);
    requireStored(stored);
    const compareInt8 = (shown: readonly (Shot | null)[]) => compare(rows, float, shown, points);
    const int8 =
      input.int8 &&
      (await makeInt8({ ...input.int8, input, staging, manifest, weights, rows, compareInt8 }, { ...tools, ask }));
    tools.signal.throwIfAborted();
    const folder = join(input.out, manifest.id);
    renameSync(staging.folder, folder);
    return { folder, bytes: weights.length, stored, int8 };
  } finally {
    rmSync(staging.parent, { recursive: true, force: true });
  }
}

function requireNew(folder: string): void {
  if (!existsSync(folder)) return;
  const got = `${basename(folder)} is there`;
  throw new Failure('config-invalid', { where: '--out', expected: 'a folder without a model of that id', got });
}

/** `other` is a finding that is neither. */
const labelled = (rows: readonly Row[]): readonly Row[] => rows.filter(({ label }) => label !== 'other');

function asking({ root, atOnce }: QuantizeInput, { openReader, progress, signal }: QuantizeTools): Asking {
  return async (phase, folder, precision, rows) => {
    const { examine, close } = openReader(folder, precision);
    try {
      const tell = (done: number, total: number) => progress({ phase, done, total });
      return await shots(rows, { root, examine, atOnce, signal, progress: tell });
    } finally {
      await close();
    }
  };
}

/** Weights, manifest and known answers anew; all else as it was, its digests of the old weights replaced by those of the new. */
async function writeStored({ folder }: Staging, source: LoadedModel, weights: Uint8Array): Promise<Manifest> {
  const before = source.manifest.weights;
  const manifest = { ...source.manifest, weights: { ...before, sha256: sha256(weights) }, golden: 'golden.json' };
  const made = new Set([before.file, 'model.json', 'golden.json', int8File]);
  for (const entry of readdirSync(source.folder, { withFileTypes: true })) {
    if (!entry.isFile() || made.has(entry.name)) continue;
    cpSync(join(source.folder, entry.name), join(folder, entry.name));
    if (entry.name.endsWith('.md')) renewDigests(join(folder, entry.name), before.sha256, manifest.weights.sha256);
  }
  await writeModel(folder, manifest, weights);
  return manifest;
}

/** A card names the weights that it speaks of. */
function renewDigests(file: string, before: string, now: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replaceAll(before, now).replaceAll(deviceUid(before), deviceUid(now)));
}
