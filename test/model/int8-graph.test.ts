/** @jest-environment ./test/model/onnx-environment.js */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { int8Network } from '../../src/model/manifest.ts';
import { decodeModel, onnxElement } from '../../src/model/onnx-schema.ts';
import { quantizationOf } from '../../src/model/range-graph.ts';
import { headInitializers } from '../../src/model/replace-head.ts';
import { lastFeatureMap } from '../../src/model/resnet.ts';
import { storeKernels } from '../../src/model/stored-weights.ts';
import { activationsOf, stepsOf } from '../../src/model/trunk.ts';
import { loadNarrow } from './models.ts';

const { weights, manifest } = loadNarrow();
const { outputs } = manifest;
const kept = headInitializers(decodeModel(weights).graph, outputs);
const stored = storeKernels(weights, kept);
const steps = stepsOf(decodeModel(stored).graph, kept);
const activations = Object.fromEntries(
  activationsOf(steps).map(({ name, clamped }) => [name, quantizationOf(clamped ? 0 : -4, 4)]),
);
const network = int8Network(stored, outputs, { activations, logit: { slope: 1, shift: 0 } });

test('a stored and a float graph are the same steps, because folding does not hang on how kernels are kept', () => {
  const kinds = (bytes: Uint8Array) =>
    stepsOf(decodeModel(bytes).graph, kept).map((step) => [step.kind, step.kind === 'other' ? null : step.output]);
  expect(kinds(stored)).toEqual(kinds(weights));
  const count = (kind: string) => steps.filter((step) => step.kind === kind).length;
  expect([count('convolution'), count('add'), count('pool')]).toEqual([104, 33, 1]);
});

test('the film, the last feature map and what only the pool reads keep their floats', () => {
  expect(Object.keys(activations)).toHaveLength(136);
  for (const float of ['film', 'stem.relu', lastFeatureMap]) expect(activations).not.toHaveProperty(float);
});

test('every convolution but the first and the map’s is fused to integers, because one float island costs two conversions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-int8-'));
  const optimizedModelFilePath = join(folder, 'optimized.onnx');
  const session = await InferenceSession.create(network, {
    executionProviders: ['cpu'],
    optimizedModelFilePath,
    logSeverityLevel: 4,
  });
  await session.release();
  const { node } = decodeModel(readFileSync(optimizedModelFilePath)).graph;
  rmSync(folder, { recursive: true });
  const count = (opType: string) => node.filter((each) => each.opType === opType).length;
  expect([count('QLinearConv'), count('Conv')]).toEqual([103, 2]);
});

test('weights stay within ±64, because pairs of products must fit into 16 bits where a processor adds them so', () => {
  const levels = decodeModel(network).graph.initializer.filter(
    ({ name, dataType }) => dataType === onnxElement.int8 && name.endsWith('/kernel/levels'),
  );
  expect(levels).toHaveLength(103);
  const largest = levels.reduce(
    (most, { rawData }) =>
      new Int8Array(Uint8Array.from(rawData).buffer).reduce((m, level) => Math.max(m, Math.abs(level)), most),
    0,
  );
  expect(largest).toBe(64);
  expect(2 * 255 * largest).toBeLessThan(2 ** 15);
});

test('levels reach from the lowest to the highest value, and zero is one of them exactly', () => {
  for (const [low, high] of [
    [0, 5.1],
    [-1, 4],
    [-3, 0],
    [2, 9],
  ] as const) {
    const { scale, zeroPoint } = quantizationOf(low, high);
    expect(-zeroPoint * scale).toBeLessThanOrEqual(Math.min(0, low) + scale);
    expect((255 - zeroPoint) * scale).toBeGreaterThanOrEqual(high - scale);
    expect(Number.isInteger(zeroPoint)).toBe(true);
  }
});
