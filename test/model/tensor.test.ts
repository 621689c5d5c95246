import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Radiograph } from '../../src/core/study.ts';
import { toModel, toSource } from '../../src/model/geometry.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';
import type { Step } from '../../src/model/preprocess-steps.ts';
import { uniform } from '../../src/model/random.ts';
import { resample } from '../../src/model/resample.ts';
import { preparePlane, preprocess } from '../../src/model/tensor.ts';
import { bytesOf, floatsOf, python, temporaryFolder, testWithPython } from './python.ts';

const perFilm: Step = { step: 'normalize', statistics: 'per-film' };
const resize = (side: number, kernel: 'bicubic' | 'lanczos3' | 'triangle'): Step => ({
  step: 'resize',
  width: side,
  height: side,
  kernel,
});

/** As the training code says: one plan for each way that a manifest may go. */
const plans: Readonly<Record<string, readonly Step[]>> = {
  'shipped order': [
    resize(224, 'bicubic'),
    { step: 'percentile-stretch', low: 1, high: 99 },
    { step: 'quantize', rounding: 'floor' },
    perFilm,
  ],
  'every resize of the training': [
    resize(224, 'lanczos3'),
    { step: 'quantize', rounding: 'nearest' },
    resize(240, 'bicubic'),
    { step: 'percentile-stretch', low: 1, high: 99 },
    { step: 'quantize', rounding: 'floor' },
    resize(224, 'triangle'),
    perFilm,
  ],
  'crop and fixed statistics': [
    { step: 'central-crop', fraction: 0.87 },
    resize(224, 'triangle'),
    { step: 'normalize', statistics: 'fixed', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  ],
};

function noise(columns: number, rows: number, seed: number): Radiograph {
  const draw = uniform(seed);
  return { columns, rows, pixels: Float32Array.from({ length: columns * rows }, draw), pixelAspect: 1 };
}

const films: Readonly<Record<string, Radiograph>> = {
  'a drawn film': goldenRadiograph(7),
  'noise, wide, strongly reduced': noise(1531, 733, 3),
  'noise, smaller than the network': noise(101, 180, 4),
};

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
};

describe('preprocessing', () => {
  testWithPython('equals Pillow and numpy within 1 grey level, because the model was trained on their films', () => {
    const folder = temporaryFolder();
    const cases = Object.values(films).flatMap((film) => Object.values(plans).map((steps) => ({ film, steps })));
    const jobs = cases.map(({ film: { columns, rows, pixels }, steps }, i) => {
      writeFileSync(join(folder, `${i}.film`), bytesOf(pixels));
      const name = (what: string) => join(folder, `${i}.${what}`);
      return { film: name('film'), columns, rows, steps, plane: name('plane'), tensor: name('tensor') };
    });
    python('preprocess.py', folder, jobs);
    cases.forEach(({ film, steps }, i) => {
      const plane = floatsOf(readFileSync(join(folder, `${i}.plane`)));
      expect(largestDifference(preparePlane(film, steps).plane.values, plane)).toBeLessThanOrEqual(1);
      const tensor = floatsOf(readFileSync(join(folder, `${i}.tensor`)));
      expect(largestDifference(preprocess(film, steps).tensor, tensor)).toBeLessThan(0.03);
    });
  });

  testWithPython('of 8-bit films equals the picture of the training code within 1 level before the stretch', () => {
    const folder = temporaryFolder();
    const film = goldenRadiograph(11);
    const levels = Uint8Array.from(film.pixels, (pixel) => Math.round(pixel * 255));
    writeFileSync(join(folder, 'film'), levels);
    const { columns, rows } = film;
    python('films.py', folder, [{ film: join(folder, 'film'), columns, rows, plane: join(folder, 'plane') }]);
    const trained = readFileSync(join(folder, 'plane'));
    const same: Radiograph = {
      columns,
      rows,
      pixels: Float32Array.from(levels, (level) => level / 255),
      pixelAspect: 1,
    };
    const ours = preparePlane(same, plans['shipped order']!).plane.values;
    // The stretch multiplies the rounding that Pillow does between its two passes by 255 / (high - low), here below 2.
    expect(largestDifference(ours, trained)).toBeLessThanOrEqual(2);
    const mean = ours.reduce((sum, value, i) => sum + Math.abs(value - trained[i]!), 0) / ours.length;
    expect(mean).toBeLessThan(0.5);
  });

  test('normalises each film to mean 0 and deviation 1, because exposure must not decide', () => {
    const { tensor } = preprocess(goldenRadiograph(3), plans['shipped order']!);
    expect(tensor).toHaveLength(3 * 224 * 224);
    const channel = tensor.subarray(224 * 224, 2 * 224 * 224);
    const mean = channel.reduce((sum, value) => sum + value, 0) / channel.length;
    const deviation = Math.sqrt(channel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (channel.length - 1));
    expect(mean).toBeCloseTo(0, 4);
    expect(deviation).toBeGreaterThan(0.99);
    expect(deviation).toBeLessThanOrEqual(1);
  });

  test('refuses a film whose percentiles coincide, because a division by nothing would make noise of it', () => {
    const blank: Radiograph = { columns: 300, rows: 300, pixels: new Float32Array(90_000).fill(0.4), pixelAspect: 1 };
    expect(() => preprocess(blank, plans['shipped order']!)).toThrow('constant-image');
  });
});

describe('resampling', () => {
  test('keeps a constant film constant at its borders, because the cut kernel is normalised there', () => {
    const plane = { columns: 97, rows: 61, values: new Float32Array(97 * 61).fill(0.7) };
    for (const kernel of ['triangle', 'bicubic', 'lanczos3'] as const) {
      const { values } = resample(plane, 40, 130, kernel);
      expect(largestDifference(values, new Float32Array(values.length).fill(0.7))).toBeLessThan(1e-6);
    }
  });
});

describe('geometry', () => {
  test('leads a place of the network back to the same place of the film, through crop and resize', () => {
    const { geometry } = preparePlane(noise(1000, 600, 1), [
      { step: 'central-crop', fraction: 0.5 },
      { step: 'resize', width: 224, height: 224, kernel: 'triangle' },
    ]);
    expect([0, 112, 224].map((x) => toSource(geometry.x, x))).toEqual([250, 500, 750]);
    expect([0, 112, 224].map((y) => toSource(geometry.y, y))).toEqual([150, 300, 450]);
    expect(toModel(geometry.x, toSource(geometry.x, 31))).toBeCloseTo(31, 10);
    expect(toSource(geometry.x, 1e6)).toBe(1000);
  });

  test('agrees with where the pixels really go, because a shifted map would point at the wrong lobe', () => {
    const bright = { column: 700, row: 90 };
    const film = noise(1000, 600, 2);
    const pixels = film.pixels.fill(0);
    for (let y = -20; y < 20; y++) {
      for (let x = -20; x < 20; x++) pixels[(bright.row + y) * 1000 + bright.column + x] = 1;
    }
    const { plane, geometry } = preparePlane(film, [
      { step: 'central-crop', fraction: 0.9 },
      { step: 'resize', width: 224, height: 224, kernel: 'bicubic' },
    ]);
    let [sum, x, y] = [0, 0, 0];
    plane.values.forEach((value, i) => {
      sum += value;
      x += value * ((i % 224) + 0.5);
      y += value * (Math.floor(i / 224) + 0.5);
    });
    expect(toSource(geometry.x, x / sum)).toBeCloseTo(bright.column, 0);
    expect(toSource(geometry.y, y / sum)).toBeCloseTo(bright.row, 0);
  });
});

test('a film that was decoded at a smaller size is cropped where the whole one is, because a score moves with a fraction of a pixel', () => {
  // A slope stays a slope at every size, so that any shift shows as a difference of grey.
  const slope = (columns: number, rows: number, every: number): Radiograph => ({
    columns,
    rows,
    pixels: Float32Array.from({ length: columns * rows }, (_, at) => {
      const [x, y] = [every * (at % columns), every * Math.floor(at / columns)];
      return (0.4 * x + 0.6 * y) / 1001;
    }),
    pixelAspect: 1,
  });
  const steps: readonly Step[] = [{ step: 'central-crop', fraction: 0.8 }, resize(224, 'bicubic'), perFilm];
  const whole = preparePlane(slope(1001, 1001, 1), steps);
  const axis = { offset: 0.5 - 4 / 2, scale: 4, length: 1001 };
  const small = slope(251, 251, 4);
  const reduced = preparePlane({ ...small, reduced: { x: axis, y: axis } }, steps);
  const unaware = preparePlane(small, steps);
  const furthest = (film: typeof whole) => {
    let most = 0;
    for (let row = 4; row < 220; row++)
      for (let column = 4; column < 220; column++) {
        const at = row * 224 + column;
        most = Math.max(most, Math.abs(film.plane.values[at]! - whole.plane.values[at]!));
      }
    return most;
  };
  expect(furthest(reduced)).toBeLessThan(0.01);
  expect(furthest(unaware)).toBeGreaterThan(0.2);
  // And its map lies in the plane that was given: four times these places are those of the whole film.
  const place = toSource(reduced.geometry.x, 112);
  expect(axis.offset + axis.scale * place).toBeCloseTo(toSource(whole.geometry.x, 112), 3);
});
