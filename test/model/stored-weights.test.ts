/** @jest-environment ./test/model/onnx-environment.js */
import { goldenRadiograph } from '../../src/model/golden.ts';
import { decodeModel, onnxElement } from '../../src/model/onnx-schema.ts';
import { headInitializers, replaceHead } from '../../src/model/replace-head.ts';
import { openNetwork } from '../../src/model/session.ts';
import { createKernelReader, floatsOf, storeKernels, toLevels } from '../../src/model/stored-weights.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { loadNarrow } from './models.ts';

const narrow = loadNarrow();
const { outputs } = narrow.manifest;
const kept = headInitializers(decodeModel(narrow.weights).graph, outputs);
const stored = storeKernels(narrow.weights, kept);
const graph = decodeModel(stored).graph;

async function ask(weights: Uint8Array, seed: number) {
  const network = await openNetwork({ ...narrow, weights }, { threads: 1 });
  const answer = await network.infer(preprocess(goldenRadiograph(seed), narrow.manifest.preprocess).tensor);
  await network.close();
  return answer;
}

test('levels are the nearest ones to the weights, each channel by its own scale', () => {
  const weights = Float32Array.of(1, -0.25, 0.008, 1000, -3, 40, 0, 0, 0);
  const { levels, scales } = toLevels(weights, 3, 127);
  expect([...levels]).toEqual([127, -32, 1, 127, 0, 5, 0, 0, 0]);
  weights.forEach((weight, i) => {
    const scale = scales[Math.floor(i / 3)]!;
    expect(Math.abs(levels[i]! * scale - weight)).toBeLessThanOrEqual(scale / 2 + 1e-6);
  });
});

test('the rounding of a channel adds up to less than a step, because a sum that is off would shift all that it writes', () => {
  const weights = Float32Array.from({ length: 400 }, (_, i) => (i === 0 ? 127 : 3 + 0.45 * Math.abs(Math.sin(i))));
  const { levels, scales } = toLevels(weights, 1, 127);
  const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
  expect(scales[0]).toBe(1);
  expect(Math.abs(sum(weights) - sum(levels))).toBeLessThan(1);
  weights.forEach((weight, i) => {
    expect(Math.abs(weight - levels[i]!)).toBeLessThan(1);
  });
});

test('every kernel but the head’s is kept in a byte a number, because the repository holds no more', () => {
  const levels = graph.initializer.filter(({ dataType }) => dataType === onnxElement.int8);
  const before = decodeModel(narrow.weights).graph.initializer;
  const kernels = before.filter(({ name }) => name.endsWith('conv.weight'));
  const bytesIn = (tensors: typeof before) => tensors.reduce((sum, { rawData }) => sum + rawData.length, 0);
  expect(bytesIn(levels)).toBe(bytesIn(kernels) / 4);
  expect(graph.initializer.find(({ name }) => name === 'head.weight')?.dataType).toBe(onnxElement.float);
  expect(kernels).toHaveLength(104);
});

test('the runtime opens the file as any other and scores hardly differ, because it is a plain ONNX model', async () => {
  for (const seed of [1, 2, 3]) {
    const [float, eight] = [await ask(narrow.weights, seed), await ask(stored, seed)];
    expect(Math.abs(float.probabilities[1] - eight.probabilities[1])).toBeLessThan(0.06);
  }
}, 60_000);

test('storing what was stored once changes nothing more, because a head is trained on stored backbones too', () => {
  const read = createKernelReader(graph);
  const restored = read('stem.conv.weight')!;
  const again = toLevels(restored.weights(), restored.dims[0]!, 127);
  const levels = graph.initializer.find(({ name }) => name === 'stem.conv.weight.int8')!;
  expect(Buffer.from(again.levels.buffer).equals(levels.rawData)).toBe(true);
});

test('all bytes of the graph that are no kernels stay as they were', () => {
  const rest = (bytes: Uint8Array) =>
    decodeModel(bytes).graph.initializer.filter(({ name }) => !/conv\.weight/.test(name));
  expect(rest(stored)).toEqual(rest(narrow.weights));
  const { node: _, initializer: __, ...ends } = graph;
  expect(ends).toEqual({
    name: 'resnet101',
    input: decodeModel(narrow.weights).graph.input,
    output: decodeModel(narrow.weights).graph.output,
  });
});

test('a head is replaced in a stored model too', async () => {
  const width = outputs.features.shape[1];
  const head = { weight: new Float32Array(2 * width), bias: Float32Array.of(0, Math.log(3)) };
  const replaced = replaceHead(stored, outputs, head);
  expect(replaced).toHaveLength(stored.length);
  expect((await ask(replaced, 1)).probabilities[1]).toBeCloseTo(0.75, 6);
}, 60_000);

test('a graph without float kernels is refused, because there is nothing to store', () => {
  expect(() => storeKernels(stored, kept)).toThrow(/model-unusable.*kernels are float32/);
});

test('raw data is read wherever it lies in the file, because protobuf aligns nothing', () => {
  const shifted = Uint8Array.of(9, ...new Uint8Array(Float32Array.of(1.5, -2).buffer)).subarray(1);
  expect([...floatsOf(shifted)]).toEqual([1.5, -2]);
});
