import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createGraph } from '../src/model/onnx.ts';
import { encodeModel } from '../src/model/onnx-schema.ts';
import { resnetOpset } from '../src/model/resnet.ts';

/**
 * What the machine can do in multiply-adds: big products in several forms under the same runtime, of which the best in each
 * round counts. A product of matrices alone is no peak: it waits for memory, and wide 3 × 3 convolutions were seen to run a
 * tenth faster on a machine whose cache is small.
 */

export interface Form {
  readonly name: string;
  readonly multiplyAdds: number;
  readonly shape: readonly number[];
  readonly graph: Uint8Array;
}

const weights = (length: number) => Float32Array.from({ length }, (_, i) => (i % 17) / 17);

const graphOf = (
  node: (graph: ReturnType<typeof createGraph>) => void,
  from: readonly number[],
  to: readonly number[],
): Uint8Array => {
  const graph = createGraph();
  node(graph);
  const ends = { input: { x: from }, output: { y: to } };
  return encodeModel(graph.finish({ name: 'product', docString: 'a product', opset: resnetOpset, ...ends }));
};

/** y = x · W of `side` × `side` matrices. */
export function matrixProduct(side: number): Form {
  const shape = [side, side];
  const graph = graphOf((g) => g.node('y', 'MatMul', ['x', g.floats('w', shape, weights(side * side))]), shape, shape);
  return { name: `product of ${side}² matrices`, multiplyAdds: side ** 3, shape, graph };
}

/** A 3 × 3 convolution that keeps the number of channels and the size of the picture. */
export function convolution(channels: number, side: number): Form {
  const shape = [1, channels, side, side];
  const kernel = [channels, channels, 3, 3];
  const multiplyAdds = channels * channels * 9 * side * side;
  const graph = graphOf(
    (g) =>
      g.node('y', 'Conv', ['x', g.floats('w', kernel, weights(channels * channels * 9))], {
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
      }),
    shape,
    shape,
  );
  return { name: `3 × 3 convolution of ${channels} channels at ${side}²`, multiplyAdds, shape, graph };
}

export const forms = (): readonly Form[] => [
  ...[512, 768, 1024].map(matrixProduct),
  convolution(256, 28),
  convolution(512, 28),
  convolution(1024, 14),
];

/** Multiply-adds of one piece of work: a fifth of a second, so that neither calls nor the waking of threads are measured. */
const workATurn = 15e9;

export interface OpenForm {
  readonly form: Form;
  readonly threads: number;
  /** Runs a piece of work. */
  readonly times: number;
  readonly run: (times: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openForm(form: Form, threads: number): Promise<OpenForm> {
  const options = { executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 };
  const session = await InferenceSession.create(form.graph, options);
  const size = form.shape.reduce((product, dim) => product * dim, 1);
  const x = new Tensor('float32', new Float32Array(size).fill(0.5), form.shape);
  return {
    form,
    threads,
    times: Math.max(1, Math.round(workATurn / form.multiplyAdds)),
    run: async (times) => {
      for (let i = 0; i < times; i++) await session.run({ x });
    },
    close: () => session.release(),
  };
}

/** Multiply-adds a second of the best form, round by round, and which form that was most often. */
export interface Peak {
  readonly rates: readonly number[];
  readonly form: string;
}

/** @param rounds For each form, the multiply-adds a second in each round. */
export function peakOf(rounds: ReadonlyMap<string, readonly number[]>): Peak {
  const [first] = rounds.values();
  const winners = (first ?? []).map((_, round) =>
    [...rounds].map(([form, rates]) => ({ form, rate: rates[round]! })).reduce((a, b) => (b.rate > a.rate ? b : a)),
  );
  const wins = (form: string) => winners.filter((winner) => winner.form === form).length;
  const form = [...rounds.keys()].reduce((a, b) => (wins(b) > wins(a) ? b : a));
  return { rates: winners.map(({ rate }) => rate), form };
}
