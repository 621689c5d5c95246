import { type Build, bodyLength, gasLength, lungLength } from './phantom-body.ts';
import { addAirways, addVessels, opacityOf } from './phantom-lungs.ts';
import { drawMarker } from './phantom-marker.ts';
import { addSkeleton } from './phantom-skeleton.ts';
import { detector, screenOf, type View } from './phantom-space.ts';
import { blur, fill, type Plane, planeOf, resize, shrink } from './plane.ts';
import { between, fractalOf, type Random, randomOf } from './random.ts';

/**
 * Chest films of nobody: X-rays of 70 keV through a body of ellipsoids, bones and vessels (Beer–Lambert), with scatter,
 * detector blur, quantum noise and the logarithmic response of a digital detector. The same seed draws the same film.
 */

// Taken out once, see random.ts.
const { exp, floor, log, max, min, round, sign, sqrt } = Math;

export type PhantomKind = 'clear' | 'opacity' | 'lateral';

export interface Phantom {
  readonly columns: number;
  readonly rows: number;
  /** 12 bits; air is dark, bone bright (MONOCHROME2). */
  readonly values: Uint16Array;
}

export const filmColumns = 2048;
export const filmRows = 2500;
const fullScale = 4095;

/** Attenuation, 1/cm: soft tissue, and what compact bone adds to it; density of aerated lung over that of tissue. */
const [softTissue, boneExcess, lungDensity] = [0.195, 0.34, 0.25];

interface Scene {
  readonly kind: PhantomKind;
  readonly view: View;
  readonly build: Build;
  readonly random: Random;
  readonly seed: number;
}

/** One film of a kind: `clear` and `opacity` are postero-anterior, `lateral` is a left lateral. Some two seconds of one core. */
export function drawPhantom(kind: PhantomKind, seed: number): Phantom {
  const random = randomOf(seed);
  const build = {
    width: between(random, 0.94, 1),
    breast: between(random, 0, 0.8),
    breath: between(random, -0.6, 0.4),
  };
  const view = kind === 'lateral' ? 'lateral' : 'frontal';
  // All but noise and marker is drawn at half the resolution: the detector's blur is wider than that.
  const dose = withScatter(attenuation({ kind, view, build, random, seed }));
  return { columns: filmColumns, rows: filmRows, values: expose(toneOf(dose, view), dose, random, view) };
}

/** Line integral of the attenuation along each ray. */
function attenuation(scene: Scene): Plane {
  const { kind, random, seed } = scene;
  const size = planeOf(filmColumns / 2, filmRows / 2);
  const { lung, body } = softPlanes(scene, size);
  const { bone, vessel, airway } = shadows(scene, size);
  const opacity = kind === 'opacity' ? opacityOf(random, seed) : () => 0;
  const texture = fractalOf(seed + 1, 3);
  const perColumn = detector.width / size.columns;
  return fill(size, (column, row, index) => {
    const trunk = body.values[index]!;
    if (trunk <= 0) return 0;
    const u = (column + 0.5) * perColumn - detector.width / 2;
    const y = (row + 0.5) * perColumn;
    const aerated = lung.values[index]!;
    let air = airway.values[index]!;
    if (aerated > 0) {
      // Ground glass fills a layer of the lung, not all of its depth.
      const filled = lungDensity * (1 + 0.1 * texture(u / 0.7, y / 0.7)) * aerated + opacity(u, y) * min(aerated, 11);
      air += max(0, aerated - filled - saturating(vessel.values[index]!, min(aerated * 0.8, 2.2)) * (1 - lungDensity));
    }
    return softTissue * max(0, trunk - air) + boneExcess * bone.values[index]! * min(1, trunk);
  });
}

/** Vessels that meet at a hilum lie in one another: their lengths do not add up without end. */
const saturating = (value: number, most: number): number => most * (1 - exp(-value / most));

/** Lengths in lung and body, drawn at a quarter of the film's resolution, where they are smooth. */
function softPlanes({ view, build }: Scene, size: Plane): { readonly lung: Plane; readonly body: Plane } {
  const small = planeOf(size.columns / 2, size.rows / 2);
  const perColumn = detector.width / small.columns;
  const draw = (length: (u: number, y: number) => number) => {
    const plane = fill(small, (column, row) =>
      length((column + 0.5) * perColumn - detector.width / 2, (row + 0.5) * perColumn),
    );
    return resize(plane, size.columns, size.rows);
  };
  return {
    lung: draw((u, y) => lungLength(build, -1, view, u, y) + lungLength(build, 1, view, u, y)),
    body: draw((u, y) => bodyLength(build, view, u, y) - gasLength(build, view, u, y)),
  };
}

function shadows({ view, build, random }: Scene, { columns, rows }: Plane) {
  const cast = (add: (screen: ReturnType<typeof screenOf>) => void): Plane => {
    const screen = screenOf(view, columns, rows);
    add(screen);
    return blur(screen.plane, 1.2);
  };
  const inside = (x: number, y: number) => lungLength(build, sign(x), 'frontal', x * 1.04, y + 0.6) > 2.5;
  return {
    bone: cast((screen) => addSkeleton(screen, { view, width: build.width, random })),
    vessel: cast((screen) => addVessels(screen, random, inside)),
    airway: cast(addAirways),
  };
}

/** Relative dose at the detector: the primary beam, and scatter behind a grid, which is the primary spread over some cm. */
function withScatter(attenuated: Plane): Plane {
  const primary = fill(attenuated, (_column, _row, index) => exp(-attenuated.values[index]!));
  // What passes beside the body scatters nothing.
  const inBody = shrink(
    fill(primary, (_column, _row, index) => min(0.15, primary.values[index]!)),
    8,
  );
  const spread = resize(blur(inBody, 14), primary.columns, primary.rows);
  return fill(primary, (_column, _row, index) => primary.values[index]! + 0.22 * spread.values[index]! + 0.002);
}

/**
 * Film density 0 (black) to 1 (white): the logarithm with some of its coarse contrast taken out and fine contrast put in,
 * as X-ray units process what they show, and a film's soft ends.
 */
function toneOf(dose: Plane, view: View): Plane {
  const density = fill(dose, (_column, _row, index) => -log(dose.values[index]!));
  const coarse = resize(blur(shrink(density, 4), 16), density.columns, density.rows);
  const fine = blur(density, 9);
  const middle = view === 'frontal' ? 2.6 : 3.2;
  return fill(density, (_column, _row, index) => {
    const value = density.values[index]!;
    const around = coarse.values[index]!;
    const balanced = 0.7 * (around - middle) + 1.1 * (value - around) + 0.8 * (value - fine.values[index]!);
    return 1 / (1 + exp(-2.3 * balanced));
  });
}

/** Quanta of a pixel in air, as the detector counts them. */
const quantaInAir = 16_000;

function expose(tone: Plane, dose: Plane, random: Random, view: View): Uint16Array {
  const picture = resize(tone, filmColumns, filmRows).values;
  const values = new Uint16Array(picture.length);
  for (let row = 0, index = 0; row < filmRows; row++) {
    const line = (row >> 1) * dose.columns;
    for (let column = 0; column < filmColumns; column++, index++) {
      const value = picture[index]!;
      // Three numbers out of one make a nearly normal one of variance 1.
      const bits = floor(random() * 2 ** 30);
      const normal = ((bits & 1023) + ((bits >> 10) & 1023) + (bits >> 20)) / 512 - 3;
      const noise = (3 * value * (1 - value) * normal) / sqrt(quantaInAir * dose.values[line + (column >> 1)]!);
      const seen = fullScale * (value + noise) + 0.5;
      values[index] = min(fullScale, max(0, seen));
    }
  }
  if (view === 'frontal') drawMarker(values, filmColumns, round(0.985 * fullScale));
  return values;
}
