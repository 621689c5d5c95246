import {
  type AttributeMessage,
  type ModelMessage,
  type NodeMessage,
  onnxAttribute,
  onnxElement,
  type TensorMessage,
  type ValueMessage,
} from './onnx-schema.ts';

/** Collects the nodes and initializers of an ONNX graph. A value is named by its node. */

export interface GraphBuilder {
  /** Adds a node with one output and gives the name of that output, which is `name`. */
  node(name: string, opType: string, input: readonly string[], attributes?: Attributes): string;
  floats(name: string, dims: readonly number[], values: Float32Array): string;
  ints(name: string, values: readonly number[]): string;
  /** One uint8, without dimensions. */
  byte(name: string, value: number): string;
  finish(io: GraphEnds): ModelMessage;
}

export type Attributes = Readonly<Record<string, number | readonly number[]>>;

export interface GraphEnds {
  readonly name: string;
  readonly docString: string;
  readonly opset: number;
  readonly input: Readonly<Record<string, readonly number[]>>;
  readonly output: Readonly<Record<string, readonly number[]>>;
}

/** IR version 8 goes with operator set 17 (ONNX 1.12). */
const irVersion = 8;

/** Attributes that the operators define as FLOAT. */
const floatAttributes = new Set(['epsilon', 'alpha', 'beta']);

export function createGraph(): GraphBuilder {
  const nodes: NodeMessage[] = [];
  const initializers: TensorMessage[] = [];
  return {
    node(name, opType, input, attributes = {}) {
      nodes.push({ name, opType, input, output: [name], attribute: Object.entries(attributes).map(attribute) });
      return name;
    },
    floats(name, dims, values) {
      const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      initializers.push({ name, dims, dataType: onnxElement.float, rawData });
      return name;
    },
    ints(name, values) {
      const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      initializers.push({ name, dims: [values.length], dataType: onnxElement.int64, rawData });
      return name;
    },
    byte(name, value) {
      initializers.push({ name, dims: [], dataType: onnxElement.uint8, rawData: Uint8Array.of(value) });
      return name;
    },
    finish: ({ name, docString, opset, input, output }) => ({
      irVersion,
      producerName: 'cxr-gateway',
      docString,
      opsetImport: [{ domain: '', version: opset }],
      graph: { name, node: nodes, initializer: initializers, input: values(input), output: values(output) },
    }),
  };
}

function attribute([name, value]: [string, number | readonly number[]]): AttributeMessage {
  if (typeof value !== 'number') return { name, type: onnxAttribute.ints, ints: value };
  return floatAttributes.has(name)
    ? { name, type: onnxAttribute.float, f: value }
    : { name, type: onnxAttribute.int, i: value };
}

function values(shapes: Readonly<Record<string, readonly number[]>>): readonly ValueMessage[] {
  return Object.entries(shapes).map(([name, dims]) => ({
    name,
    type: { tensorType: { elemType: onnxElement.float, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  }));
}
