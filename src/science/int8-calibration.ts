import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';
import { sha256 } from '../core/ids.ts';
import type { Int8 } from '../model/int8-file.ts';
import type { Quantization } from '../model/int8-graph.ts';
import type { Manifest } from '../model/manifest.ts';
import { decodeModel } from '../model/onnx-schema.ts';
import { uniform } from '../model/random.ts';
import { quantizationOf, statisticsName, withErrors, withRanges } from '../model/range-graph.ts';
import { headInitializers } from '../model/replace-head.ts';
import { activationsOf, stepsOf } from '../model/trunk.ts';
import { askAll, type ShootingTools, type Shot } from './fidelity.ts';
import { jsonOf } from './head-model.ts';
import { shuffled } from './split.ts';
import type { Row } from './table.ts';

/** Ranges of a network's activations from films that it was trained on, by the reader itself. */

export interface CalibrationInput {
  /** A folder that is ours: models that tell statistics are put there for a while. */
  readonly workFolder: string;
  readonly manifest: Manifest;
  /** Stored in 8 bits. */
  readonly weights: Uint8Array;
  readonly rows: readonly Row[];
}

export interface CalibrationTools {
  /** Runs `ask` on the films with the model of a folder. */
  readonly onModel: <T>(folder: string, ask: (tools: ShootingTools) => Promise<T>) => Promise<T>;
}

/** Ranges that are tried, as shares of what was seen: rare high values cost all others their resolution. */
const shares = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
/** Statistics of a graph: as many as features at most. */
const mostStatistics = 2048;

/** At most `most` rows, drawn by group: each group gives one film before any gives two. */
export function calibrationRows(rows: readonly Row[], most: number): readonly Row[] {
  const groups = [...Map.groupBy(shuffled(rows, uniform(1)), ({ group }) => group).values()];
  const longest = groups.reduce((length, group) => Math.max(length, group.length), 0);
  const turns = Array.from({ length: longest }, (_, turn) => groups.flatMap((group) => group[turn] ?? []));
  return turns.flat().slice(0, most);
}

/** For each activation the range whose 256 levels make the least squared error over the films. */
export async function calibrate(input: CalibrationInput, tools: CalibrationTools): Promise<Int8['activations']> {
  const { graph } = decodeModel(input.weights);
  const activations = activationsOf(stepsOf(graph, headInitializers(graph, input.manifest.outputs)));
  if (activations.length * shares.length > mostStatistics) {
    const got = String(activations.length);
    throw new Failure('model-unusable', {
      where: 'activations of the graph',
      expected: `at most ${Math.floor(mostStatistics / shares.length)}`,
      got,
    });
  }
  const ranges = await statisticsOf(input, withRanges(input.weights, activations), 2 * activations.length, tools);
  const candidates = activations.map(({ name }, i) => [name, candidatesOf(ranges, i)] as const);
  const count = activations.length * shares.length;
  const errors = await statisticsOf(input, withErrors(input.weights, candidates), count, tools);
  return Object.fromEntries(
    candidates.map(([name, quantizations], i) => [name, leastError(quantizations, errors, i * shares.length)]),
  );
}

type Statistics = readonly Float32Array[];

function candidatesOf(ranges: Statistics, index: number): readonly Quantization[] {
  const low = ranges.reduce((least, range) => Math.min(least, range[2 * index]!), 0);
  const high = ranges.reduce((most, range) => Math.max(most, range[2 * index + 1]!), 0);
  return shares.map((share) => quantizationOf(share * low, share * high));
}

function leastError(quantizations: readonly Quantization[], errors: Statistics, from: number): Quantization {
  const sums = quantizations.map((_, i) => errors.reduce((sum, film) => sum + film[from + i]!, 0));
  return quantizations[sums.indexOf(Math.min(...sums))]!;
}

/** What a graph tells in the place of its features, film by film. */
async function statisticsOf(
  { workFolder, manifest, rows }: CalibrationInput,
  weights: Uint8Array,
  count: number,
  { onModel }: CalibrationTools,
): Promise<Statistics> {
  const { golden: _, ...bare } = manifest;
  const folder = join(workFolder, manifest.id);
  const features = { name: statisticsName, shape: [1, count] };
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, manifest.weights.file), weights);
    const told = {
      ...bare,
      weights: { ...manifest.weights, sha256: sha256(weights) },
      outputs: { ...manifest.outputs, features },
    };
    writeFileSync(join(folder, 'model.json'), jsonOf(told));
    const answers = await onModel(folder, (tools) => askAll(rows, tools, (seen) => seen.features));
    return answers.filter((answer) => answer !== null);
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}

/** The line by which the logits of the 8-bit network come nearest to the float network's, on the same films. */
export function logitLine(float: readonly (Shot | null)[], int8: readonly (Shot | null)[]): Int8['logit'] {
  const pairs = float.flatMap((one, i) => {
    const other = int8[i];
    return one && other ? [{ x: logit(other.score), y: logit(one.score) }] : [];
  });
  const mean = (of: (pair: { x: number; y: number }) => number) =>
    pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const spread = mean(({ x }) => (x - meanX) ** 2);
  const slope = spread === 0 ? 1 : mean(({ x, y }) => (x - meanX) * (y - meanY)) / spread;
  if (!(slope > 0)) {
    const where = 'logits of the network in 8-bit arithmetic';
    throw new Failure('model-unusable', { where, expected: 'to rise with the float ones', got: `slope ${slope}` });
  }
  return { slope, shift: meanY - slope * meanX };
}

const leastShare = 1e-6;
const logit = (p: number): number => {
  const inside = Math.min(1 - leastShare, Math.max(leastShare, p));
  return Math.log(inside / (1 - inside));
};
