import type { Quantization } from './int8-graph.ts';
import { createGraph, type GraphBuilder } from './onnx.ts';
import { decodeModel, encodeModel } from './onnx-schema.ts';
import type { Activation } from './trunk.ts';

/**
 * Calibration asks the network itself: graphs that tell, instead of features, what passes through their activations. The reader
 * runs them like any model, so that films of every kind come the way that they will come later.
 */

/** The value that stands where the features did, 1 × as many numbers as are told. */
export const statisticsName = 'statistics';

/** Of each activation the lowest and the highest value in a film. */
export function withRanges(bytes: Uint8Array, activations: readonly Activation[]): Uint8Array {
  return withStatistics(bytes, 2 * activations.length, (graph) =>
    activations.flatMap(({ name }) => [
      graph.node(`${name}/lowest`, 'ReduceMin', [name], { keepdims: 1 }),
      graph.node(`${name}/highest`, 'ReduceMax', [name], { keepdims: 1 }),
    ]),
  );
}

/** Of each activation, and of each of its quantisations, the summed squared difference that it makes in a film. */
export function withErrors(
  bytes: Uint8Array,
  candidates: readonly (readonly [name: string, quantizations: readonly Quantization[]])[],
): Uint8Array {
  const count = candidates.reduce((sum, [, { length }]) => sum + length, 0);
  return withStatistics(bytes, count, (graph) =>
    candidates.flatMap(([name, quantizations]) =>
      quantizations.map((quantization, i) => addError(graph, name, `${name}/try${i}`, quantization)),
    ),
  );
}

function addError(graph: GraphBuilder, value: string, name: string, { scale, zeroPoint }: Quantization): string {
  const scaleName = graph.floats(`${name}/scale`, [], Float32Array.of(scale));
  const zeroName = graph.byte(`${name}/zero`, zeroPoint);
  const levels = graph.node(`${name}/levels`, 'QuantizeLinear', [value, scaleName, zeroName]);
  const rounded = graph.node(`${name}/rounded`, 'DequantizeLinear', [levels, scaleName, zeroName]);
  const difference = graph.node(`${name}/difference`, 'Sub', [value, rounded]);
  return graph.node(`${name}/error`, 'ReduceSumSquare', [difference], { keepdims: 1 });
}

/** Each number that `add` names is 1 × 1 × 1 × 1. */
function withStatistics(bytes: Uint8Array, count: number, add: (graph: GraphBuilder) => readonly string[]): Uint8Array {
  const model = decodeModel(bytes);
  const builder = createGraph();
  const joined = builder.node(`${statisticsName}.joined`, 'Concat', add(builder), { axis: 1 });
  builder.node(statisticsName, 'Flatten', [joined], { axis: 1 });
  const ends = { name: '', docString: '', opset: 0, input: {}, output: { [statisticsName]: [1, count] } };
  const { graph } = builder.finish(ends);
  return encodeModel({
    ...model,
    graph: {
      ...model.graph,
      node: [...model.graph.node, ...graph.node],
      initializer: [...model.graph.initializer, ...graph.initializer],
      output: [...model.graph.output, ...graph.output],
    },
  });
}

/** 256 levels from `low` to `high`, with one of them at 0 exactly. */
export function quantizationOf(low: number, high: number): Quantization {
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const scale = Math.fround((to - from) / 255) || 1;
  return { scale, zeroPoint: Math.min(255, Math.max(0, Math.round(-from / scale))) };
}
