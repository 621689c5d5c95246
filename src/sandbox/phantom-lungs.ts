import type { Point, Screen } from './phantom-space.ts';
import { addTube, through } from './phantom-tubes.ts';
import { between, fractalOf, type Noise, type Random } from './random.ts';

/** What fills the lungs: the vessel tree, airways, and the opacities of a sick one. */

// Taken out once, see random.ts.
const { cos, exp, max, min, PI, sin } = Math;

/** Directions of the first branches at a hilum, degrees from outwards, positive down; radius in cm. */
const stems: readonly (readonly [angle: number, radius: number])[] = [
  [-86, 0.26],
  [-70, 0.33],
  [-55, 0.3],
  [-40, 0.34],
  [-22, 0.28],
  [-6, 0.27],
  [8, 0.3],
  [20, 0.3],
  [34, 0.36],
  [48, 0.36],
  [60, 0.42],
  [74, 0.4],
];

/** The artery of the lower lobe, from the hilum down: the thickest shadow beside the heart. */
const lowerArteries: readonly (readonly Point[])[] = [
  [
    [-2.2, 18.8, 0],
    [-3.6, 19.6, -0.5],
    [-4.3, 21.6, -1],
    [-4.9, 24.4, -1.5],
  ],
  [
    [2.4, 17.6, 0],
    [4, 18.6, -0.8],
    [4.9, 20.6, -1.4],
    [5.5, 23.2, -2],
  ],
];

interface Branch {
  readonly from: Point;
  /** Radians from outwards, positive down. */
  readonly angle: number;
  readonly radius: number;
}

interface Growth {
  readonly screen: Screen;
  readonly side: number;
  readonly random: Random;
  /** Whether a point of the frontal plane lies well inside the lung. */
  readonly inside: (x: number, y: number) => boolean;
}

/** Vessels from the hila to the periphery: tissue in the place of air, cm. */
export function addVessels(screen: Screen, random: Random, inside: Growth['inside']): void {
  for (const [index, points] of lowerArteries.entries()) {
    const side = index === 0 ? -1 : 1;
    const growth: Growth = { screen, side, random, inside };
    const artery = through(points);
    addTube(screen, {
      path: artery,
      radii: (t) => [0.72 - 0.3 * t, 0.72 - 0.3 * t],
      density: solid,
      fineness: 1600,
    });
    const [, hilum] = points as readonly [Point, Point];
    for (const [angle, radius] of stems) {
      const from: Point =
        angle > 30
          ? artery(between(random, 0.4, 0.95))
          : [hilum[0] + between(random, -1, 0.6), hilum[1] + between(random, -1.1, 1.1), 0];
      grow(growth, { from, angle: radians(angle + between(random, -7, 7)), radius: radius * 1.2 }, 0);
    }
    for (const angle of [35, 62, 84]) grow(growth, { from: artery(1), angle: radians(angle), radius: 0.36 }, 0);
  }
}

const radians = (degrees: number): number => (degrees * PI) / 180;
const solid = () => 1;
const thinnest = 0.03;

function grow(growth: Growth, { from, angle, radius }: Branch, order: number): void {
  const { screen, side, random, inside } = growth;
  const length = min(2.8, 0.45 + 4 * radius ** 0.7) * between(random, 0.7, 1.25);
  const bend = between(random, -0.4, 0.4);
  const depth = between(random, -0.9, 0.9);
  const step = (share: number, turn: number): Point => [
    from[0] + side * cos(angle + turn) * length * share,
    from[1] + sin(angle + turn) * length * share,
    from[2] + depth * length * share,
  ];
  const points = [from, step(0.5, bend * 0.5), step(1, bend)];
  const end = points[2]!;
  const taper = (t: number): [number, number] => [radius * (1 - 0.18 * t), radius * (1 - 0.18 * t)];
  addTube(screen, { path: through(points), radii: taper, density: solid, fineness: 1100 });
  if (order > 0 && !inside(end[0], end[1])) return;
  const heading = angle + bend;
  const fork = between(random, 0.35, 0.75);
  const leaning = random() < 0.5 ? 1 : -1;
  const [main, minor] = [radius * between(random, 0.76, 0.88), radius * between(random, 0.5, 0.72)];
  if (main > thinnest) grow(growth, { from: end, angle: heading - leaning * fork * 0.35, radius: main }, order + 1);
  if (minor > thinnest) grow(growth, { from: end, angle: heading + leaning * fork, radius: minor }, order + 1);
}

/** Windpipe and main bronchi: air in the place of tissue, cm. */
export function addAirways(screen: Screen): void {
  const airway = (points: readonly Point[], from: number, to: number) => {
    const radii = (t: number): [number, number] => [from + (to - from) * t, from + (to - from) * t];
    addTube(screen, { path: through(points), radii, density: solid, fineness: 1600 });
  };
  airway(
    [
      [0.1, -1.5, -1.5],
      [0.1, 8, -2],
      [-0.1, 14, -2.8],
      [-0.2, 18, -3.2],
    ],
    0.82,
    0.85,
  );
  airway(
    [
      [-0.2, 17.2, -3.2],
      [-1.7, 19.4, -3.2],
      [-2.9, 21.6, -3],
    ],
    0.6,
    0.42,
  );
  airway(
    [
      [0, 17.2, -3.2],
      [2.2, 19.2, -3.2],
      [4.4, 20.6, -3],
    ],
    0.55,
    0.38,
  );
}

interface Patch {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly strength: number;
}

/**
 * Ground glass: extra density of the lung, relative to water, by place in the frontal plane. Several fuzzy patches on
 * both sides, in the outer part of the middle and lower zones, uneven inside, as in viral pneumonia.
 */
export function opacityOf(random: Random, seed: number): Noise {
  const patches = [-1, 1].flatMap((side) => [
    patchAt(random, side, [10.2, 12], [23.5, 25.5], [1.9, 2.5], 0.36),
    patchAt(random, side, [8.6, 11.4], [26.6, 28.6], [2, 2.8], 0.4),
    patchAt(random, side, [10.5, 12], [19.5, 22], [1.2, 1.9], 0.24),
    patchAt(random, side, [5.5, 8], [25.5, 28], [1.4, 2.2], 0.24),
  ]);
  const [warp, mottle, grain] = [fractalOf(seed + 11, 3), fractalOf(seed + 23, 4), fractalOf(seed + 37, 2)];
  return (x, y) => {
    if (y < 15) return 0;
    const [wx, wy] = [x + 1.5 * warp(x / 2.6, y / 2.6), y + 1.5 * warp(y / 2.6 + 50, x / 2.6)];
    const clear = patches.reduce(
      (product, patch) => product * (1 - patch.strength * bump(wx - patch.x, wy - patch.y, patch.size)),
      1,
    );
    if (clear > 0.998) return 0;
    const uneven = 1 + 0.75 * mottle(x / 1.6, y / 1.6) + 0.25 * grain(x / 0.35, y / 0.35);
    return max(0, (1 - clear) * uneven);
  };
}

type Range = readonly [least: number, most: number];

function patchAt(random: Random, side: number, x: Range, y: Range, size: Range, strength: number): Patch {
  const one = (range: Range) => between(random, range[0], range[1]);
  return { x: side * one(x), y: one(y), size: one(size), strength: strength * between(random, 0.75, 1.1) };
}

const bump = (dx: number, dy: number, size: number): number =>
  exp(-(((dx * dx + (dy * dy) / 1.5) / (size * size)) ** 1.3));
