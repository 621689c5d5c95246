import { letGo } from '../core/let-go.ts';
import type { Kernel } from './preprocess-steps.ts';
import { openVectors, type Taps } from './vectors.ts';

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

/** Part of an axis, from a place between pixels to another. */
export interface Span {
  readonly start: number;
  readonly length: number;
}

/** Of the `side` pixels those that the span touches. */
export function tapsOf({ start, length }: Span, side: number, to: number, kernel: Kernel): readonly Taps[] {
  const { support, at } = kernels[kernel];
  const scale = length / to;
  const [least, from] = [Math.max(0, Math.floor(start)), Math.min(side, Math.ceil(start + length))];
  const stretch = Math.max(1, scale);
  const radius = support * stretch;
  return Array.from({ length: to }, (_, index) => {
    const centre = start + (index + 0.5) * scale;
    const first = Math.max(least, Math.trunc(centre - radius + 0.5));
    const end = Math.min(from, Math.trunc(centre + radius + 0.5));
    const weights = new Float64Array(end - first);
    let sum = 0;
    for (let k = 0; k < weights.length; k++) {
      weights[k] = at((first + k - centre + 0.5) / stretch);
      sum += weights[k]!;
    }
    for (let k = 0; k < weights.length; k++) weights[k] = weights[k]! / sum;
    return { first, weights };
  });
}

/** The plane at another size: squashed, never padded. Values may overshoot their range a little, as the kernel does. */
export function resample(plane: Plane, columns: number, rows: number, kernel: Kernel): Plane {
  const [x, y] = [wholeSpan(plane.columns), wholeSpan(plane.rows)];
  if (columns === plane.columns) return rows === plane.rows ? plane : resampleColumns(plane, y, rows, kernel);
  if (rows === plane.rows) return resampleRows(plane, x, columns, kernel);
  return resamplePart(plane, x, y, columns, rows, kernel);
}

/** A part of the plane, which may begin and end inside of a pixel or less than one beside it, at another size. */
export function resamplePart(plane: Plane, x: Span, y: Span, columns: number, rows: number, kernel: Kernel): Plane {
  const wide = resampleRows(plane, x, columns, kernel);
  const resampled = resampleColumns(wide, y, rows, kernel);
  letGo(wide.values);
  return resampled;
}

const wholeSpan = (length: number): Span => ({ start: 0, length });

function resampleRows({ columns: from, rows, values }: Plane, span: Span, columns: number, kernel: Kernel): Plane {
  const taps = tapsOf(span, from, columns, kernel);
  if (vectors) return { columns, rows, values: vectors.alongRows(values, from, rows, taps) };
  return { columns, rows, values: alongRows(values, from, rows, taps) };
}

function resampleColumns({ columns, values, rows: from }: Plane, span: Span, rows: number, kernel: Kernel): Plane {
  const taps = tapsOf(span, from, rows, kernel);
  if (vectors) return { columns, rows, values: vectors.alongColumns(values, columns, taps) };
  return { columns, rows, values: alongColumns(values, columns, taps) };
}

const vectors = openVectors();

/** As `Vectors.alongRows`, to the last bit, on a processor without vectors. */
export function alongRows(values: Float32Array, from: number, rows: number, taps: readonly Taps[]): Float32Array {
  const columns = taps.length;
  const out = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row += together) {
    taps.forEach(({ first, weights }, column) => {
      const source = row * from + first;
      const to = row * columns + column;
      if (row + together <= rows) weigh(weights, values, source, 1, from, out, to, columns);
      else
        for (let r = 0; r < rows - row; r++) weigh(weights, values, source + r * from, 1, 0, out, to + r * columns, 0);
    });
  }
  return out;
}

/** As `Vectors.alongColumns`. */
export function alongColumns(values: Float32Array, columns: number, taps: readonly Taps[]): Float32Array {
  const out = new Float32Array(columns * taps.length);
  taps.forEach(({ first, weights }, row) => {
    const source = first * columns;
    const to = row * columns;
    const whole = columns - (columns % together);
    for (let c = 0; c < whole; c += together) weigh(weights, values, source + c, columns, 1, out, to + c, 1);
    for (let c = whole; c < columns; c++) weigh(weights, values, source + c, columns, 0, out, to + c, 0);
  });
  return out;
}

/** Sums that are built side by side: one waits for its own addition, four do not, which more than halves the time. */
const together = 4;

/**
 * Weighs inputs `step` apart from `at` on into `out[to]`, and does the same for the three lines that lie `apart` from each
 * other, into places `toApart` from each other. Nothing apart: the same line four times.
 */
function weigh(
  weights: Float64Array,
  values: Float32Array,
  at: number,
  step: number,
  apart: number,
  out: Float32Array,
  to: number,
  toApart: number,
): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let k = 0, i = at; k < weights.length; k++, i += step) {
    const weight = weights[k]!;
    a += weight * values[i]!;
    b += weight * values[i + apart]!;
    c += weight * values[i + 2 * apart]!;
    d += weight * values[i + 3 * apart]!;
  }
  out[to] = a;
  out[to + toApart] = b;
  out[to + 2 * toApart] = c;
  out[to + 3 * toApart] = d;
}
