/** @jest-environment ./test/model/onnx-environment.js */

import { asFailure } from '../../src/core/failure.ts';
import { checkGolden, goldenRadiograph } from '../../src/model/golden.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { checkProbabilities, openNetwork } from '../../src/model/session.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { changeManifest, changeWeights, copyOfNarrow, loadNarrow, withNumber } from './models.ts';

async function faultOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'none';
  } catch (thrown) {
    const { code, detail } = asFailure(thrown);
    return `${code} at ${detail.where}`;
  }
}

const input = (seed = 1) => preprocess(goldenRadiograph(seed), loadNarrow().manifest.preprocess).tensor;

describe('a network', () => {
  test('answers with two probabilities, a map of 7 × 7 and its features', async () => {
    const network = await openNetwork(loadNarrow(), { threads: 1 });
    const { probabilities, map, features } = await network.infer(input());
    await network.close();
    expect(probabilities[0] + probabilities[1]).toBeCloseTo(1, 6);
    expect(map).toMatchObject({ columns: 7, rows: 7 });
    expect(map.values).toHaveLength(49);
    expect(features).toHaveLength(128);
    // p0 + p1 = 1 holds for any softmax; the average of the features says that the trunk ran.
    expect(features.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(1);
  });

  test('gives all its known answers with 1, 2 and 4 threads within 1e-4, because a score must not hang on the machine (fault 87)', async () => {
    const model = loadNarrow();
    const cases = (model.golden?.cases ?? []).map(({ seed, probability }) => ({ tensor: input(seed), probability }));
    for (const threads of [1, 2, 4]) {
      const network = await openNetwork(model, { threads });
      for (const { tensor, probability } of cases) {
        const got = (await network.infer(tensor)).probabilities[1];
        expect(Math.abs(got - probability)).toBeLessThan(1e-4);
      }
      await network.close();
    }
    expect(cases.length).toBeGreaterThan(3);
  });

  test.each(['head.weight', 'head.bias', 'stem.conv.weight', 'stage3.7.2.norm.scale'])(
    'raises model-invalid when %s holds a NaN, because NaN < threshold would read as "absent" (fault 84)',
    async (name) => {
      const folder = copyOfNarrow();
      changeWeights(folder, (model) => withNumber(model, name, Number.NaN));
      const network = await openNetwork(loadModel(folder), { threads: 1 });
      expect(await faultOf(() => network.infer(input()))).toMatch(/^model-invalid at output/);
      await network.close();
    },
  );

  test('raises model-invalid for a NaN in one pixel (fault 84)', async () => {
    const network = await openNetwork(loadNarrow(), { threads: 1 });
    const tensor = input();
    tensor[112 * 224 + 112] = Number.NaN;
    expect(await faultOf(() => network.infer(tensor))).toMatch(/^model-invalid/);
    await network.close();
  });

  test('is unusable when its first known answer comes out otherwise', async () => {
    const folder = copyOfNarrow();
    changeWeights(folder, (model) => withNumber(model, 'head.bias', 0.5));
    const model = loadModel(folder);
    const network = await openNetwork(model, { threads: 1 });
    expect(await faultOf(() => checkGolden(network, model.manifest, model.golden!))).toBe(
      'model-unusable at known answer of seed 1',
    );
    await network.close();
  });

  test.each<[string, (folder: string) => void, string]>([
    [
      'an output of another name',
      (folder) =>
        changeManifest(folder, (m) => ({
          ...m,
          outputs: { ...m.outputs, map: { ...m.outputs.map, name: 'cam' } },
        })),
      'output cam of the graph',
    ],
    [
      'features of another width',
      (folder) =>
        changeManifest(folder, (m) => ({
          ...m,
          outputs: { ...m.outputs, features: { ...m.outputs.features, shape: [1, 2048] } },
        })),
      'output features of the graph',
    ],
    [
      'a node that refers to nothing',
      (folder) =>
        changeWeights(folder, (model) => ({
          ...model,
          graph: { ...model.graph, node: model.graph.node.filter(({ name }) => name !== 'stem.pool') },
        })),
      'graph',
    ],
  ])('is unusable with %s', async (_, harm, where) => {
    const folder = copyOfNarrow();
    harm(folder);
    const model = loadModel(folder);
    expect(await faultOf(() => openNetwork(model, { threads: 1 }))).toBe(`model-unusable at ${where}`);
  });
});

test.each<[number, number]>([
  [Number.NaN, Number.NaN],
  [0.5, Number.NaN],
  [0.5, 0.6],
  [-0.1, 1.1],
  [Number.POSITIVE_INFINITY, 0],
  [0, 0],
])('%p and %p are no probabilities', (none, opacity) => {
  expect(() => checkProbabilities([none, opacity])).toThrow('model-invalid');
});

test('0 and 1 are probabilities', () => {
  expect(() => checkProbabilities([0, 1])).not.toThrow();
});
