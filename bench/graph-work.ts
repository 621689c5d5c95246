import {
  type ModelMessage,
  type NodeMessage,
  onnxElement,
  type TensorMessage,
  type ValueMessage,
} from '../src/model/onnx-schema.ts';
import { bytesOf, createKernelReader } from '../src/model/stored-weights.ts';

/** Arithmetic of graphs: the multiply-adds of a network, and the same network for several images. */

/** Multiply-adds of one image: convolutions and the fully connected layer; the rest is a thousandth. */
export function multiplyAdds({ graph }: ModelMessage): number {
  const shapes = new Map(graph.initializer.map(({ name, dims }) => [name, dims]));
  const sides = new Map(graph.input.map(({ name, type }) => [name, type.tensorType.shape.dim.at(-1)!.dimValue]));
  let sum = 0;
  for (const node of graph.node) {
    const side = sideOf(node, sides.get(node.input[0]!) ?? 1);
    sides.set(node.output[0]!, side);
    // Kernels that are stored in 8 bits: constants of the same shape.
    if (node.opType === 'Cast' || node.opType === 'Mul') shapes.set(node.output[0]!, shapes.get(node.input[0]!) ?? []);
    const weight = shapes.get(node.input[1]!);
    if (!weight) continue;
    const weights = weight.reduce((product, dim) => product * dim, 1);
    if (node.opType === 'Conv') sum += weights * side * side;
    if (node.opType === 'Gemm') sum += weights;
  }
  return sum;
}

/** Rows of a node's output; squares all the way. */
function sideOf({ opType, attribute }: NodeMessage, side: number): number {
  if (opType === 'GlobalAveragePool') return 1;
  if (opType !== 'Conv' && opType !== 'MaxPool') return side;
  const first = (name: string, otherwise: number) =>
    attribute.find((each) => each.name === name)?.ints?.[0] ?? otherwise;
  return Math.floor((side + 2 * first('pads', 0) - first('kernel_shape', 1)) / first('strides', 1)) + 1;
}

/** The same network for several images at once; nodes and weights stay as they are. */
export function withBatch(model: ModelMessage, size: number): ModelMessage {
  const resized = ({ name, type }: ValueMessage): ValueMessage => {
    const { elemType, shape } = type.tensorType;
    const dim = [{ dimValue: size }, ...shape.dim.slice(1)];
    return { name, type: { tensorType: { elemType, shape: { dim } } } };
  };
  const { graph } = model;
  return { ...model, graph: { ...graph, input: graph.input.map(resized), output: graph.output.map(resized) } };
}

/** The same network with kernels as floats that it keeps in 8 bits: other runtimes turn back only a part of them while they load. */
export function withFloatKernels(model: ModelMessage): ModelMessage {
  const { graph } = model;
  const kernelOf = createKernelReader(graph);
  const there = new Set(graph.initializer.map(({ name }) => name));
  const stored = graph.node.flatMap(({ opType, input }) =>
    opType === 'Conv' && !there.has(input[1]!) ? input[1]! : [],
  );
  const restored = stored.flatMap((name): TensorMessage[] => {
    const kernel = kernelOf(name);
    return kernel ? [{ name, dims: kernel.dims, dataType: onnxElement.float, rawData: bytesOf(kernel.weights()) }] : [];
  });
  const made = new Set(restored.map(({ name }) => name));
  const makers = graph.node.filter(({ output }) => made.has(output[0]!));
  const parts = new Set(makers.flatMap(({ input }) => input));
  const node = graph.node.filter(({ output }) => !made.has(output[0]!) && !parts.has(output[0]!));
  const used = new Set(node.flatMap(({ input }) => input));
  const initializer = [...graph.initializer, ...restored].filter(({ name }) => used.has(name));
  return { ...model, graph: { ...graph, node, initializer } };
}
