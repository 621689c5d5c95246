import { Failure } from '../core/failure.ts';
import type { Radiograph } from '../core/study.ts';
import { croppedAxis, type Geometry, identityAxis, resizedAxis } from './geometry.ts';
import { isNormalization, type Normalization, type PlaneStep, type Step } from './preprocess-steps.ts';
import { type Plane, resample } from './resample.ts';

/** From a radiograph to the network's input, as the manifest's steps say. */

export interface Prepared {
  /** 1 × 3 × height × width; the three channels of a film are equal before a fixed normalisation. */
  readonly tensor: Float32Array;
  readonly geometry: Geometry;
}

interface Film {
  readonly plane: Plane;
  readonly geometry: Geometry;
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
export function preparePlane({ columns, rows, pixels }: Radiograph, steps: readonly Step[]): Film {
  const film: Film = {
    plane: { columns, rows, values: pixels },
    geometry: { x: identityAxis(columns), y: identityAxis(rows) },
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
      return {
        plane: resample(film.plane, step.width, step.height, step.kernel),
        geometry: { x: resizedAxis(film.geometry.x, step.width), y: resizedAxis(film.geometry.y, step.height) },
      };
    case 'central-crop':
      return crop(film, step.fraction);
    case 'percentile-stretch':
      return { ...film, plane: stretch(film.plane, step.low, step.high) };
    case 'quantize':
      return { ...film, plane: quantize(film.plane, step.rounding) };
  }
}

function crop({ plane, geometry }: Film, fraction: number): Film {
  const columns = Math.max(1, Math.round(plane.columns * fraction));
  const rows = Math.max(1, Math.round(plane.rows * fraction));
  const left = Math.floor((plane.columns - columns) / 2);
  const top = Math.floor((plane.rows - rows) / 2);
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
