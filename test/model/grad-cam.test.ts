/** @jest-environment ./test/model/onnx-environment.js */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ActivationMap } from '../../src/core/reading.ts';
import { areaOf } from '../../src/model/contour.ts';
import { type Geometry, identityAxis, resizedAxis } from '../../src/model/geometry.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';
import { regionOf } from '../../src/model/grad-cam.ts';
import { decodeModel } from '../../src/model/onnx-schema.ts';
import { lastFeatureMap, resnetNames } from '../../src/model/resnet.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { loadNarrow, withInnerOutput } from './models.ts';
import { bytesOf, python, temporaryFolder, testWithPython } from './python.ts';

const channels = 128;

describe('the map in the graph', () => {
  testWithPython(
    'equals Grad-CAM by finite differences in float64 to 1e-4 in every cell of 3 films',
    async () => {
      const folder = temporaryFolder();
      const model = withInnerOutput(loadNarrow(), lastFeatureMap, [1, channels, 7, 7]);
      const session = await InferenceSession.create(model.weights);
      const { initializer } = decodeModel(model.weights).graph;
      for (const name of ['weight', 'bias']) {
        const tensor = initializer.find((each) => each.name === `head.${name}`)!;
        writeFileSync(join(folder, name), tensor.rawData);
      }
      const graphMaps: Float32Array[] = [];
      const jobs = [];
      for (const seed of [1, 2, 3]) {
        const { tensor } = preprocess(goldenRadiograph(seed), model.manifest.preprocess);
        const answer = await session.run({ film: new Tensor('float32', tensor, [1, 3, 224, 224]) });
        graphMaps.push(answer[resnetNames.map]!.data as Float32Array);
        const features = join(folder, `${seed}.features`);
        writeFileSync(features, bytesOf(answer[lastFeatureMap]!.data as Float32Array));
        jobs.push({ features, channels, weight: join(folder, 'weight'), bias: join(folder, 'bias') });
      }
      const independent = JSON.parse(python('gradient.py', folder, jobs)) as Record<string, number[]>[];
      independent.forEach((maps, film) => {
        for (const score of ['p_opacity', 'difference']) {
          expect(furthestCell(scaled(graphMaps[film]!), scaled(maps[score]!))).toBeLessThan(1e-4);
        }
      });
      expect(independent).toHaveLength(3);
    },
    60_000,
  );
});

function scaled(values: ArrayLike<number>): readonly number[] {
  const all = Array.from(values);
  const most = Math.max(...all);
  expect(most).toBeGreaterThan(0);
  return all.map((value) => value / most);
}

const furthestCell = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, cell) => Math.abs(value - (b[cell] ?? Number.NaN))));

const geometry = (columns: number, rows: number): Geometry => ({
  x: resizedAxis(identityAxis(columns), 224),
  y: resizedAxis(identityAxis(rows), 224),
});

const mapOf = (values: Readonly<Record<number, number>>): ActivationMap => ({
  columns: 7,
  rows: 7,
  values: Array.from({ length: 49 }, (_, cell) => values[cell] ?? 0),
});

const bounds = (region: readonly (readonly [number, number])[]) => ({
  left: Math.min(...region.map(([x]) => x)),
  right: Math.max(...region.map(([x]) => x)),
  top: Math.min(...region.map(([, y]) => y)),
  bottom: Math.max(...region.map(([, y]) => y)),
});

const whole = [
  [0, 0],
  [700, 0],
  [700, 1400],
  [0, 1400],
  [0, 0],
];

describe('the region', () => {
  test('goes around the hot cell, in columns and rows of the film', () => {
    const region = regionOf(mapOf({ 24: 3 }), geometry(700, 1400), 'present');
    expect(region.at(0)).toEqual(region.at(-1));
    const { left, right, top, bottom } = bounds(region);
    // Cell 24 is the middle one: columns 300 to 400, rows 600 to 800 of a film of 700 × 1400.
    expect([left + right, top + bottom]).toEqual([expect.closeTo(700, 0), expect.closeTo(1400, 0)]);
    expect(right - left).toBeGreaterThan(90);
    expect(right - left).toBeLessThan(140);
    expect((bottom - top) / (right - left)).toBeCloseTo(2, 1);
  });

  test('keeps the largest of several places, because TID 1500 carries one outline here', () => {
    const region = regionOf(mapOf({ 0: 3, 40: 3, 41: 3, 33: 3 }), geometry(700, 700), 'present');
    const { left, top } = bounds(region);
    expect(left).toBeGreaterThan(350);
    expect(top).toBeGreaterThan(350);
  });

  test('is closed along the edge of the film when the heat lies at the edge', () => {
    const region = regionOf(mapOf({ 0: 1, 1: 1, 7: 1 }), geometry(700, 1400), 'present');
    expect(bounds(region)).toMatchObject({ left: 0, top: 0 });
    expect(region.at(0)).toEqual(region.at(-1));
    expect(areaOf(region)).toBeGreaterThan(100 * 200 * 2);
  });

  test('covers everything when all cells are equally hot', () => {
    const region = regionOf({ columns: 7, rows: 7, values: new Array(49).fill(2) }, geometry(700, 1400), 'present');
    expect(areaOf(region)).toBeCloseTo(700 * 1400, 3);
  });

  test('is the whole image when the decision is absent, or when nothing spoke for opacity', () => {
    expect(regionOf(mapOf({ 24: 3 }), geometry(700, 1400), 'absent')).toEqual(whole);
    expect(regionOf(mapOf({}), geometry(700, 1400), 'present')).toEqual(whole);
  });

  test('has at most 200 points and stays inside the film for any map, because an SR carries it as numbers', () => {
    let state = 1;
    const draw = () => {
      state = (state * 16807) % 2147483647;
      return state / 2147483647;
    };
    for (let i = 0; i < 100; i++) {
      const map = { columns: 7, rows: 7, values: Array.from({ length: 49 }, () => draw() ** 3) };
      const region = regionOf(map, geometry(431, 977), 'present');
      const { left, right, top, bottom } = bounds(region);
      const good = region.length >= 4 && region.length <= 200 && left >= 0 && top >= 0 && right <= 431 && bottom <= 977;
      expect(good && areaOf(region) > 0).toBe(true);
      expect(region.at(0)).toEqual(region.at(-1));
    }
  });
});
