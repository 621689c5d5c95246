import { createGraph } from '../src/model/onnx.ts';
import { encodeModel, type ModelMessage, type NodeMessage } from '../src/model/onnx-schema.ts';
import { resnetOpset } from '../src/model/resnet.ts';

/** Arithmetic of graphs: the multiply-adds of a network, and a product of matrices to measure the machine by. */

/** Multiply-adds of one image: convolutions and the fully connected layer; the rest is a thousandth. */
export function multiplyAdds({ graph }: ModelMessage): number {
  const shapes = new Map(graph.initializer.map(({ name, dims }) => [name, dims]));
  const sides = new Map(graph.input.map(({ name, type }) => [name, type.tensorType.shape.dim.at(-1)!.dimValue]));
  let sum = 0;
  for (const node of graph.node) {
    const side = sideOf(node, sides.get(node.input[0]!) ?? 1);
    sides.set(node.output[0]!, side);
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

/** y = x · W of `side` × `side` matrices: a yardstick of the machine under the same runtime. A network may exceed it a little. */
export function matrixProduct(side: number): Uint8Array {
  const graph = createGraph();
  const weight = graph.floats(
    'w',
    [side, side],
    Float32Array.from({ length: side * side }, (_, i) => (i % 17) / 17),
  );
  graph.node('y', 'MatMul', ['x', weight]);
  const shape = [side, side];
  return encodeModel(
    graph.finish({
      name: 'gemm',
      docString: 'a product',
      opset: resnetOpset,
      input: { x: shape },
      output: { y: shape },
    }),
  );
}
