/** @jest-environment ./test/model/onnx-environment.js */

import { Failure } from '../../src/core/failure.ts';
import { checkProvider, goldenRadiograph } from '../../src/model/golden.ts';
import type { LoadedModel } from '../../src/model/manifest.ts';
import { decodeModel, encodeModel } from '../../src/model/onnx-schema.ts';
import { type BatchNetwork, type Inference, openNetwork } from '../../src/model/session.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { loadNarrow } from './models.ts';

/** Several films in one run of the graph, on the CPU. */

const model = loadNarrow();
const tensors = [1, 2, 3, 4].map((seed) => preprocess(goldenRadiograph(seed), model.manifest.preprocess).tensor);

async function withNetwork<T>(
  options: { readonly batch?: number; readonly of?: LoadedModel },
  work: (network: BatchNetwork) => Promise<T>,
): Promise<T> {
  const { batch = 4, of = model } = options;
  const network = await openNetwork(of, { threads: 1, batch });
  try {
    return await work(network);
  } finally {
    await network.close();
  }
}

/** The largest difference of any number that the network gives. */
function difference(some: Inference | Failure | undefined, other: Inference): number {
  if (!some || some instanceof Failure) return Number.POSITIVE_INFINITY;
  const numbers = ({ probabilities, map, features }: Inference) => [...probabilities, ...map.values, ...features];
  const wanted = numbers(other);
  return Math.max(...numbers(some).map((value, index) => Math.abs(value - wanted[index]!)));
}

describe('a run of several films', () => {
  test('says of each what a run of its own says, within 1e-6', async () => {
    const single = await withNetwork({ batch: 1 }, (network) => Promise.all(tensors.map(network.infer)));
    const together = await withNetwork({}, (network) => network.inferAll(tensors));
    const scores = single.map(({ probabilities }) => probabilities[1]);
    expect(new Set(scores).size).toBe(4);
    single.forEach((inference, film) => {
      expect(difference(together[film], inference)).toBeLessThanOrEqual(1e-6);
    });
  });

  test('may hold fewer films than go in one, and more than go in one take several', async () => {
    await withNetwork({ batch: 3 }, async (network) => {
      const all = await network.inferAll(tensors);
      for (const [film, tensor] of tensors.entries()) {
        expect(difference(all[film], await network.infer(tensor))).toBeLessThanOrEqual(1e-6);
      }
      expect(await network.inferAll([])).toEqual([]);
    });
  });

  test('costs no other film its answer when one comes out as no probability', async () => {
    const spoilt = Float32Array.from(tensors[1]!);
    spoilt[112 * 224 + 112] = Number.NaN;
    await withNetwork({}, async (network) => {
      const [first, second, third] = await network.inferAll([tensors[0]!, spoilt, tensors[2]!]);
      expect(second).toMatchObject({ code: 'model-invalid' });
      expect(difference(first, await network.infer(tensors[0]!))).toBeLessThanOrEqual(1e-6);
      expect(difference(third, await network.infer(tensors[2]!))).toBeLessThanOrEqual(1e-6);
    });
  });
});

describe('the known answers of a run', () => {
  test('come out right for the graph as it is', async () => {
    await withNetwork({}, async (network) => {
      const again = await checkProvider(network, model, 4);
      await expect(again()).resolves.toHaveLength(4);
    });
  });

  test('find out a graph that mixes its films, because all of them would get one score', async () => {
    const mixing = { ...model, weights: withMixedFilms(model.weights) };
    await withNetwork({ of: mixing, batch: 1 }, (network) => checkProvider(network, mixing, 1));
    await withNetwork({ of: mixing }, async (network) => {
      await expect(checkProvider(network, mixing, 4)).rejects.toThrow(/model-unusable.*known answer of seed/);
    });
  });

  test('find out a provider that is off by more than 1e-4, though the model itself allows 1e-3', async () => {
    const off = (by: number): BatchNetwork => ({
      infer: async () => Promise.reject(new Error('not asked')),
      inferAll: async () =>
        model.golden!.cases.slice(0, 1).map(({ probability }) => ({
          probabilities: [1 - probability - by, probability + by] as const,
          map: { columns: 1, rows: 1, values: [0] },
          features: Float32Array.of(0),
        })),
      close: async () => {},
    });
    await checkProvider(off(0.9e-4), model, 1);
    await expect(checkProvider(off(1.1e-4), model, 1)).rejects.toThrow('within 0.0001');
    await expect(checkProvider(off(Number.NaN), model, 1)).rejects.toThrow('within 0.0001');
  });

  test('are needed: nobody could tell what a driver makes of a model without any', async () => {
    await withNetwork({ batch: 1 }, async (network) => {
      await expect(checkProvider(network, { ...model, golden: null }, 1)).rejects.toThrow('known answers');
    });
  });
});

/** Each film replaced by the mean of all: with one film in a run nothing changes. */
function withMixedFilms(weights: Uint8Array): Uint8Array {
  const message = decodeModel(weights);
  const { input, node } = message.graph;
  const film = input[0]!.name;
  const moved = node.map((each) => ({ ...each, input: each.input.map((name) => (name === film ? 'mixed' : name)) }));
  const mean = {
    name: 'mean',
    opType: 'ReduceMean',
    input: [film],
    output: ['mean'],
    attribute: [
      { name: 'axes', type: 7, ints: [0] },
      { name: 'keepdims', type: 2, i: 1 },
    ],
  };
  // film · 0 + mean keeps the number of films.
  const nothing = { name: 'nothing', opType: 'Sub', input: [film, film], output: ['nothing'], attribute: [] };
  const mixed = { name: 'mixed', opType: 'Add', input: ['nothing', 'mean'], output: ['mixed'], attribute: [] };
  return encodeModel({ ...message, graph: { ...message.graph, node: [mean, nothing, mixed, ...moved] } });
}
