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

/** Raises `model-unusable` when the limits are missed and failing variants are not asked for. */
export async function makeInt8(variant: VariantInput, tools: VariantTools) {
  const {
    staging: { folder },
    manifest,
    weights,
    table,
    films,
  } = variant;
  const { ask } = tools;
  const rows = calibrationRows(readTable(table), films);
  const activations = await calibrate(
    { workFolder: join(variant.staging.parent, 'statistics'), manifest, weights, rows },
    { onModel: modelRunner(variant.input, tools) },
  );
  const draft = await draftOf(variant, rows.length, { activations, logit: { slope: 1, shift: 0 } });
  write(folder, draft);
  const float = await ask('float logits', folder, 'float32', rows);
  const logit = logitLine(float, await ask('8-bit logits', folder, 'int8', rows));
  const tuned = await draftOf(variant, rows.length, { activations, logit });
  write(folder, tuned);
  const comparison = variant.compareInt8(await ask('8-bit arithmetic', folder, 'int8', variant.rows));
  if (!variant.keepFailing) requireInt8(comparison);
  const passed = int8Passes(comparison);
  write(folder, { ...tuned, seen: seenOf(comparison, passed) });
  loadModel(folder, 'int8');
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
