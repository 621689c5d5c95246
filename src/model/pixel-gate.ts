import { Failure, type FailureCode } from '../core/failure.ts';
import type { Radiograph } from '../core/study.ts';
import { meanChest, meanChestSide as side } from './mean-chest.ts';
import { type Plane, resample } from './resample.ts';

/**
 * What no header tells: whether the pixels show an upright chest at all. A network gives a score to anything; a hip that was
 * filed as a chest must not get one. The film is held against the mean chest, laid over it in many sizes and places.
 */

/**
 * Set on 9,888 chest films of five collections, of which these stop two: one inverted, one upside down. What was "seen" there was
 * measured while the limits were chosen, with a mean chest of all these films.
 */
export const pixelLimits = {
  /** Correlation with the mean chest below which no chest is seen. Seen on upright films: 0.43 and more. */
  likeness: 0.4,
  /** By how much an inverted or turned film fits better than the film as it is. Seen on upright films: 0.17 at most. */
  margin: 0.25,
  /** Share of black and white in the middle of the film. Seen: 0.33 at most. */
  saturated: 0.5,
  /** Standard deviation of the greys of a half of the middle, of a range of 1. Seen: 0.014 at least. */
  halfSpread: 0.004,
} as const;

/** Raises `half-exposed`, `saturated`, `inverted-pixels`, `turned-pixels` or `no-chest-seen`. */
export function expectChest({ columns, rows, pixels }: Radiograph): void {
  const film: Plane = { columns, rows, values: pixels };
  expectExposure(film);
  const { values } = resample(film, side, side, 'triangle');
  const upright = likeness(values);
  const inverted = likeness(values.map((grey) => 1 - grey));
  const turned = Math.max(...turns(values).map(likeness));
  const got = `likeness ${upright.toFixed(2)}; inverted ${inverted.toFixed(2)}, turned ${turned.toFixed(2)}`;
  const better = Math.max(inverted, turned);
  if (better > upright + pixelLimits.margin && better >= pixelLimits.likeness)
    throw stopped(better === inverted ? 'inverted-pixels' : 'turned-pixels', 'an upright chest', got);
  if (upright < pixelLimits.likeness)
    throw stopped('no-chest-seen', `a likeness of at least ${pixelLimits.likeness}`, got);
}

/** The middle 80 % of both sides: collimation at the edge is black on many good films. */
function expectExposure(film: Plane): void {
  const [left, top] = [Math.round(film.columns / 10), Math.round(film.rows / 10)];
  const [right, bottom] = [film.columns - left, film.rows - top];
  const [middle, centre] = [Math.round((left + right) / 2), Math.round((top + bottom) / 2)];
  const upper = [moments(film, left, top, middle, centre), moments(film, middle, top, right, centre)] as const;
  const lower = [moments(film, left, centre, middle, bottom), moments(film, middle, centre, right, bottom)] as const;
  const halves = [[upper[0], lower[0]], [upper[1], lower[1]], upper, lower].map(together);
  const least = Math.min(...halves.map(spreadOf));
  if (least < pixelLimits.halfSpread)
    throw stopped('half-exposed', 'greys in both halves of the film', `a spread of ${least.toFixed(4)} in one`);
  const { extremes, count } = together([...upper, ...lower]);
  const extreme = extremes / Math.max(1, count);
  if (extreme > pixelLimits.saturated)
    throw stopped('saturated', `at most ${pixelLimits.saturated} of the pixels black or white`, extreme.toFixed(2));
}

/** Greys so close to black or white that nothing is seen in them. */
const nearBlack = 3.5 / 255;

/** Sums over the greys of a rectangle. */
interface Moments {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
  /** Pixels that are black or white. */
  readonly extremes: number;
}

function moments({ columns, values }: Plane, left: number, top: number, right: number, bottom: number): Moments {
  let [sum, squares, extremes] = [0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let at = y * columns + left; at < y * columns + right; at++) {
      const grey = values[at]!;
      sum += grey;
      squares += grey * grey;
      if (grey < nearBlack || grey > 1 - nearBlack) extremes += 1;
    }
  }
  return { count: (right - left) * (bottom - top), sum, squares, extremes };
}

const together = (parts: readonly Moments[]): Moments =>
  parts.reduce((a, b) => ({
    count: a.count + b.count,
    sum: a.sum + b.sum,
    squares: a.squares + b.squares,
    extremes: a.extremes + b.extremes,
  }));

/** Standard deviation. */
function spreadOf({ count, sum, squares }: Moments): number {
  const n = Math.max(1, count);
  return Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
}

/** A quarter, a half and three quarters of a turn. */
function turns(values: Float32Array): readonly Float32Array[] {
  const quarter = (from: Float32Array): Float32Array =>
    from.map((_, at) => from[(at % side) * side + (side - 1 - Math.floor(at / side))]!);
  const first = quarter(values);
  const second = quarter(first);
  return [first, second, quarter(second)];
}

/** The mean chest laid somewhere over a film: zero mean and unit length over the cells that it covers. */
interface Placing {
  readonly cells: readonly number[];
  readonly weights: Float64Array;
}

/** Shares of the film's side that the chest may span, and cells that it may lie beyond the edge. */
const spans = [0.55, 0.65, 0.78, 0.9, 1, 1.15];
const overhang = 4;
/** Share of the chest, or of the film where the chest is larger, that must lie on the film. */
const leastCovered = 0.8;

const placings: readonly Placing[] = spans.flatMap((span) => {
  const slack = side - span * side;
  const [from, to, steps] = slack > 0 ? [-overhang, slack + overhang, 7] : [slack - overhang + 1, overhang - 1, 5];
  const offsets = Array.from({ length: steps }, (_, index) => from + ((to - from) * index) / (steps - 1));
  return offsets.flatMap((top) => offsets.flatMap((left) => placed(span, left, top)));
});

function placed(span: number, left: number, top: number): readonly Placing[] {
  const cells: number[] = [];
  const greys: number[] = [];
  for (let at = 0; at < side * side; at++) {
    const x = ((at % side) + 0.5 - left) / span - 0.5;
    const y = (Math.floor(at / side) + 0.5 - top) / span - 0.5;
    if (x < 0 || y < 0 || x > side - 1 || y > side - 1) continue;
    cells.push(at);
    greys.push(between(x, y));
  }
  if (cells.length < leastCovered * Math.min(1, span) ** 2 * side ** 2) return [];
  const mean = greys.reduce((sum, grey) => sum + grey, 0) / greys.length;
  const length = Math.hypot(...greys.map((grey) => grey - mean));
  return [{ cells, weights: Float64Array.from(greys, (grey) => (grey - mean) / length) }];
}

/** The mean chest between its cells, bilinear. */
function between(x: number, y: number): number {
  const [left, top] = [Math.min(side - 2, Math.floor(x)), Math.min(side - 2, Math.floor(y))];
  const row = (at: number) => {
    const [a, b] = [meanChest[at * side + left]!, meanChest[at * side + left + 1]!];
    return a + (b - a) * (x - left);
  };
  return row(top) + (row(top + 1) - row(top)) * (y - top);
}

/** The best correlation of any placing with what it covers, −1 to 1. */
function likeness(values: Float32Array): number {
  let best = -1;
  for (const { cells, weights } of placings) {
    let [dot, sum, squares] = [0, 0, 0];
    for (let k = 0; k < cells.length; k++) {
      const grey = values[cells[k]!]!;
      dot += weights[k]! * grey;
      sum += grey;
      squares += grey * grey;
    }
    const length = Math.sqrt(Math.max(0, squares - sum ** 2 / cells.length));
    if (length > 0) best = Math.max(best, dot / length);
  }
  return best;
}

const stopped = (code: FailureCode, expected: string, got: string): Failure =>
  new Failure(code, { where: 'pixels', expected, got });
