import { Failure } from '../core/failure.ts';
import type { Radiograph, Reduced } from '../core/study.ts';
import { type Axis, croppedAxis, type Geometry, identityAxis, resizedAxis } from './geometry.ts';
import { isNormalization, type Normalization, type PlaneStep, type Step } from './preprocess-steps.ts';
import { type Plane, resample, resamplePart, type Span } from './resample.ts';

/** From a radiograph to the network's input, as the manifest's steps say. */

export interface Prepared {
  /** 1 × 3 × height × width; the three channels of a film are equal before a fixed normalisation. */
  readonly tensor: Float32Array;
  readonly geometry: Geometry;
}

interface Film {
  readonly plane: Plane;
  readonly geometry: Geometry;
  /** Of a film that was decoded at a smaller size, until its size is changed: what is left of each side of its matrix. */
  readonly left?: { readonly x: Left; readonly y: Left };
}

interface Left extends Span {
  readonly of: Reduced;
}

/**
 * The tensor of a radiograph, and where its pixels lie in the source.
 * Raises `constant-image` when the percentiles of a stretch coincide.
 */
export function preprocess(radiograph: Radiograph, steps: readonly Step[]): Prepared {
  const { plane, geometry } = preparePlane(radiograph, steps);
  const last = steps.findLast(isNormalization);
  if (!last) throw new Failure('model-unusable', { where: 'preprocess', expected: 'a normalize step' });
  return { tensor: normalize(plane, last), geometry };
}

/** The plane before normalisation, in grey levels from 0 to 255. */
export function preparePlane({ columns, rows, pixels, reduced }: Radiograph, steps: readonly Step[]): Film {
  const film: Film = {
    plane: { columns, rows, values: pixels },
    geometry: { x: identityAxis(columns), y: identityAxis(rows) },
    ...(reduced ? { left: { x: whole(reduced.x), y: whole(reduced.y) } } : {}),
  };
  const planeSteps = steps.filter((step) => !isNormalization(step));
  const geometric = planeSteps.findIndex(({ step }) => step !== 'resize' && step !== 'central-crop');
  const [before, after] =
    geometric < 0 ? [planeSteps, []] : [planeSteps.slice(0, geometric), planeSteps.slice(geometric)];
  return after.reduce(applyStep, inLevels(before.reduce(applyStep, film)));
}

/** Grey levels from 0 to 255. Done when the film is small: a copy of a whole one would cost up to 256 MiB. */
function inLevels({ plane, geometry }: Film): Film {
  return { plane: { ...plane, values: mapped(plane.values, (value) => value * 255) }, geometry };
}

function applyStep(film: Film, step: PlaneStep): Film {
  switch (step.step) {
    case 'resize':
      return resize(film, step);
    case 'central-crop':
      return film.left
        ? { ...film, left: { x: narrowed(film.left.x, step.fraction), y: narrowed(film.left.y, step.fraction) } }
        : crop(film, step.fraction);
    case 'percentile-stretch':
      return { ...film, plane: stretch(film.plane, step.low, step.high) };
    case 'quantize':
      return { ...film, plane: quantize(film.plane, step.rounding) };
  }
}

function resize({ plane, geometry, left }: Film, step: Extract<PlaneStep, { step: 'resize' }>): Film {
  const { width, height, kernel } = step;
  if (!left) {
    return {
      plane: resample(plane, width, height, kernel),
      geometry: { x: resizedAxis(geometry.x, width), y: resizedAxis(geometry.y, height) },
    };
  }
  const [x, y] = [inPlane(left.x), inPlane(left.y)];
  const axis = (of: Axis, span: Span, length: number) => resizedAxis(croppedAxis(of, span.start, span.length), length);
  return {
    plane: resamplePart(plane, x, y, width, height, kernel),
    geometry: { x: axis(geometry.x, x, width), y: axis(geometry.y, y, height) },
  };
}

/** What a central crop leaves of a side, in whole pixels. */
function kept(side: number, fraction: number): Span {
  const length = Math.max(1, Math.round(side * fraction));
  return { start: Math.floor((side - length) / 2), length };
}

const whole = (of: Reduced): Left => ({ of, start: 0, length: of.length });

function narrowed({ of, start, length }: Left, fraction: number): Left {
  const inner = kept(length, fraction);
  return { of, start: start + inner.start, length: inner.length };
}

/** The same part in pixels of the smaller film, to a fraction of one, since a score moves with it. */
const inPlane = ({ of: { offset, scale }, start, length }: Left): Span => ({
  start: (start - offset) / scale,
  length: length / scale,
});

function crop({ plane, geometry }: Film, fraction: number): Film {
  const { start: left, length: columns } = kept(plane.columns, fraction);
  const { start: top, length: rows } = kept(plane.rows, fraction);
  const values = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    const start = (top + row) * plane.columns + left;
    values.set(plane.values.subarray(start, start + columns), row * columns);
  }
  return {
    plane: { columns, rows, values },
    geometry: { x: croppedAxis(geometry.x, left, columns), y: croppedAxis(geometry.y, top, rows) },
  };
}

/** The denominator's 0.001 is that of the training code: the model has seen films stretched like this. */
function stretch(plane: Plane, lowPercent: number, highPercent: number): Plane {
  const scratch = plane.values.slice();
  const low = percentile(scratch, lowPercent);
  const high = percentile(scratch, highPercent);
  if (!(high > low)) {
    throw new Failure('constant-image', {
      where: 'percentile-stretch of the preprocessing',
      expected: `percentiles ${lowPercent} and ${highPercent} that differ`,
    });
  }
  const factor = 1 / (high - low + 1e-3);
  const values = mapped(plane.values, (value) => clamp((value - low) * factor, 0, 1) * 255);
  return { ...plane, values };
}

/**
 * Linear between the two nearest ranks, as `numpy.percentile` has it by default. Reorders the values: a whole sort takes
 * longer than everything else of the preprocessing.
 */
function percentile(values: Float32Array, percent: number): number {
  const rank = (percent / 100) * (values.length - 1);
  const below = Math.floor(rank);
  const low = select(values, below);
  if (below === values.length - 1) return low;
  let high = Number.POSITIVE_INFINITY;
  for (let i = below + 1; i < values.length; i++) if (values[i]! < high) high = values[i]!;
  return low + (high - low) * (rank - below);
}

/** The value of that rank (Hoare's selection): afterwards nothing before it is greater, nothing behind it less. */
function select(values: Float32Array, rank: number): number {
  let [from, to] = [0, values.length - 1];
  while (from < to) {
    const pivot = values[(from + to) >> 1]!;
    let [i, j] = [from, to];
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swapped = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swapped;
    }
    if (rank <= j) to = j;
    else if (rank >= i) from = i;
    else break;
  }
  return values[rank]!;
}

function quantize(plane: Plane, rounding: 'floor' | 'nearest'): Plane {
  const add = rounding === 'nearest' ? 0.5 : 0;
  return { ...plane, values: mapped(plane.values, (value) => Math.floor(clamp(value, 0, 255) + add)) };
}

function normalize(plane: Plane, step: Normalization): Float32Array {
  const size = plane.values.length;
  const tensor = new Float32Array(3 * size);
  const ofFilm = step.statistics === 'per-film' ? filmStatistics(plane.values) : null;
  for (let channel = 0; channel < 3; channel++) {
    if (ofFilm && channel > 0) {
      tensor.copyWithin(channel * size, 0, size);
      continue;
    }
    const { mean, std } = ofFilm ?? channelStatistics(step, channel);
    for (let i = 0; i < size; i++) tensor[channel * size + i] = (plane.values[i]! / 255 - mean) / std;
  }
  return tensor;
}

interface Statistics {
  readonly mean: number;
  readonly std: number;
}

function channelStatistics(step: Normalization, channel: number): Statistics {
  return step.statistics === 'fixed' ? { mean: step.mean[channel]!, std: step.std[channel]! } : { mean: 0, std: 1 };
}

/** Mean and sample deviation of a film in 0..1; the 0.001 is that of the training code. */
function filmStatistics(values: Float32Array): Statistics {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! / 255;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! / 255 - mean) ** 2;
  return { mean, std: Math.sqrt(squares / (values.length - 1)) + 1e-3 };
}

/** As `values.map`, in half the time. */
function mapped(values: Float32Array, change: (value: number) => number): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = change(values[i]!);
  return out;
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
