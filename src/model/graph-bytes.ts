import { decodeModel, encodePart, type NodeMessage, onnxField, type TensorMessage } from './onnx-schema.ts';
import { delimited, fieldsOf, joined, type Piece, type Range } from './protobuf-fields.ts';

/** A graph with some of its nodes and tensors replaced; every other byte is copied as it is. */

export interface GraphChange {
  /** Nodes that stand before all others. */
  readonly first: readonly NodeMessage[];
  /** What stands in the place of a node: `null` leaves it as it is, an empty list leaves it out. */
  readonly node: (node: NodeMessage) => readonly NodeMessage[] | null;
  readonly tensor: (tensor: TensorMessage) => readonly NewTensor[] | null;
}

/** A tensor whose numbers are made when they are written. */
export interface NewTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly data: Piece;
}

/** A model whose graph is made of these pieces; what stands beside the graph is copied. */
export function withGraph(bytes: Uint8Array, piecesOf: (graph: Range) => readonly Piece[]): Uint8Array {
  const pieces = fieldsOf(bytes, { start: 0, end: bytes.length }).flatMap(({ number, whole, content }) =>
    number === onnxField.graphOfModel && content
      ? delimited(number, piecesOf(content))
      : bytes.subarray(whole.start, whole.end),
  );
  return joined(pieces);
}

export const changeGraph = (bytes: Uint8Array, change: GraphChange): Uint8Array =>
  withGraph(bytes, (graph) => changedGraph(bytes, graph, change));

function changedGraph(bytes: Uint8Array, graph: Range, { first, node, tensor }: GraphChange): readonly Piece[] {
  const { node: nodes, initializer } = decodeModel(bytes).graph;
  let nodesSeen = 0;
  let tensorsSeen = 0;
  const kept = fieldsOf(bytes, graph).flatMap(({ number, whole, content }): readonly Piece[] => {
    const asItIs = [bytes.subarray(whole.start, whole.end)];
    if (!content) return asItIs;
    if (number === onnxField.nodeOfGraph) return node(nodes[nodesSeen++]!)?.flatMap(nodePieces) ?? asItIs;
    if (number === onnxField.initializerOfGraph)
      return tensor(initializer[tensorsSeen++]!)?.flatMap(tensorPieces) ?? asItIs;
    return asItIs;
  });
  return [...first.flatMap(nodePieces), ...kept];
}

const nodePieces = (node: NodeMessage): readonly Piece[] =>
  delimited(onnxField.nodeOfGraph, [encodePart('NodeProto', node)]);

function tensorPieces({ name, dims, dataType, data }: NewTensor): readonly Piece[] {
  const head = encodePart('TensorProto', { name, dims, dataType });
  return delimited(onnxField.initializerOfGraph, [head, ...delimited(onnxField.rawDataOfTensor, [data])]);
}
