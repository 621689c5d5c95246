/**
 * Where the lungs of a frontal adult chest are expected to lie: a fixed template, never made from the film itself. A threshold
 * on the image would leave out the very opacities that are looked for. Places are shares of the film's width and height from
 * its top left corner, of a film in the usual orientation: the patient's right at the left edge, the head at the top.
 */

/** [across, down], 0 to 1. */
export type Place = readonly [x: number, y: number];

/** The part of a film that a map covers, as shares of the film. */
export interface FilmWindow {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const wholeFilm: FilmWindow = { left: 0, top: 0, width: 1, height: 1 };

/** Width and height of a map's cell, as shares of the film. */
export type Cell = readonly [width: number, height: number];

export type Side = 'right' | 'left';
export type Level = 'upper' | 'middle' | 'lower';
/** Of the patient. `between-lungs`: near the midline, in neither. `outside-lungs`: more than a cell away from both. */
export type Zone = `${Side}-${Level}` | 'between-lungs' | 'outside-lungs';

export const zones = [
  'right-upper',
  'right-middle',
  'right-lower',
  'left-upper',
  'left-middle',
  'left-lower',
  'between-lungs',
  'outside-lungs',
] as const satisfies readonly Zone[];

/** Corners of each lung, clockwise from the apex on the patient's left and the other way round on the right. */
export const lungTemplate: Readonly<Record<Side, readonly Place[]>> = {
  right: [
    [0.335, 0.105],
    [0.4, 0.14],
    [0.44, 0.24],
    [0.455, 0.4],
    [0.45, 0.55],
    [0.44, 0.66],
    [0.42, 0.74],
    [0.3, 0.75],
    [0.2, 0.8],
    [0.12, 0.84],
    [0.1, 0.7],
    [0.115, 0.5],
    [0.15, 0.33],
    [0.2, 0.2],
    [0.265, 0.125],
  ],
  left: [
    [0.665, 0.105],
    [0.6, 0.14],
    [0.56, 0.24],
    [0.55, 0.38],
    [0.565, 0.48],
    [0.61, 0.58],
    [0.64, 0.68],
    [0.66, 0.76],
    [0.75, 0.79],
    [0.88, 0.84],
    [0.9, 0.7],
    [0.885, 0.5],
    [0.85, 0.33],
    [0.8, 0.2],
    [0.735, 0.125],
  ],
};

const sides = ['right', 'left'] as const satisfies readonly Side[];

type Edge = readonly [Place, Place];
const edgesOf = (corners: readonly Place[]): readonly Edge[] =>
  corners.map((corner, index) => [corner, corners[(index + 1) % corners.length]!]);
const edges = { right: edgesOf(lungTemplate.right), left: edgesOf(lungTemplate.left) };

/** Whether a place lies in either lung of the template. */
export const inLungs = (place: Place): boolean => sides.some((side) => isInside(edges[side], place));

/** Distance of a place from the nearest lung, in cells; 0 inside. */
export const lungDistance = (place: Place, cell: Cell): number =>
  Math.min(...sides.map((side) => distance(edges[side], place, cell)));

/** Nearer to the midline than this many cells, a place in neither lung is on no side. */
const midline = 0.5;

/** The zone of a place of a film in the usual orientation; up to one cell beside a lung counts as that lung. */
export function zoneAt(place: Place, cell: Cell): Zone {
  const [x, y] = place;
  const [right, left] = sides.map((side) => distance(edges[side], place, cell)) as [number, number];
  if (Math.min(right, left) > 1) return 'outside-lungs';
  const inNeither = Math.min(right, left) > 0;
  if (inNeither && Math.abs(x - 0.5) < midline * cell[0]) return 'between-lungs';
  const side = right < left ? 'right' : 'left';
  return `${side}-${levelAt(y, side)}`;
}

/** Thirds of the template's height, from apex to costophrenic angle. */
function levelAt(y: number, side: Side): Level {
  const heights = lungTemplate[side].map(([, height]) => height);
  const top = Math.min(...heights);
  const third = (Math.max(...heights) - top) / 3;
  if (y < top + third) return 'upper';
  return y < top + 2 * third ? 'middle' : 'lower';
}

/** Even-odd rule. */
function isInside(lung: readonly Edge[], [x, y]: Place): boolean {
  let inside = false;
  for (const [[x0, y0], [x1, y1]] of lung) {
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  }
  return inside;
}

function distance(lung: readonly Edge[], place: Place, cell: Cell): number {
  if (isInside(lung, place)) return 0;
  return Math.min(...lung.map(([from, to]) => toEdge(place, from, to, cell)));
}

function toEdge([x, y]: Place, [x0, y0]: Place, [x1, y1]: Place, [width, height]: Cell): number {
  const [alongX, alongY] = [(x1 - x0) / width, (y1 - y0) / height];
  const [fromX, fromY] = [(x - x0) / width, (y - y0) / height];
  const share = Math.min(1, Math.max(0, (fromX * alongX + fromY * alongY) / (alongX ** 2 + alongY ** 2)));
  return Math.hypot(fromX - share * alongX, fromY - share * alongY);
}
