import { Failure } from '../core/failure.ts';
import { withRawData } from './initializer-bytes.ts';
import type { Manifest } from './manifest.ts';
import { decodeModel, type GraphMessage, type NodeMessage, onnxElement } from './onnx-schema.ts';
import type { Head } from './resnet.ts';
import { floatsOf } from './stored-weights.ts';

/** Puts a new last layer into a graph. Nothing but the numbers of the layer, and of the map that follows from it, changes. */

/** Where the last layer's numbers are kept, by the names of the initializers. */
interface HeadPlace {
  readonly weight: string;
  /** The weights are kept features × 2 (a Gemm without transB). */
  readonly transposed: boolean;
  readonly bias: string;
  /** The 1×1 kernel of the map, w1−w0; null where the graph computes it from the weights itself. */
  readonly kernel: string | null;
}

/**
 * The graph with another head: `probabilities = Softmax(Gemm(features, weight, bias))` and
 * `map = Relu(Conv1×1(last feature map, w1−w0))`. All other bytes stay, so that the same head gives the same file.
 * Raises `model-unusable` where the graph is built otherwise, or the head is of another width.
 */
export function replaceHead(weights: Uint8Array, outputs: Manifest['outputs'], head: Head): Uint8Array {
  const features = outputs.features.shape[1];
  expect('features of the head', String(features), String(head.weight.length / 2));
  const place = findHead(decodeModel(weights).graph, outputs);
  const replacements = new Map([
    [place.weight, place.transposed ? transpose(head.weight) : head.weight],
    [place.bias, head.bias],
  ]);
  if (place.kernel !== null) replacements.set(place.kernel, kernelOf(head.weight));
  return withRawData(weights, replacements);
}

/** The graph whose logit difference d is `slope` × d + `shift`: map and probabilities stay of one head. */
export function tuneHead(
  weights: Uint8Array,
  outputs: Manifest['outputs'],
  { slope, shift }: { readonly slope: number; readonly shift: number },
): Uint8Array {
  const { graph } = decodeModel(weights);
  const place = findHead(graph, outputs);
  const numbersOf = (name: string) => floatsOf(graph.initializer.find((each) => each.name === name)!.rawData);
  const weight = numbersOf(place.weight);
  const head: Head = {
    weight: (place.transposed ? transposeBack(weight) : weight).map((value) => value * slope),
    bias: numbersOf(place.bias).map((value, i) => value * slope + (i === 0 ? -0.5 : 0.5) * shift),
  };
  return replaceHead(weights, outputs, head);
}

/** Initializers of the last layer and of the map: floats, whatever becomes of the others. Raises as `replaceHead` does. */
export function headInitializers(graph: GraphMessage, outputs: Manifest['outputs']): ReadonlySet<string> {
  const { weight, bias, kernel } = findHead(graph, outputs);
  return new Set([weight, bias, ...(kernel === null ? [] : [kernel])]);
}

function findHead(graph: GraphMessage, outputs: Manifest['outputs']): HeadPlace {
  const softmax = maker(graph, outputs.probabilities.name, 'Softmax');
  const layer = maker(graph, softmax.input[0] ?? '', 'Gemm');
  const [from, weight = '', bias = ''] = layer.input;
  expect('input of the last layer', outputs.features.name, from ?? 'none');
  for (const { name, f } of layer.attribute) if (name === 'alpha' || name === 'beta') expect(name, '1', String(f));
  const transposed = layer.attribute.find(({ name }) => name === 'transB')?.i !== 1;
  const features = outputs.features.shape[1];
  checkFloats(graph, weight, transposed ? [features, 2] : [2, features]);
  checkFloats(graph, bias, [2]);
  const relu = maker(graph, outputs.map.name, 'Relu');
  const convolution = maker(graph, relu.input[0] ?? '', 'Conv');
  expect('inputs of the convolution of the map', '2', String(convolution.input.length));
  const kernel = convolution.input[1] ?? '';
  if (follows(graph, kernel, weight)) return { weight, transposed, bias, kernel: null };
  checkFloats(graph, kernel, [1, features, 1, 1]);
  return { weight, transposed, bias, kernel };
}

function maker(graph: GraphMessage, value: string, opType: string): NodeMessage {
  const node = graph.node.find(({ output }) => output.includes(value));
  if (node?.opType === opType) return node;
  const where = `head of the graph, value ${value}`;
  throw new Failure('model-unusable', { where, expected: opType, got: node?.opType ?? 'nothing' });
}

/** Whether a value is computed from an initializer. */
function follows(graph: GraphMessage, value: string, initializer: string): boolean {
  const node = graph.node.find(({ output }) => output.includes(value));
  return node?.input.some((name) => name === initializer || follows(graph, name, initializer)) ?? false;
}

function checkFloats(graph: GraphMessage, name: string, dims: readonly number[]): void {
  const tensor = graph.initializer.find((each) => each.name === name);
  const float = tensor?.dataType === onnxElement.float;
  const got = tensor ? `${float ? 'float32' : `type ${tensor.dataType}`} [${tensor.dims.join(',')}]` : 'none';
  expect(`initializer ${name} of the head`, `float32 [${dims.join(',')}]`, got);
}

function expect(where: string, expected: string, got: string): void {
  if (expected !== got) throw new Failure('model-unusable', { where, expected, got });
}

function transpose(weight: Float32Array): Float32Array {
  const width = weight.length / 2;
  return Float32Array.from({ length: weight.length }, (_, i) => weight[(i % 2) * width + (i >> 1)]!);
}

/** From features × 2 to 2 × features. */
function transposeBack(weight: Float32Array): Float32Array {
  const width = weight.length / 2;
  return Float32Array.from({ length: weight.length }, (_, i) => weight[(i % width) * 2 + Math.floor(i / width)]!);
}

function kernelOf(weight: Float32Array): Float32Array {
  const width = weight.length / 2;
  return Float32Array.from({ length: width }, (_, k) => weight[width + k]! - weight[k]!);
}
