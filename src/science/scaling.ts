import type { SoftmaxHead } from './softmax-head.ts';

/**
 * Features centred and brought to one scale before the layer, and the layer taken back to the raw features afterwards: the
 * network that is written is the plain one. One factor for all features keeps their geometry, and a channel that is hardly
 * ever warm does not get a weight that burns the heat-map.
 */

export interface Scaling {
  readonly mean: Float64Array;
  readonly factor: number;
}

/**
 * Mean squared length of the scaled features: at the paper's learning rate and epochs, the one of 64 to 2,048 that came nearest to a
 * converged logistic fit on pooled features (docs/training.md).
 */
const meanSquaredLength = 1024;

/**
 * Mean of each feature, and the factor that gives the films a mean squared length of 1,024, so that one learning rate suits
 * networks of every width. The factor is 1 for films that are all alike.
 */
export function scalingOf(films: readonly Float32Array[]): Scaling {
  const width = films[0]?.length ?? 0;
  const mean = new Float64Array(width);
  for (const film of films) for (let k = 0; k < width; k++) mean[k]! += film[k]! / films.length;
  let squares = 0;
  for (const film of films) for (let k = 0; k < width; k++) squares += (film[k]! - mean[k]!) ** 2;
  return { mean, factor: squares > 0 ? Math.sqrt((meanSquaredLength * films.length) / squares) : 1 };
}

export function scaled(features: Float32Array, { mean, factor }: Scaling): Float32Array {
  return features.map((value, k) => (value - mean[k]!) * factor);
}

/** The head that says of raw features what `head` says of scaled ones. */
export function onRawFeatures(head: SoftmaxHead, { mean, factor }: Scaling): SoftmaxHead {
  const width = mean.length;
  const weight = head.weight.map((value) => value * factor);
  const bias = head.bias.map((value, row) => {
    let shift = 0;
    for (let k = 0; k < width; k++) shift += weight[row * width + k]! * mean[k]!;
    return value - shift;
  });
  return { weight, bias };
}
