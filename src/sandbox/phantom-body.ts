import {
  around,
  curve,
  type Ellipsoid,
  ellipsoid,
  nothing,
  type Solid,
  type Span,
  uncovered,
  type View,
} from './phantom-space.ts';

/** Soft parts of an adult chest: what is tissue, what is lung. Measures in cm, from textbooks of anatomy, rounded. */

// Taken out once, see random.ts.
const { abs, max, sqrt } = Math;

export interface Build {
  /** Half the inner width of the thorax over that of the model. */
  readonly width: number;
  /** Breast thickness, 0 to 1. */
  readonly breast: number;
  /** Shift of the diaphragm, positive = deeper breath. */
  readonly breath: number;
}

/** By level: outer and inner wall of a lung from the midline, half its depth, the middle of that. */
const wall = curve([
  [6.5, 3.7],
  [6.56, 4.2],
  [6.75, 4.8],
  [7.2, 5.5],
  [8, 6.4],
  [9, 7.1],
  [12, 9.1],
  [15, 10.7],
  [18, 11.8],
  [21, 12.6],
  [24, 13.1],
  [28, 13.5],
  [34, 13.7],
]);
const inner = curve([
  [6.5, 3.7],
  [6.56, 3.2],
  [6.75, 2.7],
  [7.2, 2.2],
  [9, 1.3],
  [12, 0.6],
  [16, 0.3],
]);
const depth = curve([
  [6.5, 0.5],
  [7.2, 2],
  [9, 3.5],
  [12, 5.6],
  [16, 7.6],
  [21, 8.8],
  [27, 9.3],
  [34, 9.3],
]);
const middle = curve([
  [6.5, -2],
  [12, -1],
  [20, 0],
  [34, 0.2],
]);
const bodyWidth = curve([
  [0, 5.6],
  [2, 6.2],
  [4, 8.6],
  [5.5, 12.4],
  [7, 15.8],
  [9, 18],
  [12, 17.6],
  [15, 16.3],
  [19, 15.9],
  [28, 15.9],
  [43, 15.7],
]);
const bodyDepth = curve([
  [0, 6],
  [4, 6.6],
  [8, 8.2],
  [12, 10],
  [18, 11.2],
  [26, 11.7],
  [43, 11.4],
]);

/** Half the width that a lateral film meets: the arms are raised. */
const sideWidth = curve([
  [0, 5.2],
  [5, 7],
  [10, 11],
  [16, 14],
  [24, 15],
  [43, 15.2],
]);

/** Heart, great vessels, gullet and spine: what fills the space between the lungs. */
const fillers: readonly Ellipsoid[] = [
  // left ventricle, right atrium, left atrium, outflow, fat at the apex
  { centre: [2.5, 25.2, 2], axes: [6.6, 5, 4.8], tilt: 40 },
  { centre: [-1.1, 25.2, 1.4], axes: [3.5, 4.7, 4.4] },
  { centre: [0.5, 22.6, -2], axes: [3.7, 3.4, 3.2] },
  { centre: [2, 21.4, 2.6], axes: [2.9, 5, 3.2], tilt: -12 },
  { centre: [0.8, 26.5, 0], axes: [4.2, 6, 6] },
  { centre: [5.8, 29.4, 3], axes: [3.2, 1.5, 2.6], tilt: 18 },
  // superior vena cava, ascending aorta, arch, pulmonary trunk, descending aorta
  { centre: [-1.6, 15, 0.4], axes: [1.45, 9, 2.4], tilt: 3 },
  { centre: [-0.6, 18, 2], axes: [2.7, 5, 3] },
  { centre: [1.9, 14.4, -1], axes: [1.85, 1.9, 3.2], tilt: 30 },
  { centre: [2.2, 17.9, 1.6], axes: [2, 2.4, 2.4] },
  { centre: [1.5, 24.5, -4.8], axes: [1.35, 13, 1.35], tilt: 1.5 },
  // great vessels of the arms and neck, central tissue, spine
  { centre: [1.5, 10.4, -1], axes: [1.5, 6, 2.6], tilt: -5 },
  { centre: [-1.7, 9.4, 0], axes: [1.5, 5, 2.4], tilt: 6 },
  { centre: [0, 18, -0.5], axes: [2.1, 18, 6.5] },
  { centre: [0.1, 21, -9.6], axes: [3.4, 40, 4.6] },
];
const mediastinum: readonly Solid[] = fillers.map(ellipsoid);

const arms: readonly Solid[] = [-1, 1].map((side) =>
  ellipsoid({ centre: [side * 20.6, 17, 0.5], axes: [4.1, 11, 4.6] }),
);

/** (|p|/w)^n + (q/d)² ≤ 1, solved for q at a given p: half the length of the cut. */
const halfCut = (p: number, w: number, d: number, n: number): number => {
  const rest = 1 - (abs(p) / w) ** n;
  return rest <= 0 ? 0 : d * sqrt(rest);
};

/** The same, solved for p at a given q. */
const halfSpread = (q: number, w: number, d: number, n: number): number => {
  const rest = 1 - (q / d) ** 2;
  return rest <= 0 ? 0 : w * rest ** (1 / n);
};

/** The pleural space of one side, heart and diaphragm not yet taken out. */
function cavity(side: number, view: View, u: number, y: number, width: number): Span {
  if (y < 6.5) return nothing;
  const [outer, medial, half, z0] = [wall(y) * width, inner(y), depth(y), middle(y)];
  const [centre, spread] = [(outer + medial) / 2, (outer - medial) / 2];
  if (view === 'frontal') return around(z0, halfCut(side * u - centre, spread, half, 2.8));
  return around(side * centre, halfSpread(-u - z0, spread, half, 2.8));
}

/** Of the diaphragm: its highest point, and how far (cm) it falls over which reach to the side, middle, back and front. */
const dome = { right: { top: 28.6, x: 6 }, left: { top: 29.8, x: 6.6 }, z: 1.5 } as const;
const fall = { side: 5, middle: 1.4, back: 6.5, front: 2.4 } as const;
const reach = { side: 7.2, middle: 5.5, back: 8.6, front: 8 } as const;

/** What lies below the diaphragm of one side. */
function belowDiaphragm(side: number, view: View, u: number, y: number, breath: number): Span {
  const { top, x } = side < 0 ? dome.right : dome.left;
  const under = y - top - breath;
  if (under <= 0) return nothing;
  if (view === 'frontal') {
    const away = side * u - x;
    const rest = under - (away > 0 ? fall.side * (away / reach.side) ** 2.4 : fall.middle * (away / reach.middle) ** 2);
    if (rest <= 0) return nothing;
    return [dome.z - reach.back * sqrt(rest / fall.back), dome.z + reach.front * sqrt(rest / fall.front)];
  }
  const away = -u - dome.z;
  const rest = under - (away < 0 ? fall.back * (away / reach.back) ** 2 : fall.front * (away / reach.front) ** 2);
  if (rest <= 0) return nothing;
  const lateral = x + reach.side * (rest / fall.side) ** (1 / 2.4);
  const medial = x - reach.middle * sqrt(rest / fall.middle);
  return side < 0 ? [-lateral, -medial] : [medial, lateral];
}

/** Lung that a ray at (u, y) passes on one side (−1 right, 1 left), cm. */
export function lungLength(build: Build, side: number, view: View, u: number, y: number): number {
  const space = cavity(side, view, u, y, build.width);
  if (space[1] <= space[0]) return 0;
  const covers = [belowDiaphragm(side, view, u, y, build.breath)];
  for (const solid of mediastinum) {
    const span = solid(view, u, y);
    if (span[1] > span[0]) covers.push(span);
  }
  return uncovered(space, covers);
}

/** Gas in the stomach, under the left dome; its lower edge is the level of the fluid below it. */
const bubble = ellipsoid({ centre: [6.2, 32.6, 2], axes: [3, 1.5, 2.6], tilt: 8 });
const fluidLevel = 33.2;

export function gasLength(build: Build, view: View, u: number, y: number): number {
  const [from, to] = bubble(view, u, y - build.breath);
  return y - build.breath < fluidLevel ? to - from : 0;
}

/** A breast lies on the wall: full below, fading upwards. */
function breastLength(build: Build, u: number, y: number): number {
  const [dx, dy] = [(abs(u) - 7.6) / 5.8, y - 26.2];
  const rest = 1 - dx * dx - (dy / (dy > 0 ? 5 : 9.5)) ** 2;
  return rest <= 0 ? 0 : 3.2 * build.breast * rest ** (dy > 0 ? 0.9 : 1.4);
}

/** Pectoral muscles, fuller near the armpit. */
function muscleLength(u: number, y: number): number {
  const [dx, dy] = [(abs(u) - 9.4) / 6.6, (y - 15.5) / 7];
  const rest = 1 - dx * dx - dy * dy;
  return rest <= 0 ? 0 : 1.5 * rest ** 1.2;
}

/** All of the body that a ray meets, lungs included, cm. */
export function bodyLength(build: Build, view: View, u: number, y: number): number {
  const [w, d] = [bodyWidth(y) * (0.35 + 0.65 * build.width), bodyDepth(y)];
  if (view === 'lateral') return 2 * halfSpread(-u, sideWidth(y), d, 3.4);
  const trunk = 2 * halfCut(u, w, d, 3.2);
  const limbs = arms.map((arm) => arm(view, u, y)).reduce((longest, [from, to]) => max(longest, to - from), 0);
  return max(trunk, limbs) + breastLength(build, u, y) + muscleLength(u, y);
}
