/** @jest-environment ./test/model/onnx-environment.js */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { setsOf } from '../../scripts/card/sets.ts';
import { defaultReadingConfig } from '../../src/config.ts';
import { checkGolden } from '../../src/model/golden.ts';
import { readPicture } from '../../src/model/picture-file.ts';
import { openNetwork } from '../../src/model/session.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { readTable } from '../../src/science/table.ts';
import { wireModel } from '../../src/wire.ts';

/** The model that a hospital gets when its configuration names none. */
const model = wireModel(defaultReadingConfig());
const { manifest, golden } = model;

test('is the trained one, and all weights of the repository fit into 45 MB', () => {
  expect(model.identity).toMatchObject({ id: 'resnet101-airspace-opacity', training: 'trained', precision: 'float32' });
  const bytes = readdirSync('models')
    .map((name) => join('models', name, 'weights.onnx'))
    .filter((path) => existsSync(path))
    .reduce((sum, path) => sum + statSync(path).size, 0);
  expect(bytes).toBeLessThanOrEqual(45e6);
});

test('gives every known answer, and is refused when one is another', async () => {
  const network = await openNetwork(model, { threads: 1 });
  try {
    expect(golden!.cases.length).toBeGreaterThan(1);
    for (const only of golden!.cases) await checkGolden(network, manifest, { ...golden!, cases: [only] });
    const [first] = golden!.cases;
    const wrong = { ...golden!, cases: [{ ...first!, probability: 1 - first!.probability }] };
    await expect(checkGolden(network, manifest, wrong)).rejects.toMatchObject({ code: 'model-unusable' });
  } finally {
    await network.close();
  }
}, 120_000);

const data = resolve(import.meta.dirname, '../../../shared/data');
const testWithFilms = existsSync(join(data, 'radiographs.csv')) || process.env['CI'] ? test : test.skip;

testWithFilms(
  'scores held-out films of its own sources higher where there is an opacity',
  async () => {
    const sets = setsOf(readTable(join(data, 'radiographs.csv'))).filter(({ name }) => name !== 'cross-source');
    const network = await openNetwork(model, { threads: 1 });
    try {
      for (const { name, rows } of sets) {
        const means = [];
        for (const label of ['opacity', 'none']) {
          const scores = [];
          for (const { file } of rows.filter((row) => row.label === label).slice(0, 10)) {
            const film = await readPicture(readFileSync(join(data, file)), 1e8);
            scores.push((await network.infer(preprocess(film, manifest.preprocess).tensor)).probabilities[1]);
          }
          means.push(scores.reduce((sum, score) => sum + score, 0) / scores.length);
        }
        expect([name, means[0]! - means[1]! > 0.05]).toEqual([name, true]);
      }
    } finally {
      await network.close();
    }
  },
  240_000,
);
