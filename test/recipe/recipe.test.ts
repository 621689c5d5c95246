import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { goldenRadiograph } from '../../src/model/golden.ts';
import { manifestSchema } from '../../src/model/manifest.ts';
import { type Step, stepsSchema } from '../../src/model/preprocess-steps.ts';
import { lastFeatureMap, resnetNames, resnetOpset } from '../../src/model/resnet.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { bytesOf, floatsOf, temporaryFolder, testWithPython } from '../model/python.ts';

/** The recipe against the product, as far as it runs without PyTorch; `models/recipe/check.py` is for the rest. */

const interpreter = process.env['CXR_TEST_PYTHON'] ?? resolve('test/services/.cache/venv/bin/python');
const recipeSteps: unknown = JSON.parse(readFileSync('models/recipe/preprocess.json', 'utf8'));

function ask<T>(name: string, input: object = {}): T {
  const answer = execFileSync(interpreter, [resolve('test/recipe/recipe.py'), name], {
    encoding: 'utf8',
    input: JSON.stringify(input),
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  return JSON.parse(answer) as T;
}

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

describe('one definition of preprocessing', () => {
  test('the steps of the recipe are steps that the reader knows, and those of the model that it trained', () => {
    expect(stepsSchema.safeParse(recipeSteps).success).toBe(true);
    const shipped = 'models/resnet101-airspace-opacity/model.json';
    if (!existsSync(shipped)) return; // nothing has been trained yet
    expect(JSON.parse(readFileSync(shipped, 'utf8'))).toMatchObject({ preprocess: recipeSteps });
  });

  testWithPython.each([1, 2, 3])('the recipe prepares drawn film %i as the reader does', (seed) => {
    const folder = temporaryFolder();
    const film = goldenRadiograph(seed);
    const [file, out] = [join(folder, 'film.f32'), join(folder, 'out.f32')];
    writeFileSync(file, bytesOf(film.pixels));
    ask('prepared', { columns: film.columns, rows: film.rows, steps: null, file, out });
    const { tensor } = preprocess(film, recipeSteps as Step[]);
    const got = floatsOf(readFileSync(out));
    expect(got).toHaveLength(tensor.length);
    // one grey level: quantising may fall on either side of a value that lies on its edge
    const apart = got.filter((value, i) => Math.abs(value - tensor[i]!) > 1e-4).length;
    expect(largestDifference(got, tensor)).toBeLessThan(0.03);
    expect(apart / got.length).toBeLessThan(1e-4);
  });

  testWithPython('the known answers are asked about the same pictures', () => {
    const out = join(temporaryFolder(), 'golden.f32');
    ask('golden_film', { seed: 4, out });
    expect(largestDifference(floatsOf(readFileSync(out)), goldenRadiograph(4).pixels)).toBeLessThan(1e-6);
  });
});

describe('the contract', () => {
  testWithPython('every source compiles', () => {
    expect(ask<string[]>('sources')).toEqual(expect.arrayContaining(['train.py', 'export.py', 'augment.py']));
  });

  testWithPython('the gateway accepts the manifest that the recipe writes', () => {
    expect(manifestSchema.parse(ask('manifest', { steps: recipeSteps }))).toMatchObject({ heat: { max: 3.14 } });
  });

  testWithPython('values of the graph are named as in the graph of the gateway', () => {
    expect(ask('names')).toEqual({ ...resnetNames, lastFeatureMap, opset: resnetOpset });
  });
});

describe('which films are trained on', () => {
  const head = 'file,label,source,group,view,nih_labels';
  const row = (folder: string, label = 'none', group = 'g', source = 'ChestX-ray14') =>
    `radiographs/${folder}/x.jpg,${label},${source},${group},PA,`;
  const rows = (...lines: readonly string[]) =>
    ask<string[] | string>('table_rows', { text: [head, ...lines].join('\n') });

  testWithPython('only folders whose licence lets a model be given away, and none that somebody adds later', () => {
    const folders = ['nih', 'normal', 'nih-more', 'covid-hannover', 'kermany', 'unlabelled', 'sealed', 'new'];
    expect(rows(...folders.map((folder) => row(folder)))).toEqual(
      ['nih', 'nih-more', 'kermany'].map((folder) => `radiographs/${folder}/x.jpg`),
    );
  });

  testWithPython('a film without a group stops it, because its patient could be on both sides', () => {
    expect(rows(row('nih', 'none', ''))).toMatch(/no group/);
  });

  testWithPython('confirmed COVID-19 is never a label of training, and a missing column is named', () => {
    expect(rows(row('nih', 'covid'))).toMatch(/label 'covid'/);
    expect(ask('table_rows', { text: 'file,label\n' })).toMatch(/no column source, group, view, nih_labels/);
  });

  testWithPython('a label of other is refused where no findings could be learned from it', () => {
    expect(rows(row('kermany', 'other', 'g', 'Kermany paediatric'))).toMatch(/no findings/);
  });

  testWithPython('a group is in one part whatever else is in the table, and the parts have their sizes', () => {
    const parts = ask<string[]>('parts', { groups: Array.from({ length: 5000 }, (_, i) => `group-${i}`) });
    const share = (part: string) => parts.filter((each) => each === part).length / parts.length;
    expect(Math.abs(share('check') - 0.12)).toBeLessThan(0.015);
    expect(Math.abs(share('tune') - 0.08)).toBeLessThan(0.015);
    expect(ask('parts', { groups: ['group-7', 'group-4999'] })).toEqual([parts[7], parts[4999]]);
  });

  testWithPython('no source and no view tells the label, because each shows both labels alike', () => {
    const many = (source: string, view: string, label: string, films: number) =>
      Array.from({ length: films }, () => ({ source, view, label }));
    const shares = ask<Record<string, number>>('shares', {
      rows: [
        ...many('a', 'AP', 'opacity', 90),
        ...many('a', 'AP', 'none', 16),
        ...many('a', 'PA', 'opacity', 4),
        ...many('a', 'PA', 'none', 50),
        ...many('b', '', 'opacity', 9),
        ...many('b', '', 'none', 9),
        ...many('c', '', 'none', 100),
      ],
    });
    for (const cell of ['a/AP', 'a/PA', 'b/'])
      expect(shares[`${cell}/opacity`]).toBeCloseTo(shares[`${cell}/none`]!, 9);
    expect(shares['a/AP/none']! / shares['a/PA/none']!).toBeCloseTo(2, 9);
    expect(shares['c//none']).toBe(0);
  });
});

describe('calibration', () => {
  testWithPython(
    'an overconfident score becomes a probability, its order stays, and the last layer can carry it',
    () => {
      const truth = Array.from({ length: 400 }, (_, i) => Number((i % 4 !== 0) === i >= 200));
      const difference = truth.map((_, i) => (i < 200 ? -5 : 5) + ((i * 37) % 100) / 100 + 1.5);
      const found = ask<{ a: number; c: number; fold: number; auc: number[]; ece: number[] }>('calibrated', {
        truth,
        difference,
      });
      expect(found.a).toBeGreaterThan(0);
      expect(found.fold).toBeLessThan(1e-12);
      expect(found.auc[1]).toBeCloseTo(found.auc[0]!, 12);
      expect(found.ece[0]).toBeGreaterThan(0.15);
      expect(found.ece[1]).toBeLessThan(0.03);
    },
  );

  testWithPython('a score that falls with opacity is refused, because calibrating would turn the model around', () => {
    expect(ask('turned')).toMatch(/turn the model around/);
  });
});

describe("the paper's partition", () => {
  type Answer = { differences: string[]; torn: number; trainedAndTested: number; svg: string; written: string[] };

  testWithPython('tables of its size give its counts, drawn, and no patient of training is in the test', () => {
    const found = ask<Answer>('partitioned', { opacity: 2166, none: 2210, by_patient: false });
    expect([found.differences, found.trainedAndTested]).toEqual([[], 0]);
    expect(found.written).toEqual(['figure1.png', 'figure1.svg', 'partition.csv']);
    for (const count of ['1,516', '1,547', '650', '663', '5,828', '154']) expect(found.svg).toContain(count);
  });

  testWithPython('two films fewer are told', () => {
    const { differences } = ask<Answer>('partitioned', { opacity: 2165, none: 2209, by_patient: false });
    expect(differences.join()).toMatch(/training opacity: 1515, the paper has 1516/);
  });

  testWithPython('by patient nobody is on two sides, which the paper does not promise', () => {
    expect(ask<Answer>('partitioned', { opacity: 2166, none: 2210, by_patient: false }).torn).toBeGreaterThan(0);
    expect(ask<Answer>('partitioned', { opacity: 2166, none: 2210, by_patient: true }).torn).toBe(0);
  });
});
