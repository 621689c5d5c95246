import type { SoftmaxHead } from './softmax-head.ts';

/**
 * Features brought to a scale that suits one learning rate, and the layer taken back to the raw features afterwards: the
 * network that is written is the plain one.
 *
 * Pooled features are all positive and point much the same way, that of their mean. Along it a film's features are
 * divided by the length of the mean, so that they are near 1 and their weight does the work of a bias; across it they have
 * mean 0 and one common factor, which keeps their geometry, so that a channel that is hardly ever warm does not get a
 * weight that burns the heat-map. Nothing is taken away, so the layer needs no bias, and all of a score lies in the map.
 */
export interface Scaling {
  /** The mean's direction, of length 1; zeros when the mean is. */
  readonly direction: Float64Array;
  readonly along: number;
  readonly across: number;
}

/**
 * Mean squared length of the scaled features across their mean: at the paper's learning rate and epochs, the one of 64 to 2,048
 * that came nearest to a converged logistic fit on pooled features (docs/training.md).
 */
const meanSquaredLength = 1024;

/** `across` is 1 for films that differ in nothing but a factor. */
export function scalingOf(films: readonly Float32Array[]): Scaling {
  const width = films[0]?.length ?? 0;
  const mean = new Float64Array(width);
  for (const film of films) for (let k = 0; k < width; k++) mean[k]! += film[k]! / films.length;
  const length = Math.sqrt(product(mean, mean));
  const direction = length > 0 ? mean.map((value) => value / length) : mean;
  let squares = 0;
  for (const film of films) squares += Math.max(0, product(film, film) - product(film, direction) ** 2);
  return {
    direction,
    along: length > 0 ? 1 / length : 0,
    across: squares > 0 ? Math.sqrt((meanSquaredLength * films.length) / squares) : 1,
  };
}

export function scaled(features: Float32Array, scaling: Scaling): Float32Array {
  return stretched(features, scaling);
}

/** The head that says of raw features what `head` says of scaled ones. */
export function onRawFeatures({ weight, bias }: SoftmaxHead, scaling: Scaling): SoftmaxHead {
  const width = scaling.direction.length;
  const rows = [0, 1].map((row) => stretched(weight.subarray(row * width, (row + 1) * width), scaling));
  return { weight: Float64Array.from(rows.flatMap((row) => [...row])), bias: bias.slice() };
}

/** One linear map does both, because it is its own transpose. */
function stretched<T extends Float32Array | Float64Array>(vector: T, { direction, along, across }: Scaling): T {
  const share = (along - across) * product(vector, direction);
  return vector.map((value, k) => across * value + share * direction[k]!) as T;
}

function product(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
