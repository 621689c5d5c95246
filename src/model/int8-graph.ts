import {
  decodeModel,
  encodeModel,
  type ModelMessage,
  type NodeMessage,
  onnxAttribute,
  onnxElement,
  type TensorMessage,
} from './onnx-schema.ts';
import { bytesOf, toLevels } from './stored-weights.ts';
import { type Convolution, type Joining, type Step, stepsOf } from './trunk.ts';

/**
 * The same network with its convolutions in 8-bit integers, as pairs of QuantizeLinear and DequantizeLinear that ONNX Runtime
 * fuses with them. Floats stay the first convolution (its input, the film, has a scale of its own each time), the sums that run
 * from block to block, the last feature map, the map and the head.
 */

/** value = (level − zeroPoint) × scale, level from 0 to 255. */
export interface Quantization {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Activations by the name of their value; what is not named stays float. */
export type Quantizations = Readonly<Record<string, Quantization>>;

/**
 * Weights from −64 to 64: two products with 8-bit activations then fit into the 16 bits in which processors without VNNI add
 * them (2 × 255 × 64 < 2¹⁵), and all processors come to the same integers.
 */
const mostWeightLevel = 64;
const mostBiasLevel = 2 ** 31 - 1;

export function toInt8Graph(bytes: Uint8Array, kept: ReadonlySet<string>, activations: Quantizations): Uint8Array {
  const model = decodeModel(bytes);
  const nodes: NodeMessage[] = [];
  const tensors: TensorMessage[] = [];
  const parts: Parts = { nodes, tensors, activations, sums: new Set() };
  for (const step of stepsOf(model.graph, kept)) addStep(parts, step);
  const used = new Set(nodes.flatMap(({ input }) => input));
  const initializer = [...model.graph.initializer.filter(({ name }) => used.has(name)), ...tensors];
  return encodeModel({ ...model, graph: { ...model.graph, node: nodes, initializer } } satisfies ModelMessage);
}

interface Parts {
  readonly nodes: NodeMessage[];
  readonly tensors: TensorMessage[];
  readonly activations: Quantizations;
  /** Outputs of additions so far. */
  readonly sums: Set<string>;
}

function addStep(parts: Parts, step: Step): void {
  if (step.kind === 'other') {
    parts.nodes.push(step.node);
    return;
  }
  const quantization = parts.activations[step.output];
  const float = quantization ? floatName(step.output) : step.output;
  // Where nobody needs the float, quantisation itself cuts off what is below its level 0.
  const rectified = step.clamped && step.kind !== 'pool' && (step.kind === 'add' || quantization?.zeroPoint !== 0);
  const made = rectified ? `${step.output}/raw` : float;
  parts.nodes.push({ ...step.node, input: inputsOf(parts, step), output: [made] });
  if (rectified) parts.nodes.push(nodeOf('Relu', `${step.output}/relu`, [made], float));
  if (step.kind === 'add') parts.sums.add(step.output);
  if (quantization) addQuantization(parts, step.output, float, quantization);
}

const floatName = (value: string): string => `${value}/float`;

/** An addition takes the sum before it as it was made: rounding it again in every block would add up. */
function inputsOf(parts: Parts, step: Convolution | Joining): readonly string[] {
  if (step.kind === 'convolution') return convolutionInputs(parts, step);
  if (step.kind === 'pool') return step.node.input;
  return step.node.input.map((value) => (parts.sums.has(value) && parts.activations[value] ? floatName(value) : value));
}

function addQuantization(
  { nodes, tensors }: Parts,
  value: string,
  float: string,
  { scale, zeroPoint }: Quantization,
): void {
  const [scaleName, zeroName, levels] = [`${value}/scale`, `${value}/zero`, `${value}/uint8`];
  tensors.push(
    tensorOf(scaleName, [], onnxElement.float, bytesOf(Float32Array.of(scale))),
    tensorOf(zeroName, [], onnxElement.uint8, Uint8Array.of(zeroPoint)),
  );
  nodes.push(
    nodeOf('QuantizeLinear', `${value}/quantize`, [float, scaleName, zeroName], levels),
    nodeOf('DequantizeLinear', `${value}/dequantize`, [levels, scaleName, zeroName], value),
  );
}

function convolutionInputs(parts: Parts, step: Convolution): readonly string[] {
  const { output, input, dims, weights, bias } = step;
  const [kernelName, biasName] = [`${output}/kernel`, `${output}/bias`];
  const before = parts.activations[input];
  if (!before) {
    parts.tensors.push(
      tensorOf(kernelName, dims, onnxElement.float, bytesOf(weights())),
      tensorOf(biasName, [bias.length], onnxElement.float, bytesOf(bias)),
    );
    return [input, kernelName, biasName];
  }
  const { levels, scales } = toLevels(weights(), bias.length, mostWeightLevel);
  const zeros = new Int8Array(bias.length);
  addConstant(parts, kernelName, {
    dims,
    type: onnxElement.int8,
    data: bytesOf(levels),
    scales,
    zeros: bytesOf(zeros),
  });
  const steps = scales.map((scale) => scale * before.scale);
  const biases = Int32Array.from(bias, (value, i) => clamp(Math.round(value / steps[i]!)));
  const zeroBiases = bytesOf(new Int32Array(bias.length));
  addConstant(parts, biasName, {
    dims: [bias.length],
    type: onnxElement.int32,
    data: bytesOf(biases),
    scales: steps,
    zeros: zeroBiases,
  });
  return [input, kernelName, biasName];
}

const clamp = (level: number): number => Math.max(-mostBiasLevel, Math.min(mostBiasLevel, level));

interface Constant {
  readonly dims: readonly number[];
  readonly type: number;
  readonly data: Uint8Array;
  /** One for each output channel, the first dimension. */
  readonly scales: Float32Array;
  readonly zeros: Uint8Array;
}

function addConstant({ nodes, tensors }: Parts, name: string, { dims, type, data, scales, zeros }: Constant): void {
  const inputs = [`${name}/levels`, `${name}/scales`, `${name}/zeros`] as const;
  tensors.push(
    tensorOf(inputs[0], dims, type, data),
    tensorOf(inputs[1], [scales.length], onnxElement.float, bytesOf(scales)),
    tensorOf(inputs[2], [scales.length], type, zeros),
  );
  const axis = { name: 'axis', type: onnxAttribute.int, i: 0 };
  nodes.push({ ...nodeOf('DequantizeLinear', `${name}/dequantize`, inputs, name), attribute: [axis] });
}

const nodeOf = (opType: string, name: string, input: readonly string[], output: string): NodeMessage => ({
  ...{ name, opType, input, output: [output], attribute: [] },
});

const tensorOf = (name: string, dims: readonly number[], dataType: number, rawData: Uint8Array): TensorMessage => ({
  ...{ name, dims, dataType, rawData },
});
