import protobuf from 'protobufjs';

/** The part of the ONNX format (onnx.proto3, IR version 8) that the gateway writes and looks at. */

export const onnxElement = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
/** AttributeProto.AttributeType. */
export const onnxAttribute = { float: 1, int: 2, string: 3, tensor: 4, ints: 7 } as const;

/** Field numbers of onnx.proto3. */
export const onnxField = {
  graphOfModel: 7,
  nodeOfGraph: 1,
  initializerOfGraph: 5,
  nameOfTensor: 8,
  rawDataOfTensor: 9,
} as const;

export interface TensorMessage {
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly name: string;
  /** Little endian. */
  readonly rawData: Uint8Array;
}

export interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly ints?: readonly number[];
}

export interface NodeMessage {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeMessage[];
}

export interface ValueMessage {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly { readonly dimValue: number }[] };
    };
  };
}

export interface GraphMessage {
  readonly name: string;
  readonly node: readonly NodeMessage[];
  readonly initializer: readonly TensorMessage[];
  readonly input: readonly ValueMessage[];
  readonly output: readonly ValueMessage[];
}

export interface ModelMessage {
  readonly irVersion: number;
  readonly producerName: string;
  readonly docString: string;
  readonly graph: GraphMessage;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
}

const field = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: 'repeated', type, id });
const opsets = { opsetImport: list('OperatorSetIdProto', 8) };

/** Field numbers of onnx.proto3. */
const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: field('int64', 1),
        producerName: field('string', 2),
        docString: field('string', 6),
        graph: field('GraphProto', 7),
        ...opsets,
      },
    },
    /** The same message without its graph: 170 MB of weights are stepped over, not copied. */
    ModelHead: { fields: opsets },
    OperatorSetIdProto: { fields: { domain: field('string', 1), version: field('int64', 2) } },
    GraphProto: {
      fields: {
        node: list('NodeProto', 1),
        name: field('string', 2),
        initializer: list('TensorProto', 5),
        input: list('ValueInfoProto', 11),
        output: list('ValueInfoProto', 12),
      },
    },
    NodeProto: {
      fields: {
        input: list('string', 1),
        output: list('string', 2),
        name: field('string', 3),
        opType: field('string', 4),
        attribute: list('AttributeProto', 5),
      },
    },
    AttributeProto: {
      fields: {
        name: field('string', 1),
        f: field('float', 2),
        i: field('int64', 3),
        ints: list('int64', 8),
        type: field('int32', 20),
      },
    },
    TensorProto: {
      fields: {
        dims: list('int64', 1),
        dataType: field('int32', 2),
        name: field('string', 8),
        rawData: field('bytes', 9),
      },
    },
    ValueInfoProto: { fields: { name: field('string', 1), type: field('TypeProto', 2) } },
    TypeProto: { fields: { tensorType: field('TensorTypeProto', 1) } },
    TensorTypeProto: { fields: { elemType: field('int32', 1), shape: field('TensorShapeProto', 2) } },
    TensorShapeProto: { fields: { dim: list('DimensionProto', 1) } },
    DimensionProto: { fields: { dimValue: field('int64', 1) } },
  },
});

const plain = { longs: Number, defaults: true } as const;

export function encodeModel(model: ModelMessage): Uint8Array {
  const type = root.lookupType('ModelProto');
  return type.encode(type.fromObject(model)).finish();
}

/** Raises when the bytes are no protobuf message of this shape. */
export function decodeModel(bytes: Uint8Array): ModelMessage {
  const type = root.lookupType('ModelProto');
  return type.toObject(type.decode(bytes), plain) as unknown as ModelMessage;
}

/** One node or one tensor, without its tag. */
export function encodePart(
  type: 'NodeProto' | 'TensorProto',
  message: NodeMessage | Partial<TensorMessage>,
): Uint8Array {
  const part = root.lookupType(type);
  return part.encode(part.fromObject(message)).finish();
}

/** Version of each operator set that a model asks for, by domain; the default domain is the empty string. */
export function readOpsets(bytes: Uint8Array): ReadonlyMap<string, number> {
  const type = root.lookupType('ModelHead');
  const head = type.toObject(type.decode(bytes), plain) as Pick<ModelMessage, 'opsetImport'>;
  return new Map(head.opsetImport.map(({ domain, version }) => [domain, version]));
}
