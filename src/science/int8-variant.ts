import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../core/ids.ts';
import { type Int8, int8File } from '../model/int8-file.ts';
import { int8Network, loadModel, type Manifest } from '../model/manifest.ts';
import { type Comparison, int8Passes, requireInt8, type Shot } from './fidelity.ts';
import { jsonOf, knownAnswers, type Staging } from './head-model.ts';
import { type CalibrationTools, calibrate, calibrationRows, logitLine } from './int8-calibration.ts';
import type { Asking, Int8Options, QuantizeInput, QuantizeTools } from './quantize.ts';
import { type Row, readTable } from './table.ts';

/** Makes the `int8.json` of a folder: ranges, the line of the logits, known answers, and what all that changes. */

export interface VariantInput extends Int8Options {
  readonly input: QuantizeInput;
  readonly staging: Staging;
  readonly manifest: Manifest;
  readonly weights: Uint8Array;
  readonly compareInt8: (shown: readonly (Shot | null)[]) => Comparison;
  /** Films to compare on. */
  readonly rows: readonly Row[];
}

export interface VariantTools extends QuantizeTools {
  readonly ask: Asking;
}

/** Rounding to 8 bits can fall to either side where processors differ in the last digit of a float. */
const goldenTolerance = 5e-3;

/**
 * Shares of the activations, from the film on, that are kept as floats: rounding the first ones costs most, as all others are made
 * of them. Tried in turn until the limits hold. In a ResNet-101 these are none, the first stage, the first two.
 */
const floatShares = [0, 0.1, 0.225];

export interface Variant {
  readonly comparison: Comparison;
  readonly passed: boolean;
  /** Activations that stayed floats though they could be 8 bits, and all that could be. */
  readonly floats: number;
  readonly activations: number;
}

/** Raises `model-unusable` when no variant holds the limits and failing ones are not asked for: then the last is written. */
export async function makeInt8(variant: VariantInput, tools: VariantTools): Promise<Variant> {
  const { manifest, weights, table, films, staging, keepFailing } = variant;
  const rows = calibrationRows(readTable(table), films);
  const ranges = await calibrate(
    { workFolder: join(staging.parent, 'statistics'), manifest, weights, rows },
    { onModel: modelRunner(variant.input, tools) },
  );
  const float = await tools.ask('float logits', staging.folder, 'float32', rows);
  const all = Object.entries(ranges);
  let tried: Variant | null = null;
  for (const share of floatShares) {
    const floats = Math.floor(share * all.length);
    const activations = Object.fromEntries(all.slice(floats));
    tried = { ...(await tryVariant(variant, tools, { rows, float, activations })), floats, activations: all.length };
    if (tried.passed) break;
  }
  if (!keepFailing) requireInt8(tried!.comparison);
  loadModel(staging.folder, 'int8');
  return tried!;
}

interface Trial {
  /** Films to calibrate on, and what the float network says of them. */
  readonly rows: readonly Row[];
  readonly float: readonly (Shot | null)[];
  readonly activations: Int8['activations'];
}

/** Writes int8.json with these ranges, and what it was seen to change. */
async function tryVariant(variant: VariantInput, { ask }: VariantTools, { rows, float, activations }: Trial) {
  const { folder } = variant.staging;
  const { length } = Object.keys(activations);
  write(folder, await draftOf(variant, rows.length, { activations, logit: { slope: 1, shift: 0 } }));
  const logit = logitLine(float, await ask(`logits with ${length} activations in 8 bits`, folder, 'int8', rows));
  const tuned = await draftOf(variant, rows.length, { activations, logit });
  write(folder, tuned);
  const shown = await ask(`${length} activations in 8 bits`, folder, 'int8', variant.rows);
  const comparison = variant.compareInt8(shown);
  const passed = int8Passes(comparison);
  write(folder, { ...tuned, seen: seenOf(comparison, passed) });
  return { comparison, passed };
}

function modelRunner(
  { root, atOnce }: QuantizeInput,
  { openReader, progress, signal }: QuantizeTools,
): CalibrationTools['onModel'] {
  return async (folder, ask) => {
    const { examine, close } = openReader(folder, 'float32');
    try {
      const tell = (done: number, total: number) => progress({ phase: 'calibration', done, total });
      return await ask({ root, examine, atOnce, signal, progress: tell });
    } finally {
      await close();
    }
  };
}

/** Known answers included: without them a reader does not open. What was seen is not known yet. */
async function draftOf(
  { staging: { folder }, manifest, weights, table }: VariantInput,
  films: number,
  way: Pick<Int8, 'activations' | 'logit'>,
): Promise<Int8> {
  const model = { ...loadModel(folder), weights: int8Network(weights, manifest.outputs, way) };
  return {
    weights: manifest.weights.sha256,
    calibration: { films, table: sha256(readFileSync(table)) },
    ...way,
    golden: await knownAnswers(model, goldenTolerance),
    seen: { films: 1, aucFloat: 0, aucInt8: 0, decisionsChanged: 1, mapCorrelation: 0, passed: false },
  };
}

const write = (folder: string, int8: Int8): void => writeFileSync(join(folder, int8File), jsonOf(int8));

const seenOf = (
  { films, aucFloat, aucOther, decisionsChanged, mapCorrelation }: Comparison,
  passed: boolean,
): Int8['seen'] => ({
  ...{ films, aucFloat, aucInt8: aucOther, decisionsChanged, mapCorrelation: mapCorrelation ?? 0, passed },
});
