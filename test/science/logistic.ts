import type { Sample, SoftmaxHead } from '../../src/science/softmax-head.ts';

/** An L2-regularised logistic regression by Newton's method, written apart from the product: the reference for its training. */

/** Minimises mean cross-entropy + ½·l2·‖w‖² (the intercept is free) until a step moves nothing. */
export function fitLogistic(samples: readonly Sample[], l2: number): SoftmaxHead {
  const width = samples[0]!.features.length;
  let weights = new Float64Array(width + 1);
  for (let round = 0; round < 100; round++) {
    const { gradient, hessian } = derivatives(samples, weights, l2);
    const step = solve(hessian, gradient);
    weights = weights.map((value, i) => value - step[i]!);
    if (Math.max(...step.map(Math.abs)) < 1e-9) break;
  }
  return {
    weight: Float64Array.of(...new Float64Array(width), ...weights.subarray(0, width)),
    bias: Float64Array.of(0, weights[width]!),
  };
}

function derivatives(samples: readonly Sample[], weights: Float64Array, l2: number) {
  const size = weights.length;
  const gradient = new Float64Array(size);
  const hessian = Array.from({ length: size }, () => new Float64Array(size));
  for (const { features, target } of samples) {
    const x = [...features, 1];
    const p = 1 / (1 + Math.exp(-x.reduce((sum, value, i) => sum + value * weights[i]!, 0)));
    x.forEach((value, i) => {
      gradient[i]! += ((p - target) * value) / samples.length;
      const factor = (Math.max(p * (1 - p), 1e-12) * value) / samples.length;
      for (let j = 0; j < size; j++) hessian[i]![j]! += factor * x[j]!;
    });
  }
  for (let i = 0; i + 1 < size; i++) {
    gradient[i]! += l2 * weights[i]!;
    hessian[i]![i]! += l2;
  }
  return { gradient, hessian };
}

/** Gauss with the largest pivot. */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const rows = matrix.map((row, i) => Float64Array.of(...row, right[i]!));
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best));
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(column, 0, pivot);
    for (let row = column + 1; row < size; row++) {
      const factor = rows[row]![column]! / pivot[column]!;
      for (let k = column; k <= size; k++) rows[row]![k]! -= factor * pivot[k]!;
    }
  }
  const solution = new Float64Array(size);
  for (let row = size - 1; row >= 0; row--) {
    let sum = rows[row]![size]!;
    for (let k = row + 1; k < size; k++) sum -= rows[row]![k]! * solution[k]!;
    solution[row] = sum / rows[row]![row]!;
  }
  return solution;
}
