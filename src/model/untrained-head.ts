import { gaussian } from './random.ts';
import type { Head } from './resnet.ts';

/** A head for noise weights whose scores differ from film to film, so that both decisions can be seen in tests and demo. */

/** Deviation of the logit difference over the films that the head is fitted on. */
const logitDeviation = 1.5;

/**
 * A direction drawn from the seed among those in which the features vary, and at right angles to their mean: the score is
 * spread around 0.5, and the map has warm and cold places. It knows nothing of disease.
 */
export function spreadHead(features: readonly Float32Array[], seed: number): Head {
  const width = features[0]?.length ?? 0;
  const mean = average(features, width);
  const draw = gaussian(seed);
  const direction = new Float64Array(width);
  for (const film of features) {
    const share = draw();
    for (let k = 0; k < width; k++) direction[k]! += share * (film[k]! - mean[k]!);
  }
  const along = dot(direction, mean) / dot(mean, mean);
  for (let k = 0; k < width; k++) direction[k]! -= along * mean[k]!;
  const scores = features.map((film) => dot(direction, film));
  const centre = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - centre) ** 2, 0) / scores.length;
  const scale = logitDeviation / Math.sqrt(variance);
  return {
    weight: Float32Array.from(
      { length: 2 * width },
      (_, i) => (i < width ? -0.5 : 0.5) * direction[i % width]! * scale,
    ),
    bias: Float32Array.of(0.5 * centre * scale, -0.5 * centre * scale),
  };
}

function average(features: readonly Float32Array[], width: number): Float64Array {
  const mean = new Float64Array(width);
  for (const film of features) for (let k = 0; k < width; k++) mean[k]! += film[k]! / features.length;
  return mean;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
};
