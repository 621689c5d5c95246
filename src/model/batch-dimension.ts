import protobuf from 'protobufjs';
import { withGraph } from './graph-bytes.ts';
import { onnxElement } from './onnx-schema.ts';
import { delimited, fieldsOf, type Piece, type Range } from './protobuf-fields.ts';

/** A graph that was written for one film, made to take several: its ends get a first dimension with a name and no size. */

/** What the first dimension is called in the graph. */
export const batchDimension = 'films';

export interface GraphEnd {
  readonly name: string;
  /** The first of them is the batch. */
  readonly shape: readonly number[];
}

/** Field numbers of onnx.proto3. */
const inputOfGraph = 11;
const outputOfGraph = 12;
/** Shapes of inner values, which name the old size; ONNX Runtime finds them itself. */
const valueInfoOfGraph = 13;

/**
 * The same model with these inputs and outputs; all weights and nodes stay byte for byte. Whether its nodes treat each film
 * for itself is for a known answer to tell: a graph may reshape to a size that it wrote down.
 */
export function withBatchDimension(
  bytes: Uint8Array,
  inputs: readonly GraphEnd[],
  outputs: readonly GraphEnd[],
): Uint8Array {
  return withGraph(bytes, (graph) => graphPieces(bytes, graph, inputs, outputs));
}

const replaced = [inputOfGraph, outputOfGraph, valueInfoOfGraph];

function graphPieces(
  bytes: Uint8Array,
  graph: Range,
  inputs: readonly GraphEnd[],
  outputs: readonly GraphEnd[],
): readonly Piece[] {
  const kept = fieldsOf(bytes, graph).filter(({ number }) => !replaced.includes(number));
  return [
    ...kept.map(({ whole }) => bytes.subarray(whole.start, whole.end)),
    ...inputs.flatMap((end) => delimited(inputOfGraph, valuePieces(end))),
    ...outputs.flatMap((end) => delimited(outputOfGraph, valuePieces(end))),
  ];
}

/** ValueInfoProto: name = 1, type = 2. TypeProto: tensor_type = 1. Its element type = 1, its shape = 2. */
function valuePieces({ name, shape: [, ...sizes] }: GraphEnd): readonly Piece[] {
  const shape = [named(batchDimension), ...sizes.map(sized)].flatMap((dimension) => delimited(1, [dimension]));
  const tensor = [integer(1, onnxElement.float), ...delimited(2, shape)];
  return [text(1, name), ...delimited(2, delimited(1, tensor))];
}

/** TensorShapeProto.Dimension: dim_value = 1, dim_param = 2. */
const sized = (size: number): Uint8Array => integer(1, size);
const named = (name: string): Uint8Array => text(2, name);

const integer = (number: number, value: number): Uint8Array =>
  protobuf.Writer.create()
    .uint32(number << 3)
    .int64(value)
    .finish();

const text = (number: number, value: string): Uint8Array =>
  protobuf.Writer.create()
    .uint32((number << 3) | 2)
    .string(value)
    .finish();
