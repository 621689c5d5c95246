import type { Kernel } from './preprocess-steps.ts';

/**
 * The one resampling of the gateway: separable, antialiased, in floating point. Taps equal Pillow's `Image.resize`:
 * the kernel is widened by the reduction, cut at the borders and normalised there.
 */

/** Grey values, row by row. */
export interface Plane {
  readonly columns: number;
  readonly rows: number;
  readonly values: Float32Array;
}

interface KernelShape {
  /** Radius at scale 1, pixels. */
  readonly support: number;
  readonly at: (x: number) => number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Keys' cubic with a = −0.5. */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

const kernels: Readonly<Record<Kernel, KernelShape>> = {
  triangle: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, at: cubic },
  lanczos3: { support: 3, at: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Weights of one output pixel: of the inputs from `first` on. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

function tapsOf(from: number, to: number, kernel: Kernel): readonly Taps[] {
  const { support, at } = kernels[kernel];
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const radius = support * stretch;
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - radius + 0.5));
    const end = Math.min(from, Math.trunc(centre + radius + 0.5));
    const weights = Float64Array.from({ length: end - first }, (_, k) => at((first + k - centre + 0.5) / stretch));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** The plane at another size: squashed, never padded. Values may overshoot their range a little, as the kernel does. */
export function resample(plane: Plane, columns: number, rows: number, kernel: Kernel): Plane {
  const wide = columns === plane.columns ? plane : resampleRows(plane, columns, kernel);
  return rows === plane.rows ? wide : resampleColumns(wide, rows, kernel);
}

function resampleRows({ columns: from, rows, values }: Plane, columns: number, kernel: Kernel): Plane {
  const taps = tapsOf(from, columns, kernel);
  const out = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const { first, weights } = taps[column]!;
      const start = row * from + first;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * values[start + k]!;
      out[row * columns + column] = sum;
    }
  }
  return { columns, rows, values: out };
}

function resampleColumns({ columns, values, rows: from }: Plane, rows: number, kernel: Kernel): Plane {
  const out = new Float32Array(columns * rows);
  const sums = new Float64Array(columns);
  tapsOf(from, rows, kernel).forEach(({ first, weights }, row) => {
    sums.fill(0);
    for (let k = 0; k < weights.length; k++) {
      const weight = weights[k]!;
      const start = (first + k) * columns;
      for (let column = 0; column < columns; column++) sums[column]! += weight * values[start + column]!;
    }
    out.set(sums, row * columns);
  });
  return { columns, rows, values: out };
}
