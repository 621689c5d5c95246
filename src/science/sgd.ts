import { uniform } from '../model/random.ts';
import {
  copyOf,
  createHead,
  crossEntropy,
  type Fit,
  fitOf,
  isRight,
  logitDifference,
  type Sample,
  type SoftmaxHead,
} from './softmax-head.ts';
import { type Split, shuffled } from './split.ts';

/** Stochastic gradient descent with momentum on the softmax layer, the trunk being frozen. */

export interface SgdOptions {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly momentum: number;
  /** Factor of ½‖weights‖² in the objective; biases are free. */
  readonly l2: number;
  /** Without it the biases stay 0. */
  readonly bias: boolean;
  readonly seed: number;
}

export interface Epoch {
  /** From 1. */
  readonly number: number;
  /** Mean over the epoch's batches, each before the step that it causes. */
  readonly training: Fit;
  /** After the epoch, over all validation films. */
  readonly validation: Fit;
  /** Loss and accuracy of each batch, before its step. */
  readonly batches: readonly Fit[];
  readonly head: SoftmaxHead;
}

/**
 * Trains and gives an epoch after the other. Every epoch sees each training film once, in a new order; a last batch may be
 * smaller. Deterministic: the same samples, options and seed give the same numbers on every machine.
 */
export function* trainEpochs({ training, validation }: Split<Sample>, options: SgdOptions): Generator<Epoch> {
  const width = training[0]?.features.length ?? 0;
  const head = createHead(width);
  const velocity = createHead(width);
  const draw = uniform(options.seed);
  for (let number = 1; number <= options.epochs; number++) {
    const order = shuffled(training, draw);
    const batches: Fit[] = [];
    const sum = { loss: 0, accuracy: 0 };
    for (let from = 0; from < order.length; from += options.batch) {
      const batch = order.slice(from, from + options.batch);
      const fit = step(head, velocity, batch, options);
      batches.push(fit);
      sum.loss += fit.loss * batch.length;
      sum.accuracy += fit.accuracy * batch.length;
    }
    const mean: Fit = { loss: sum.loss / order.length, accuracy: sum.accuracy / order.length };
    yield { number, training: mean, validation: fitOf(head, validation), batches, head: copyOf(head) };
  }
}

/** The epoch whose head is kept: the lowest validation loss; of equals the first. */
export function bestEpoch(epochs: readonly Epoch[]): Epoch | null {
  return epochs.reduce<Epoch | null>(
    (best, epoch) => (best && best.validation.loss <= epoch.validation.loss ? best : epoch),
    null,
  );
}

/**
 * One step: v ← momentum·v − rate·(gradient + l2·w), w ← w + v. The gradient of a film in the two logits is ±(p − target),
 * so that one number a film says it all. Gives the batch's fit before the step.
 */
function step(head: SoftmaxHead, velocity: SoftmaxHead, batch: readonly Sample[], options: SgdOptions): Fit {
  const width = head.weight.length / 2;
  const gradient = new Float64Array(width);
  let biasGradient = 0;
  let loss = 0;
  let right = 0;
  for (const { features, target } of batch) {
    const difference = logitDifference(head, features);
    const share = (1 / (1 + Math.exp(-difference)) - target) / batch.length;
    for (let k = 0; k < width; k++) gradient[k]! += share * features[k]!;
    biasGradient += share;
    loss += crossEntropy(difference, target);
    if (isRight(difference, target)) right++;
  }
  const { momentum, learningRate, l2, bias } = options;
  for (let row = 0; row < 2; row++) {
    const sign = row === 1 ? 1 : -1;
    for (let k = 0, i = row * width; k < width; k++, i++) {
      const slope = sign * gradient[k]! + l2 * head.weight[i]!;
      velocity.weight[i] = momentum * velocity.weight[i]! - learningRate * slope;
      head.weight[i]! += velocity.weight[i]!;
    }
    if (!bias) continue;
    velocity.bias[row] = momentum * velocity.bias[row]! - learningRate * sign * biasGradient;
    head.bias[row]! += velocity.bias[row]!;
  }
  return { loss: loss / batch.length, accuracy: right / batch.length };
}
