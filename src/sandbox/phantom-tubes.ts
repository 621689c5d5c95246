import type { Point, Screen } from './phantom-space.ts';

/** Solids as clouds of small masses: their shadow on a film is exact from any side, overlaps add up. */

// Taken out once, see random.ts.
const { ceil, cos, floor, hypot, max, min, PI, round, sin, sqrt } = Math;

/** Steps of an additive recurrence (generalised golden ratio): its points lie far more evenly than random ones. */
const [stepA, stepB, stepC] = [0.8191725134, 0.6710436067, 0.5497004779];

export interface Tube {
  /** The centre line, from t = 0 to 1, cm. */
  readonly path: (t: number) => Point;
  /** Half axes of the cross-section, along the film's vertical and across it, cm. */
  readonly radii: (t: number) => readonly [height: number, thickness: number];
  /** Density relative to the material, by the distance from the centre line: 0 there, 1 at the surface. */
  readonly density: (radius: number) => number;
  /** Masses for each cm² of shadow. */
  readonly fineness: number;
}

/** Adds a tube with round ends to a film; the cross-section stands upright on the path. */
export function addTube(screen: Screen, tube: Tube): void {
  const { nodes, length } = framed(tube);
  const middle = nodes[nodes.length >> 1]!;
  const count = max(24, round(length * 2 * middle.height * tube.fineness));
  const scale = (PI * (nodes.length - 1)) / count;
  for (let index = 0; index < count; index++) {
    const place = ((index + 0.5) / count) * (nodes.length - 1);
    const node = nodes[floor(place)]!;
    const rest = place % 1;
    const angle = 2 * PI * ((0.5 + index * stepB) % 1);
    const radius = sqrt((0.5 + index * stepC) % 1);
    const rise = node.height * radius * cos(angle);
    const side = node.thickness * radius * sin(angle);
    screen.deposit(
      node.x + node.dx * rest + rise * node.up[0] + side * node.across[0],
      node.y + node.dy * rest + rise * node.up[1],
      node.z + node.dz * rest + rise * node.up[2] + side * node.across[2],
      tube.density(radius) * node.height * node.thickness * node.length * scale,
    );
  }
}

interface Node {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** To the next node. */
  readonly dx: number;
  readonly dy: number;
  readonly dz: number;
  readonly length: number;
  /** Horizontal and at right angles to the path; up at right angles to both. */
  readonly across: Point;
  readonly up: Point;
  readonly height: number;
  readonly thickness: number;
}

function framed({ path, radii }: Tube): { readonly nodes: readonly Node[]; readonly length: number } {
  const rough = distance(path(0), path(0.5)) + distance(path(0.5), path(1));
  const steps = min(160, max(8, ceil(rough * 10)));
  const points = Array.from({ length: steps + 1 }, (_, index) => path(index / steps));
  const lengths = points.slice(1).map((point, index) => distance(points[index]!, point));
  const length = lengths.reduce((sum, part) => sum + part, 0);
  const nodes = points.map((point, index): Node => {
    const next = points[index + 1] ?? point;
    const [dx, dy, dz] = [next[0] - point[0], next[1] - point[1], next[2] - point[2]];
    const [height, thickness] = radii(index / steps);
    const cap = roundEnd(min(index, steps - index) / steps, length / max(height, thickness));
    return {
      x: point[0],
      y: point[1],
      z: point[2],
      dx,
      dy,
      dz,
      length: hypot(dx, dy, dz),
      ...directions(points, index),
      height: height * cap,
      thickness: thickness * cap,
    };
  });
  return { nodes, length };
}

/** Half a circle at the ends: share of the radius at a part of the way from the nearer end. */
function roundEnd(part: number, slenderness: number): number {
  const inwards = min(1, part * slenderness);
  return sqrt(1 - (1 - inwards) ** 2);
}

function directions(points: readonly Point[], index: number): { readonly across: Point; readonly up: Point } {
  const [a, b] = [points[max(0, index - 1)]!, points[min(points.length - 1, index + 1)]!];
  const size = distance(a, b) || 1;
  const [x, y, z] = [(b[0] - a[0]) / size, (b[1] - a[1]) / size, (b[2] - a[2]) / size];
  const flat = hypot(x, z) || 1e-9;
  return { across: [z / flat, 0, -x / flat], up: [-y * (x / flat), flat, -y * (z / flat)] };
}

const distance = (a: Point, b: Point): number => hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);

/** A straight or bent line through points, Catmull–Rom. */
export function through(points: readonly Point[]): Tube['path'] {
  const last = points.length - 1;
  const at = (index: number) => points[min(last, max(0, index))]!;
  return (t) => {
    const index = min(last - 1, floor(t * last));
    const f = t * last - index;
    const [p0, p1, p2, p3] = [at(index - 1), at(index), at(index + 1), at(index + 2)];
    const one = (axis: 0 | 1 | 2) =>
      0.5 *
      (2 * p1[axis] +
        (p2[axis] - p0[axis]) * f +
        (2 * p0[axis] - 5 * p1[axis] + 4 * p2[axis] - p3[axis]) * f * f +
        (3 * p1[axis] - p0[axis] - 3 * p2[axis] + p3[axis]) * f * f * f);
    return [one(0), one(1), one(2)];
  };
}

export interface Block {
  readonly centre: Point;
  readonly half: Point;
  /** Density inside and near the surface. */
  readonly core: number;
  readonly shell: number;
  readonly fineness: number;
}

/** A rounded block (superellipsoid of the fourth power) with a dense surface: a vertebral body. */
export function addBlock(
  screen: Screen,
  { centre: [cx, cy, cz], half: [a, b, c], core, shell, fineness }: Block,
): void {
  const count = round(4 * a * b * fineness);
  const volume = (8 * a * b * c) / count;
  for (let index = 0; index < count; index++) {
    const x = 2 * ((0.5 + index * stepA) % 1) - 1;
    const y = 2 * ((0.5 + index * stepB) % 1) - 1;
    const z = 2 * ((0.5 + index * stepC) % 1) - 1;
    const size = x ** 4 + y ** 4 + z ** 4;
    if (size <= 1) screen.deposit(cx + x * a, cy + y * b, cz + z * c, (size > 0.62 ? shell : core) * volume);
  }
}

/** A thin plate between four corners (in order around it), of a thickness in cm of material. */
export function addPlate(
  screen: Screen,
  [a, b, c, d]: readonly [Point, Point, Point, Point],
  thickness: number,
  fineness: number,
): void {
  const area = (distance(a, b) + distance(c, d)) * (distance(b, c) + distance(d, a)) * 0.25;
  const count = round(area * fineness);
  for (let index = 0; index < count; index++) {
    const [s, t] = [(0.5 + index * stepA) % 1, (0.5 + index * stepB) % 1];
    const at = (axis: 0 | 1 | 2) => (a[axis] * (1 - s) + b[axis] * s) * (1 - t) + (d[axis] * (1 - s) + c[axis] * s) * t;
    screen.deposit(at(0), at(1), at(2), (thickness * area) / count);
  }
}
