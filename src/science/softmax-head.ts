/** A fully connected layer of two classes with softmax and cross-entropy, in float64. Class 0 is none, class 1 opacity. */

export interface SoftmaxHead {
  /** 2 × features, row by row. */
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** What the layer learns from: the pooled features of one film and its class. */
export interface Sample {
  readonly features: Float32Array;
  readonly target: 0 | 1;
}

/** Means over the samples: cross-entropy without the L2 term, and the share whose likelier class is the right one. */
export interface Fit {
  readonly loss: number;
  readonly accuracy: number;
}

/** Zeros: the objective has one minimum, and drawn weights would only be noise that the first epochs must unlearn. */
export function createHead(features: number): SoftmaxHead {
  return { weight: new Float64Array(2 * features), bias: new Float64Array(2) };
}

export function copyOf({ weight, bias }: SoftmaxHead): SoftmaxHead {
  return { weight: weight.slice(), bias: bias.slice() };
}

/** Logit of opacity above that of none: all that softmax of two classes depends on. */
export function logitDifference({ weight, bias }: SoftmaxHead, features: ArrayLike<number>): number {
  const width = weight.length / 2;
  let difference = bias[1]! - bias[0]!;
  for (let k = 0; k < width; k++) difference += (weight[width + k]! - weight[k]!) * features[k]!;
  return difference;
}

/** p(opacity). */
export function probabilityOf(head: SoftmaxHead, features: ArrayLike<number>): number {
  return 1 / (1 + Math.exp(-logitDifference(head, features)));
}

/** −log p(target), without overflow for either sign. */
export function crossEntropy(difference: number, target: 0 | 1): number {
  const towards = target === 1 ? difference : -difference;
  return Math.max(0, -towards) + Math.log1p(Math.exp(-Math.abs(towards)));
}

/** Right when the likelier class is the target; a tie goes to opacity, as `decide` has it. */
export const isRight = (difference: number, target: 0 | 1): boolean => difference >= 0 === (target === 1);

/** Raises nothing; NaN for no samples. */
export function fitOf(head: SoftmaxHead, samples: readonly Sample[]): Fit {
  let loss = 0;
  let right = 0;
  for (const { features, target } of samples) {
    const difference = logitDifference(head, features);
    loss += crossEntropy(difference, target);
    if (isRight(difference, target)) right++;
  }
  return { loss: loss / samples.length, accuracy: right / samples.length };
}

/** The head as the graph holds it. */
export function toFloat32({ weight, bias }: SoftmaxHead): {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
} {
  return { weight: Float32Array.from(weight), bias: Float32Array.from(bias) };
}
