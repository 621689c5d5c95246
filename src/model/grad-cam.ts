import type { ActivationMap, Decision, ImageReading } from '../core/reading.ts';
import { areaOf, contours, type Grid, type Point } from './contour.ts';
import { type Axis, type Geometry, toSource } from './geometry.ts';
import { type Plane, resample } from './resample.ts';

/** From a map of 7 × 7 cells to places in the source matrix. */

export type Region = ImageReading['region'];

/** Grid lines for each cell: odd, so that one of them goes through the middle of the cell. */
const linesPerCell = 5;
/** Points of a region, the repeated one counted: viewers draw it, and an SR carries it as text. */
const mostPoints = 200;
const levelOfMaximum = 0.5;

/** The map in finer steps, smooth between the middles of its cells, where it keeps its values; never below 0. */
export function smoothMap(map: ActivationMap, columns: number, rows: number): Plane {
  const plane = { columns: map.columns, rows: map.rows, values: Float32Array.from(map.values) };
  const smooth = resample(plane, columns, rows, 'bicubic');
  // The plane is ours: a loop in place takes a third of the time of `map`.
  const { values } = smooth;
  for (let i = 0; i < values.length; i++) if (!(values[i]! > 0)) values[i] = 0;
  return smooth;
}

/**
 * Closed polyline around the largest place where the map is at least half its maximum, [column, row] of the source from
 * 0.0, 0.0; at most 200 points. The whole image when the map has no positive value or the decision is absent.
 */
export function regionOf(map: ActivationMap, geometry: Geometry, decision: Decision): Region {
  const maximum = map.values.reduce((most, value) => Math.max(most, value), 0);
  if (decision === 'absent' || !(maximum > 0)) return wholeImage(geometry);
  const lines = contours(gridOf(map, geometry), maximum * levelOfMaximum);
  const largest = lines.reduce<readonly Point[]>((best, line) => (areaOf(line) > areaOf(best) ? line : best), []);
  const outline = thinned(largest.map(([x, y]): Point => [hundredth(x), hundredth(y)]));
  return outline.length < 4 ? wholeImage(geometry) : outline;
}

function wholeImage({ x, y }: Geometry): Region {
  const [right, bottom] = [x.sourceLength, y.sourceLength];
  return [
    [0, 0],
    [right, 0],
    [right, bottom],
    [0, bottom],
    [0, 0],
  ];
}

const hundredth = (value: number): number => Math.round(value * 100) / 100;

/**
 * The smoothed map on lines of the source. Around it lie two more lines at each edge of what the network saw: one that
 * repeats the values, one below every level, so that a region at the edge is closed along the edge.
 */
function gridOf(map: ActivationMap, { x, y }: Geometry): Grid {
  const { columns, rows, values } = smoothMap(map, map.columns * linesPerCell, map.rows * linesPerCell);
  const xs = linesOf(x, columns);
  const ys = linesOf(y, rows);
  const inside = (index: number, count: number) => Math.min(count - 1, Math.max(0, index));
  const padded = ys.flatMap((_, row) =>
    xs.map((_, column) => {
      const outside = row === 0 || row === ys.length - 1 || column === 0 || column === xs.length - 1;
      return outside ? -1 : values[inside(row - 2, rows) * columns + inside(column - 2, columns)]!;
    }),
  );
  return { x: xs, y: ys, values: padded };
}

function linesOf(axis: Axis, count: number): readonly number[] {
  const inner = Array.from({ length: count }, (_, i) => toSource(axis, ((i + 0.5) / count) * axis.length));
  const [start, end] = [toSource(axis, 0), toSource(axis, axis.length)];
  return [start, start, ...inner, end, end];
}

/** Without repeated points, and with every n-th of them when there are too many. */
function thinned(line: readonly Point[]): readonly Point[] {
  const open = line.slice(0, -1).filter(([x, y], i, all) => {
    const [beforeX, beforeY] = all.at(i - 1)!;
    return x !== beforeX || y !== beforeY;
  });
  const step = Math.ceil(open.length / (mostPoints - 1));
  const kept = open.filter((_, i) => i % step === 0);
  return kept[0] ? [...kept, kept[0]] : [];
}
