import { type Cell, type FilmWindow, type Place, type Zone, zoneAt } from '../core/lungs.ts';
import type { ActivationMap } from '../core/reading.ts';
import { type Axis, type Geometry, toSource } from './geometry.ts';
import { smoothMap } from './grad-cam.ts';

/** Where on a film a map lies, and where it is hottest. Pure. */

/** Lines of the smooth map for each cell: odd, so that one of them goes through the middle of the cell. */
const linesPerCell = 31;

/** The part of the film that the network saw, and that the map therefore covers. */
export function windowOf({ x, y }: Geometry): FilmWindow {
  const [left, width] = spanOf(x);
  const [top, height] = spanOf(y);
  return { left, top, width, height };
}

function spanOf(axis: Axis): readonly [start: number, length: number] {
  const start = toSource(axis, 0) / axis.sourceLength;
  return [start, toSource(axis, axis.length) / axis.sourceLength - start];
}

export const cellOf = ({ columns, rows }: ActivationMap, { width, height }: FilmWindow): Cell => [
  width / columns,
  height / rows,
];

/** Where the map is hottest, after the smoothing with which it is drawn; null when it has no positive value. */
export function hottestPlace(map: ActivationMap, { left, top, width, height }: FilmWindow): Place | null {
  const smooth = smoothMap(map, map.columns * linesPerCell, map.rows * linesPerCell);
  const peak = smooth.values.reduce((best, value, index) => (value > smooth.values[best]! ? index : best), 0);
  if (!(smooth.values[peak]! > 0)) return null;
  const column = peak % smooth.columns;
  const row = Math.floor(peak / smooth.columns);
  return [left + ((column + 0.5) / smooth.columns) * width, top + ((row + 0.5) / smooth.rows) * height];
}

/** Its zone, if the film stands as usual. */
export function hottestZone(map: ActivationMap, window: FilmWindow): Zone | null {
  const place = hottestPlace(map, window);
  return place && zoneAt(place, cellOf(map, window));
}
