import type { Point, Screen, View } from './phantom-space.ts';
import { addBlock, addPlate, addTube, through } from './phantom-tubes.ts';
import { between, type Random } from './random.ts';

/** Bones of the chest, in cm of compact bone. Each hollow bone has a dense cortex and a spongy core. */

const hollow = (cortex: number, core: number, from: number) => (radius: number) => (radius > from ? cortex : core);
const ribDensity = hollow(0.85, 0.22, 0.74);
const longBone = hollow(0.75, 0.25, 0.72);

/** Of each rib: level of its head, largest half width, fall to its front end, angle where its bone ends (180 = sternum). */
const ribs: readonly (readonly [level: number, width: number, fall: number, end: number])[] = [
  [7.5, 6.7, 3.2, 148],
  [9.4, 9.3, 5.2, 151],
  [11.4, 11, 7, 151],
  [13.5, 12.1, 8.5, 149],
  [15.7, 12.9, 9.6, 147],
  [17.9, 13.5, 10.4, 144],
  [20.2, 13.9, 10.8, 140],
  [22.5, 14.1, 10.6, 132],
  [24.9, 14.2, 10, 122],
  [27.4, 14, 9, 110],
  [29.8, 13.2, 9.5, 84],
  [32.2, 12, 13, 50],
];

export interface Frame {
  readonly view: View;
  readonly width: number;
  readonly random: Random;
}

export function addSkeleton(screen: Screen, frame: Frame): void {
  for (const side of [-1, 1]) {
    for (const [index] of ribs.entries()) addRib(screen, side, index, frame);
    addClavicle(screen, side, frame);
    // With raised arms, as on a lateral film, blades and arms are out of the way.
    if (frame.view === 'lateral') continue;
    addScapula(screen, side, frame);
    addHumerus(screen, side, frame);
  }
  addSpine(screen, frame);
  addSternum(screen);
}

/** A tilted ellipse around the thorax: backwards and out from the spine, down to the side, forwards and in. */
function addRib(screen: Screen, side: number, index: number, { width, random }: Frame): void {
  const [level, half, fall, end] = ribs[index]!;
  const [a, c] = [half * width, 4.4 + 5.6 * Math.min(1, (index + 1) / 6)];
  const from = Math.asin(1.7 / a);
  const to = (end * Math.PI) / 180;
  const [shift, wave, phase] = [between(random, -0.15, 0.15), between(random, 0.04, 0.12), between(random, 0, 6)];
  const path = (t: number): Point => {
    const angle = from + (to - from) * t;
    const arch = 0.35 * Math.sin(2 * angle) * (angle < Math.PI / 2 ? 1 : 0.2);
    const drop = fall * ((1 - Math.cos(angle)) / 2) ** 1.08 - arch + wave * Math.sin(4 * angle + phase);
    return [side * a * Math.sin(angle), level + shift + drop, -0.3 - c * Math.cos(angle)];
  };
  const base = index === 0 ? 0.7 : index > 9 ? 0.45 : 0.6;
  const radii = (t: number): [number, number] => [base * (0.92 + 0.28 * t * t - 0.12 * Math.sin(Math.PI * t)), 0.34];
  addTube(screen, { path, radii, density: ribDensity, fineness: 1900 });
}

function addClavicle(screen: Screen, side: number, { width, random }: Frame): void {
  const lift = between(random, -0.3, 0.3);
  const points: Point[] = [
    [side * 1.5, 11.4, 5.6],
    [side * 4.2 * width, 10.5 + lift * 0.3, 5.8],
    [side * 8 * width, 8.7 + lift * 0.6, 3.8],
    [side * 11.6 * width, 7.2 + lift, 1.2],
    [side * 15 * width, 6.9 + lift, -0.4],
  ];
  const radii = (t: number): [number, number] => [0.5 + 0.5 * (1 - t) ** 4 + 0.14 * t ** 3, 0.55];
  addTube(screen, { path: through(points), radii, density: longBone, fineness: 2200 });
}

/** Shoulders are rolled forward for a chest film, so that the blades lie mostly beside the lungs. */
function addScapula(screen: Screen, side: number, { width, random }: Frame): void {
  const out = between(random, -0.3, 0.5);
  const at = (x: number, y: number, z: number): Point => [side * (x * width + out), y, z];
  const edge = (points: readonly Point[], thick: number) =>
    addTube(screen, {
      path: through(points),
      radii: () => [thick, 0.45],
      density: hollow(0.42, 0.28, 0.6),
      fineness: 1900,
    });
  edge([at(16.6, 10.8, -5), at(15.9, 14.5, -7), at(14.4, 18.8, -8.5), at(13.3, 21.2, -9)], 0.38);
  edge([at(11.9, 9.4, -8), at(12.1, 14, -9), at(12.6, 18.5, -9), at(13.3, 21.2, -9)], 0.14);
  edge([at(11.9, 11.6, -9), at(14, 10, -8.6), at(16.2, 8.2, -6.5), at(17.6, 7.4, -4.5), at(18.6, 7.6, -3)], 0.4);
  edge([at(11.9, 9.4, -8), at(13.6, 9, -7), at(15, 9.3, -5.4), at(16.6, 10.2, -5)], 0.2);
  edge([at(16.2, 9.9, -4.6), at(15.2, 9, -3.6), at(14.9, 9.5, -2.6)], 0.34);
  addPlate(screen, [at(11.9, 9.4, -8), at(16.6, 10.4, -5), at(14.6, 18.8, -8.5), at(12.6, 18.6, -9)], 0.2, 2600);
  addPlate(screen, [at(12.6, 18.6, -9), at(14.6, 18.8, -8.5), at(13.5, 21.1, -9), at(13.1, 21.1, -9)], 0.2, 2600);
}

function addHumerus(screen: Screen, side: number, { width }: Frame): void {
  const at = (x: number, y: number): Point => [side * x * width, y, -3];
  addTube(screen, {
    path: through([at(18.6, 8.3), at(18.7, 12.3)]),
    radii: () => [2, 2],
    density: hollow(0.4, 0.18, 0.93),
    fineness: 2200,
  });
  addTube(screen, {
    path: through([at(18.9, 10.5), at(19.6, 16), at(20.2, 24)]),
    radii: (t) => [1.3 - 0.3 * t, 1.3 - 0.3 * t],
    density: hollow(0.9, 0.08, 0.72),
    fineness: 1600,
  });
}

function addSpine(screen: Screen, { random }: Frame): void {
  const lean = between(random, -0.3, 0.3);
  for (let index = -3; index < 15; index++) {
    const y = 7.6 + 2.28 * index + 0.014 * index * index;
    const [x, z] = [lean * Math.sin(index / 4), -6.6 - 1.3 * Math.sin(((index + 2) / 16) * Math.PI)];
    const [wide, high] = [1.4 + 0.05 * Math.max(0, index), 0.9 + 0.015 * index];
    addBlock(screen, { centre: [x, y, z], half: [wide, high, 1.4], core: 0.12, shell: 0.2, fineness: 2400 });
    const part = (points: readonly Point[], radii: (t: number) => [number, number], density = hollow(0.5, 0.2, 0.68)) =>
      addTube(screen, { path: through(points), radii, density, fineness: 2400 });
    for (const side of [-1, 1]) {
      const root = x + side * wide * 0.64;
      part(
        [
          [root, y - 0.25, z - 1.2],
          [root + 0.1 * side, y - 0.15, z - 2.6],
        ],
        () => [0.46, 0.3],
      );
      part(
        [
          [root, y - 0.1, z - 2.4],
          [x + side * (wide + between(random, 1.1, 1.5)), y - 0.4, z - 3.2],
        ],
        (t) => [0.32 + 0.12 * t, 0.32],
        hollow(0.4, 0.2, 0.68),
      );
    }
    part(
      [
        [x, y + 0.4, z - 2.6],
        [x + between(random, -0.1, 0.1), y + 1.5, z - 4.2],
      ],
      () => [0.36, 0.2],
      hollow(0.55, 0.3, 0.6),
    );
  }
}

function addSternum(screen: Screen): void {
  addBlock(screen, { centre: [0, 13, 7.3], half: [2.5, 2.3, 0.55], core: 0.16, shell: 0.3, fineness: 2400 });
  for (let part = 0; part < 4; part++) {
    addBlock(screen, {
      centre: [0, 16.9 + 2.5 * part, 8.4 + 0.25 * part],
      half: [1.6, 1.22, 0.5],
      core: 0.16,
      shell: 0.3,
      fineness: 2400,
    });
  }
}
