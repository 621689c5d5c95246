import { Failure } from '../core/failure.ts';
import type { GraphMessage, NodeMessage } from './onnx-schema.ts';
import { createKernelReader, floatsOf, nodesBesideRestoring } from './stored-weights.ts';

/** A graph as the steps that an 8-bit network has: what follows a convolution and costs nothing there is part of it. */

export interface Convolution {
  readonly kind: 'convolution';
  readonly node: NodeMessage;
  readonly input: string;
  readonly dims: readonly number[];
  /** With the normalisation that follows it folded in. */
  readonly weights: () => Float32Array;
  readonly bias: Float32Array;
  readonly output: string;
  /** A Relu follows: nothing below 0 comes out. */
  readonly clamped: boolean;
}

export interface Joining {
  readonly kind: 'add' | 'pool';
  readonly node: NodeMessage;
  readonly output: string;
  readonly clamped: boolean;
}

/** The head, and whatever else is copied as it is. */
export interface Other {
  readonly kind: 'other';
  readonly node: NodeMessage;
}

export type Step = Convolution | Joining | Other;

/** Raises `model-unusable` for a normalisation that does not follow a convolution. Kernels named in `kept` are not touched. */
export function stepsOf(graph: GraphMessage, kept: ReadonlySet<string>): readonly Step[] {
  const steps = createSteps(graph);
  const kernelOf = createKernelReader(graph);
  for (const node of nodesBesideRestoring(graph)) {
    const [input = '', kernel = '', bias] = node.input;
    const [output = ''] = node.output;
    const read = node.opType === 'Conv' && !kept.has(kernel) ? kernelOf(kernel) : null;
    if (read) {
      const biases = bias ? numbersOf(graph, bias) : new Float32Array(read.dims[0]!);
      steps.add({ kind: 'convolution', node, input, output, clamped: false, ...read, bias: biases });
    } else if (node.opType === 'BatchNormalization') {
      const normalization = normalizationOf(graph, node);
      if (!steps.extend(input, (step) => normalized(step, normalization, output)))
        throw new Failure('model-unusable', { where: `node ${node.name}`, expected: 'a convolution before it' });
    } else if (node.opType === 'Add') steps.add({ kind: 'add', node, output, clamped: false });
    else if (node.opType === 'MaxPool') steps.add({ kind: 'pool', node, output, clamped: isClamped(steps.all, input) });
    else if (node.opType !== 'Relu' || !steps.extend(input, (step) => rectified(step, output)))
      steps.add({ kind: 'other', node });
  }
  return steps.all;
}

const rectified = (step: Convolution | Joining, output: string): Step | null =>
  step.kind === 'pool' ? null : { ...step, clamped: true, output };

const normalized = (step: Convolution | Joining, normalization: Normalization, output: string): Step | null =>
  step.kind === 'convolution' && !step.clamped ? { ...step, ...folded(step, normalization), output } : null;

/** Steps so far. One is extended by what follows it where nothing else uses what it makes. */
function createSteps(graph: GraphMessage) {
  const uses = usesOf(graph);
  const all: Step[] = [];
  const placeOf = new Map<string, number>();
  const put = (step: Step, at: number) => {
    all[at] = step;
    if (step.kind !== 'other' && uses.get(step.output) === 1) placeOf.set(step.output, at);
  };
  return {
    all: all as readonly Step[],
    add: (step: Step) => put(step, all.length),
    extend(value: string, change: (step: Convolution | Joining) => Step | null): boolean {
      const at = placeOf.get(value);
      const before = at === undefined ? undefined : all[at];
      const changed = before && before.kind !== 'other' ? change(before) : null;
      if (!changed || at === undefined) return false;
      put(changed, at);
      return true;
    },
  };
}

const isClamped = (steps: readonly Step[], value: string): boolean =>
  steps.some((step) => step.kind !== 'other' && step.output === value && step.clamped);

function usesOf({ node, output }: GraphMessage): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const name of [...node.flatMap(({ input }) => input), ...output.map((end) => end.name)])
    uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

function numbersOf(graph: GraphMessage, name: string): Float32Array {
  const found = graph.initializer.find((each) => each.name === name);
  if (found) return floatsOf(found.rawData);
  throw new Failure('model-unusable', { where: `value ${name} of the graph`, expected: 'an initializer' });
}

interface Normalization {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

function normalizationOf(graph: GraphMessage, { input, attribute }: NodeMessage): Normalization {
  const [, scale = '', shift = '', mean = '', variance = ''] = input;
  const numbers = (name: string) => numbersOf(graph, name);
  const epsilon = attribute.find(({ name }) => name === 'epsilon')?.f ?? 1e-5;
  return { scale: numbers(scale), shift: numbers(shift), mean: numbers(mean), variance: numbers(variance), epsilon };
}

function folded({ weights, bias }: Convolution, { scale, shift, mean, variance, epsilon }: Normalization) {
  const factors = scale.map((value, channel) => value / Math.sqrt(variance[channel]! + epsilon));
  return {
    weights: () => timesFactors(weights(), factors),
    bias: bias.map((value, channel) => (value - mean[channel]!) * factors[channel]! + shift[channel]!),
  };
}

/** In place: each output channel by its factor. */
function timesFactors(weights: Float32Array, factors: Float32Array): Float32Array {
  const size = weights.length / factors.length;
  factors.forEach((factor, channel) => {
    for (let i = channel * size; i < (channel + 1) * size; i++) weights[i] = weights[i]! * factor;
  });
  return weights;
}

export interface Activation {
  readonly name: string;
  /** Nothing below 0. */
  readonly clamped: boolean;
}

/** The values between steps that an 8-bit network keeps in 8 bits: what goes into a convolution or an addition. */
export function activationsOf(steps: readonly Step[]): readonly Activation[] {
  const wanted = new Set(
    steps.flatMap((step) => (step.kind === 'convolution' ? [step.input] : step.kind === 'add' ? step.node.input : [])),
  );
  return steps.flatMap((step) =>
    step.kind !== 'other' && wanted.has(step.output) ? { name: step.output, clamped: step.clamped } : [],
  );
}
