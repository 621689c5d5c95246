import { type Plane, planeOf } from './plane.ts';

/**
 * The space that the phantom stands in, in cm: x to the patient's left, y down, z to the front. A frontal film sees it
 * along z with the patient's left at its right side; a lateral film along x with the chest's front at its left side.
 */

// Taken out once, see random.ts.
const { ceil, cos, floor, max, min, PI, sin, sqrt } = Math;

export type View = 'frontal' | 'lateral';
export type Point = readonly [x: number, y: number, z: number];

/** Size of the detector, cm: pixels of 0.171 mm, 2048 columns × 2500 rows. */
export const detector = { width: 35, height: 42.75 } as const;

/** A part of a ray: from, to. Empty when `to` ≤ `from`. */
export type Span = readonly [from: number, to: number];

export const nothing: Span = [0, 0];

/** What a ray at (u, y) of a film meets of a body. The ray runs along z (frontal, u = x) or along x (lateral, u = −z). */
export type Solid = (view: View, u: number, y: number) => Span;

export interface Ellipsoid {
  readonly centre: Point;
  /** Half axes. */
  readonly axes: Point;
  /** Turn in the frontal plane, degrees: the first axis from x towards y. */
  readonly tilt?: number;
}

export function ellipsoid({ centre: [cx, cy, cz], axes: [a, b, c], tilt = 0 }: Ellipsoid): Solid {
  const [turnX, turnY] = [cos((tilt * PI) / 180), sin((tilt * PI) / 180)];
  const xx = (turnX / a) ** 2 + (turnY / b) ** 2;
  const yy = (turnY / a) ** 2 + (turnX / b) ** 2;
  const xy = 2 * turnX * turnY * (1 / a ** 2 - 1 / b ** 2);
  return (view, u, y) => {
    const dy = y - cy;
    if (view === 'frontal') {
      const dx = u - cx;
      const rest = 1 - xx * dx * dx - xy * dx * dy - yy * dy * dy;
      return rest <= 0 ? nothing : around(cz, c * sqrt(rest));
    }
    const discriminant = (xy * dy) ** 2 - 4 * xx * (yy * dy * dy + ((-u - cz) / c) ** 2 - 1);
    return discriminant <= 0 ? nothing : around(cx - (xy * dy) / (2 * xx), sqrt(discriminant) / (2 * xx));
  };
}

export const around = (centre: number, half: number): Span => [centre - half, centre + half];

/** Length of a span that no other span covers. */
export function uncovered([from, to]: Span, covers: readonly Span[]): number {
  let free = 0;
  let reached = from;
  for (const [start, end] of covers.toSorted(([a], [b]) => a - b)) {
    if (end <= start || end <= reached) continue;
    if (start > reached) free += min(start, to) - reached;
    reached = end;
    if (reached >= to) return free;
  }
  return free + to - reached;
}

/** A film that small masses are thrown on: each adds to four pixels, so that mass is kept (cm of material). */
export interface Screen {
  readonly plane: Plane;
  /** Adds a volume, cm³, at a point; what falls beside the film is lost. */
  deposit(x: number, y: number, z: number, volume: number): void;
}

export function screenOf(view: View, columns: number, rows: number): Screen {
  const plane = planeOf(columns, rows);
  const { values } = plane;
  const perCm = columns / detector.width;
  const deposit = (x: number, y: number, z: number, volume: number) => {
    const column = ((view === 'frontal' ? x : -z) + detector.width / 2) * perCm - 0.5;
    const row = y * perCm - 0.5;
    const left = floor(column);
    const top = floor(row);
    if (left < 0 || top < 0 || left >= columns - 1 || top >= rows - 1) return;
    const right = (column - left) * volume * perCm * perCm;
    const whole = volume * perCm * perCm;
    const lower = row - top;
    const index = top * columns + left;
    values[index]! += (whole - right) * (1 - lower);
    values[index + 1]! += right * (1 - lower);
    values[index + columns]! += (whole - right) * lower;
    values[index + columns + 1]! += right * lower;
  };
  return { plane, deposit };
}

/** A smooth curve through knots (x, y), Catmull–Rom, constant beyond the ends; read from a table with a step of 0.02. */
export function curve(knots: readonly (readonly [number, number])[]): (x: number) => number {
  const [first, last] = [knots[0]!, knots.at(-1)!];
  const perUnit = 50;
  const table = Float64Array.from({ length: ceil((last[0] - first[0]) * perUnit) + 2 }, (_, index) =>
    between(knots, min(last[0], first[0] + index / perUnit)),
  );
  return (x) => {
    if (x <= first[0]) return first[1];
    if (x >= last[0]) return last[1];
    const place = (x - first[0]) * perUnit;
    const index = floor(place);
    return table[index]! + (table[index + 1]! - table[index]!) * (place - index);
  };
}

function between(knots: readonly (readonly [number, number])[], x: number): number {
  const next = knots.findIndex(([end]) => end > x);
  const index = (next < 0 ? knots.length - 1 : next) - 1;
  const slope = (at: number) => {
    const [before, after] = [knots[max(0, at - 1)]!, knots[min(knots.length - 1, at + 1)]!];
    return (after[1] - before[1]) / (after[0] - before[0]);
  };
  const [[x0, y0], [x1, y1]] = [knots[index]!, knots[index + 1]!];
  const [t, h] = [(x - x0) / (x1 - x0), x1 - x0];
  const [t2, t3] = [t * t, t * t * t];
  const [bend0, bend1] = [(t3 - 2 * t2 + t) * h * slope(index), (t3 - t2) * h * slope(index + 1)];
  return (2 * t3 - 3 * t2 + 1) * y0 + bend0 + (3 * t2 - 2 * t3) * y1 + bend1;
}
