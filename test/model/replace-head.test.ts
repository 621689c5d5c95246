/** @jest-environment ./test/model/onnx-environment.js */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { goldenRadiograph } from '../../src/model/golden.ts';
import type { LoadedModel } from '../../src/model/manifest.ts';
import { decodeModel, encodeModel, type ModelMessage, type NodeMessage } from '../../src/model/onnx-schema.ts';
import { gaussian } from '../../src/model/random.ts';
import { replaceHead } from '../../src/model/replace-head.ts';
import { lastFeatureMap } from '../../src/model/resnet.ts';
import { openNetwork } from '../../src/model/session.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { loadNarrow, withInnerOutput } from './models.ts';

const narrow = loadNarrow();
const { outputs } = narrow.manifest;
const width = outputs.features.shape[1];
const draw = gaussian(5);
const head = {
  weight: Float32Array.from({ length: 2 * width }, () => 0.05 * draw()),
  bias: Float32Array.of(0.25, -0.125),
};

/** What the layer and the map are by their definition, computed in float64 from the features' and the trunk's values. */
function byHand(features: Float32Array, trunk: Float32Array) {
  const row = (c: number, x: (k: number) => number) => {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += head.weight[c * width + k]! * x(k);
    return sum;
  };
  const logit = (c: number) => row(c, (k) => features[k]!) + head.bias[c]!;
  const cells = trunk.length / width;
  const map = Array.from({ length: cells }, (_, cell) => {
    const at = (k: number) => trunk[k * cells + cell]!;
    return Math.max(0, row(1, at) - row(0, at));
  });
  return { probability: 1 / (1 + Math.exp(logit(0) - logit(1))), map };
}

async function ask(model: LoadedModel, seed: number) {
  const { tensor } = preprocess(goldenRadiograph(seed), model.manifest.preprocess);
  const inner = withInnerOutput(model, lastFeatureMap, [1, width, 7, 7]);
  const session = await InferenceSession.create(inner.weights, { executionProviders: ['cpu'] });
  const feeds = { [model.manifest.input.name]: new Tensor('float32', tensor, model.manifest.input.shape) };
  const answers = await session.run(feeds);
  await session.release();
  const read = (name: string) => answers[name]!.data as Float32Array;
  return {
    probability: read(outputs.probabilities.name)[1]!,
    map: read(outputs.map.name),
    features: read(outputs.features.name),
    trunk: read(lastFeatureMap),
  };
}

async function expectConsistent(weights: Uint8Array): Promise<void> {
  for (const seed of [1, 2, 3]) {
    const got = await ask({ ...narrow, weights }, seed);
    const { probability, map } = byHand(got.features, got.trunk);
    expect(got.probability).toBeCloseTo(probability, 5);
    const scale = Math.max(...map, 1);
    got.map.forEach((value, cell) => {
      expect(Math.abs(value - map[cell]!)).toBeLessThan(1e-5 * scale);
    });
    expect(Math.max(...map)).toBeGreaterThan(0);
    expect(Math.abs(probability - 0.5)).toBeLessThan(0.49);
  }
}

const changed = (change: (model: ModelMessage) => ModelMessage) => encodeModel(change(decodeModel(narrow.weights)));
const withNodes = (model: ModelMessage, change: (node: NodeMessage) => NodeMessage): ModelMessage => ({
  ...model,
  graph: { ...model.graph, node: model.graph.node.map(change) },
});

describe('a new head', () => {
  test('makes score and map as ReLU(Σ(w1−w0)A) says, computed from the trunk apart from the graph', async () => {
    await expectConsistent(replaceHead(narrow.weights, outputs, head));
  }, 60_000);

  test('does so too in a graph that keeps w1−w0 as a kernel of its own, because that one would go stale', async () => {
    const separate = changed((model) => {
      const kernel = { name: 'own.kernel', dims: [1, width, 1, 1], dataType: 1, rawData: new Uint8Array(4 * width) };
      const own = withNodes(model, (node) =>
        node.name === 'cam.conv' ? { ...node, input: [node.input[0]!, kernel.name] } : node,
      );
      return { ...own, graph: { ...own.graph, initializer: [...own.graph.initializer, kernel] } };
    });
    await expectConsistent(replaceHead(separate, outputs, head));
  }, 60_000);

  test('changes no byte but those of the layer, because the trunk is the backbone’s and stays provable', () => {
    const replaced = replaceHead(narrow.weights, outputs, head);
    expect(replaced).toHaveLength(narrow.weights.length);
    const without = (bytes: Uint8Array) => {
      const model = decodeModel(bytes);
      const kept = model.graph.initializer.filter(({ name }) => !/^head\.(weight|bias)$/.test(name));
      return Buffer.from(encodeModel({ ...model, graph: { ...model.graph, initializer: kept } }));
    };
    expect(without(replaced).equals(without(narrow.weights))).toBe(true);
    const differing = replaced.reduce((count, byte, i) => count + Number(byte !== narrow.weights[i]), 0);
    expect(differing).toBeLessThanOrEqual(4 * (2 * width + 2));
    expect(Buffer.from(replaceHead(narrow.weights, outputs, head)).equals(replaced)).toBe(true);
  });

  test('opens as any network, because the reader knows no other kind', async () => {
    const network = await openNetwork(
      { ...narrow, weights: replaceHead(narrow.weights, outputs, head) },
      { threads: 1 },
    );
    await network.close();
  });
});

describe('a graph with another head is refused with model-unusable', () => {
  const wrong: readonly (readonly [string, Uint8Array, RegExp])[] = [
    [
      'no softmax',
      changed((model) => withNodes(model, (n) => (n.opType === 'Softmax' ? { ...n, opType: 'Sigmoid' } : n))),
      /Expected: Softmax\. Got: Sigmoid/,
    ],
    [
      'a layer that does not look at the features',
      changed((model) =>
        withNodes(model, (n) => (n.opType === 'Gemm' ? { ...n, input: ['pool', ...n.input.slice(1)] } : n)),
      ),
      /input of the last layer.*Expected: features\. Got: pool/,
    ],
    [
      'a layer of other width',
      changed((model) => ({
        ...model,
        graph: {
          ...model.graph,
          initializer: model.graph.initializer.map((t) => (t.name === 'head.weight' ? { ...t, dims: [3, width] } : t)),
        },
      })),
      /head\.weight.*Expected: float32 \[2,128\]\. Got: float32 \[3,128\]/,
    ],
    [
      'a map with a bias',
      changed((model) =>
        withNodes(model, (n) => (n.name === 'cam.conv' ? { ...n, input: [...n.input, 'head.bias'] } : n)),
      ),
      /inputs of the convolution of the map.*Expected: 2\. Got: 3/,
    ],
  ];

  test.each(wrong)('%s', (_name, weights, message) => {
    expect(() => replaceHead(weights, outputs, head)).toThrow(message);
  });

  test('a head of other width than the features', () => {
    const short = { ...head, weight: head.weight.slice(2) };
    expect(() => replaceHead(narrow.weights, outputs, short)).toThrow(/features of the head.*128.*127/);
  });
});
