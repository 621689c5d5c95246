import { Failure } from '../core/failure.ts';
import { changeGraph, type NewTensor } from './graph-bytes.ts';
import {
  decodeModel,
  type GraphMessage,
  type NodeMessage,
  onnxAttribute,
  onnxElement,
  type TensorMessage,
} from './onnx-schema.ts';

/**
 * Kernels in 8 bits. The file stays an ONNX model that any tool opens: each kernel is an int8 initializer with one scale for each
 * output channel, and a Cast and a Mul give the product the name that the kernel had. ONNX Runtime turns constants like these
 * into floats while it loads, whatever its options. DequantizeLinear would say the same, but is kept until each run by default.
 */

/** Largest number that a stored weight becomes; −128 is not used, so that zero stays in the middle. */
const mostLevel = 127;

/** Numbers of one output channel after another, and what one step is worth in each. */
export interface Levels {
  readonly levels: Int8Array;
  readonly scales: Float32Array;
}

/**
 * Symmetric, each output channel by its largest weight: level = weight / scale, rounded, at most `most` either way. Where the
 * rounding of a channel adds up, the weights nearest to the middle are rounded the other way: what a convolution reads is
 * mostly positive, so that a sum which is off would shift all that it writes.
 */
export function toLevels(weights: Float32Array, channels: number, most: number): Levels {
  const size = weights.length / channels;
  const levels = new Int8Array(weights.length);
  const scales = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const at = channel * size;
    const row = weights.subarray(at, at + size);
    let largest = 0;
    for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(row[i]!));
    const scale = Math.fround(largest / most) || 1;
    scales[channel] = scale;
    roundRow(row, { scale, most }, levels.subarray(at, at + size));
  }
  return { levels, scales };
}

/** Steps between no and half a level, by which weights are told that are near to the middle of two levels. */
const nearness = 256;

/** Two passes and no sorting: a network has 42 million weights, and waits for them whenever it starts. */
function roundRow(row: Float32Array, { scale, most }: { scale: number; most: number }, levels: Int8Array): void {
  const above = new Uint32Array(nearness + 1);
  const below = new Uint32Array(nearness + 1);
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    const exact = row[i]! / scale;
    const level = Math.round(exact);
    const rest = exact - level;
    levels[i] = level;
    sum += rest;
    if (rest > 0 && level < most) above[nearnessOf(rest)]!++;
    else if (rest < 0 && level > -most) below[nearnessOf(rest)]!++;
  }
  const direction = Math.sign(sum);
  moveNearest(row, { scale, most, direction }, levels, countsToMove(direction > 0 ? above : below, Math.abs(sum)));
}

const nearnessOf = (rest: number): number => Math.trunc(2 * nearness * Math.abs(rest));

/** How many weights of each nearness go the other way: the nearest to the middle first. */
function countsToMove(counts: Uint32Array, sum: number): Uint32Array {
  let left = Math.round(sum);
  for (let near = nearness; near >= 0; near--) {
    const moved = Math.min(left, counts[near]!);
    counts[near] = moved;
    left -= moved;
  }
  return counts;
}

function moveNearest(
  row: Float32Array,
  { scale, most, direction }: { scale: number; most: number; direction: number },
  levels: Int8Array,
  counts: Uint32Array,
): void {
  for (let i = 0; i < row.length && direction !== 0; i++) {
    const rest = row[i]! / scale - levels[i]!;
    if (rest * direction <= 0 || levels[i]! * direction >= most) continue;
    const near = nearnessOf(rest);
    if (counts[near] === 0) continue;
    counts[near]!--;
    levels[i] = levels[i]! + direction;
  }
}

type Graph = Pick<GraphMessage, 'node' | 'initializer'>;

/** Float initializers that are kernels of convolutions, by name. */
function floatKernels({ node, initializer }: Graph, kept: ReadonlySet<string>): ReadonlyMap<string, TensorMessage> {
  const convolved = new Set(node.filter(({ opType }) => opType === 'Conv').map(({ input }) => input[1]));
  const kernels = initializer.filter(
    ({ name, dataType }) => dataType === onnxElement.float && convolved.has(name) && !kept.has(name),
  );
  return new Map(kernels.map((tensor) => [tensor.name, tensor]));
}

/**
 * The same model with its kernels in 8 bits; those named in `kept` stay floats. `spoil` is for tests of what guards this.
 * Raises `model-unusable` when there is no float kernel.
 */
export function storeKernels(
  bytes: Uint8Array,
  kept: ReadonlySet<string>,
  spoil: (scale: number) => number = (scale) => scale,
): Uint8Array {
  const kernels = floatKernels(decodeModel(bytes).graph, kept);
  if (kernels.size === 0)
    throw new Failure('model-unusable', { where: 'graph', expected: 'convolutions whose kernels are float32' });
  return changeGraph(bytes, {
    first: [...kernels.keys()].flatMap(restoringNodes),
    node: () => null,
    tensor: (tensor) => (kernels.has(tensor.name) ? stored(tensor, spoil) : null),
  });
}

const levelsName = (kernel: string): string => `${kernel}.int8`;
const scalesName = (kernel: string): string => `${kernel}.scale`;
const floatLevelsName = (kernel: string): string => `${kernel}.levels`;

const restoringNodes = (kernel: string): readonly NodeMessage[] => [
  {
    ...{
      name: floatLevelsName(kernel),
      opType: 'Cast',
      input: [levelsName(kernel)],
      output: [floatLevelsName(kernel)],
    },
    attribute: [{ name: 'to', type: onnxAttribute.int, i: onnxElement.float }],
  },
  {
    ...{ name: `${kernel}.restored`, opType: 'Mul', input: [floatLevelsName(kernel), scalesName(kernel)] },
    ...{ output: [kernel], attribute: [] },
  },
];

function stored({ name, dims, rawData }: TensorMessage, spoil: (scale: number) => number): readonly NewTensor[] {
  const [channels = 0] = dims;
  const { levels, scales } = toLevels(floatsOf(rawData), channels, mostLevel);
  const ones = dims.slice(1).map(() => 1);
  return [
    { name: levelsName(name), dims, dataType: onnxElement.int8, data: bytesOf(levels) },
    {
      ...{ name: scalesName(name), dims: [channels, ...ones], dataType: onnxElement.float },
      data: bytesOf(scales.map(spoil)),
    },
  ];
}

/** Float32 numbers of raw data, which need not be aligned in its file. */
export const floatsOf = (rawData: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(rawData).buffer);

export const bytesOf = (values: Float32Array | Int32Array | Int8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

export interface Kernel {
  readonly dims: readonly number[];
  /** Made anew at each call: all of them at once would be 170 MB. */
  readonly weights: () => Float32Array;
}

/** The kernel of that name as floats, stored in 8 bits or not; null when the graph computes it otherwise. */
export function createKernelReader({ node, initializer }: Graph): (name: string) => Kernel | null {
  const tensors = new Map(initializer.map((tensor) => [tensor.name, tensor]));
  const makers = new Set(node.flatMap(({ opType, output }) => (opType === 'Mul' ? output : [])));
  return (name) => {
    const float = tensors.get(name);
    if (float?.dataType === onnxElement.float) return { dims: float.dims, weights: () => floatsOf(float.rawData) };
    const levels = tensors.get(levelsName(name));
    const scales = tensors.get(scalesName(name));
    if (!makers.has(name) || !levels || !scales) return null;
    return { dims: levels.dims, weights: () => restored(levels, floatsOf(scales.rawData)) };
  };
}

function restored({ rawData }: TensorMessage, scales: Float32Array): Float32Array {
  const levels = new Int8Array(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  const size = levels.length / scales.length;
  const weights = new Float32Array(levels.length);
  for (let channel = 0, i = 0; channel < scales.length; channel++) {
    const scale = scales[channel]!;
    for (const end = i + size; i < end; i++) weights[i] = levels[i]! * scale;
  }
  return weights;
}

/** The graph's nodes without those that do nothing but turn stored kernels back. */
export function nodesBesideRestoring({ node, initializer }: Graph): readonly NodeMessage[] {
  const there = new Set(initializer.map(({ name }) => name));
  const kernels = node.flatMap(({ opType, output }) =>
    opType === 'Mul' && there.has(levelsName(output[0]!)) ? output : [],
  );
  const restoring = new Set(kernels.flatMap((kernel) => [kernel, floatLevelsName(kernel)]));
  return node.filter(({ output }) => !restoring.has(output[0]!));
}
