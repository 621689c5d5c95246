import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { complaint, modelsWithCard } from '../../scripts/card/check.ts';
import { setNames } from '../../scripts/card/sets.ts';
import { changeManifest, narrowFolder } from '../model/models.ts';
import { madeRows, writeData } from './card-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'cxr-card-'));
const data = join(folder, 'data');
const measured = join(folder, 'models', 'resnet101-narrow-untrained');
const work = join(folder, 'work');
jest.setTimeout(300_000); // a measurement starts the reader, on a machine that may be busy
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function card(...flags: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/card.ts', ...flags], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const measure = (...flags: readonly string[]) =>
  card('--model', measured, '--data', data, '--work', work, '--readers', '1', ...flags);

/** A copy of the measured model that a test may harm. */
function copy(): string {
  const models = mkdtempSync(join(folder, 'copy-'));
  const to = join(models, 'resnet101-narrow-untrained');
  cpSync(measured, to, { recursive: true });
  return to;
}

const read = (of: string, name = 'CARD.md') => readFileSync(join(of, name), 'utf8');

let first: ReturnType<typeof card>;
beforeAll(async () => {
  await writeData(data);
  cpSync(narrowFolder, measured, { recursive: true });
  first = measure('--write');
});

describe('npm run card', () => {
  test('measures every set, and writes a card and figures that name no film and no patient', () => {
    expect([first.stderr, first.status]).toEqual([expect.stringContaining('written: '), 0]);
    const [text, figures] = [read(measured), read(measured, 'figures.json')];
    for (const words of ['UNTRAINED MODEL', 'Research use only', 'AI output, not reviewed', 'does not claim parity'])
      expect(text).toContain(words);
    expect(text).toMatch(/\| Adults, held-out patients of ChestX-ray14 \| 4 \| 4 \| \d/);
    expect(text).toMatch(/\| COVID-19 \(Hannover\) against normal films .* \| 2 \| 2 \| \d/);
    expect(text).toMatch(
      /text alone \/ radiologists alone \/ neither \|\n\|-.*\n.*\| 4 \|.*\n.*\| 4 \| 75\.0 % .* 1 \/ 1 \/ 0 \/ 2 \|/,
    );
    for (const { file, group } of madeRows()) {
      expect(`${text}${figures}`).not.toContain(file.replace(/.*\//, '').replace('.jpg', ''));
      expect(`${text}${figures}`).not.toContain(group);
    }
  });

  test('puts the failures with their maps where a person can look, outside the model folder', () => {
    const pictures = readdirSync(join(work, 'failures'));
    const listed = read(join(work, 'failures'), 'failures.csv').trimEnd().split('\n');
    expect(listed[0]).toBe('picture,file,score,view,findings');
    expect(listed.length).toBeGreaterThan(1);
    expect(pictures).toHaveLength(2 * (listed.length - 1) + 1);
    expect(readdirSync(measured).sort()).toEqual([
      ...['CARD.md', 'figures.json', 'golden.json', 'model.json', 'weights.onnx'],
    ]);
  });

  test('takes from an earlier run what it measured, prints the same card, and writes nothing unasked', () => {
    const before = read(measured, 'figures.json');
    writeFileSync(join(measured, 'CARD.md'), 'mine');
    const again = measure();
    expect(again.status).toBe(0);
    expect(again.stderr.match(/measured before/g)).toHaveLength(setNames.length);
    expect([read(measured), read(measured, 'figures.json')]).toEqual(['mine', before]);
    expect(card('--model', measured, '--write').status).toBe(0);
    expect(`${read(measured)}\n`).toBe(again.stdout);
  });

  test('measures again when the operating point is another, because sensitivity hangs on it', () => {
    const other = copy();
    changeManifest(other, (manifest) => ({ ...manifest, operatingPoint: 0.4 }));
    const ended = card('--model', other, '--data', data, '--work', work, '--readers', '1');
    expect(ended.status).toBe(0);
    expect(ended.stderr).not.toContain('measured before');
    expect(ended.stdout).toContain("model's own operating point, 0.4");
  });

  test('puts in what a person wrote, and what recipe, export and acceptance left, without the films', () => {
    const of = copy();
    const sha256 = JSON.parse(read(of, 'model.json')).weights.sha256 as string;
    const json = (name: string, value: object) => writeFileSync(join(of, name), JSON.stringify(value));
    const tune = { 'ChestX-ray14': { auc: 0.712, opacity: 85, none: 92 } };
    const end = { step: 240, epoch: 1.1, minutes: 4, size: 224 };
    json('log.json', {
      data: [{ part: 'tune', source: 'ChestX-ray14', view: 'AP', label: 'opacity', films: 45 }],
      runs: [{ settings: { seed: 7, flip: true }, device: 'x86_64', torch: '2.15' }],
      epochs: [{ ...end, loss: 0.8, films_per_second: 3, tune }],
      final: { ...end, tune },
      head: { tune: { 'ChestX-ray14': { ...tune['ChestX-ray14'], auc: 0.734 } } },
    });
    const fit = { opacity: 85, none: 92, ece_before: 0.2, ece: 0.05, sensitivity: 0.7, specificity: 0.7 };
    json('export.json', {
      ...{ weights_sha256: 'f'.repeat(64), torch: '2.15', onnxruntime: '1.32', films: 200 },
      ...{ differences: { probability: 8.1e-7, map: 2e-6, features: 3e-6 }, heat: { percentile: 95, films: 85 } },
      calibration: {
        ...{
          method: 'platt',
          source: 'ChestX-ray14',
          a: 1.25,
          c: -0.5,
          operating_point: 0.44,
          rule: 'largest Youden index',
        },
        ...{ tune: fit, check: fit },
      },
    });
    json('acceptance.json', {
      auc: 0.79,
      auc_ci95: [0.7, 0.86],
      n_positive: 9,
      n_negative: 90,
      films: 'films of others',
      weights_sha256: sha256,
    });
    const seen = { films: 273, aucFloat: 0.8123, aucInt8: 0.8119, decisionsChanged: 0.001, mapCorrelation: 0.991 };
    json('int8.json', { weights: sha256, calibration: { films: 300 }, seen: { ...seen, passed: true } });
    writeFileSync(join(of, 'card-notes.md'), '### What is to be seen\n\nFalse positive 1: a **drain** | and more.\n');
    expect(card('--model', of, '--write').status).toBe(0);
    const text = read(of);
    expect(text).toContain('### What is to be seen\n\nFalse positive 1: a **drain** | and more.');
    for (const words of [
      'seed 7',
      '| 1.1 | 240 | 4 | 224 |',
      '0.712',
      '| ChestX-ray14 | 0.712 | 0.734 |',
      '8.1e-7',
      'Compared were the float weights',
      '0.8123 → 0.8119 |',
    ])
      expect(text).toContain(words);
    expect(text).toContain('Platt on the `tune` patients of ChestX-ray14 (85 opacity, 92 none)');
    expect(text).toMatch(/does not claim parity .*: the acceptance set gave AUC 0\.790 \(0\.700 to 0\.860\)/);
    expect(complaint(of)).toBeNull();
  });
});

describe('npm run card -- --check', () => {
  test('passes the card as it was written, without any film', () => {
    const ended = card('--check', '--model', measured);
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining('the card fits') });
    const of = copy();
    rmSync(join(of, 'CARD.md'));
    expect(card('--check', '--model', of)).toMatchObject({ status: 1, stdout: expect.stringContaining('no CARD.md') });
  });

  test.each<readonly [string, (of: string) => void, RegExp]>([
    [
      'a nicer figure in the card',
      (of) => writeFileSync(join(of, 'CARD.md'), read(of).replace('0.', '0.9')),
      /CARD.md is not/,
    ],
    [
      'a nicer figure in figures.json',
      (of) => writeFileSync(join(of, 'figures.json'), read(of, 'figures.json').replace(/"auc": [\d.]+/, '"auc": 0.99')),
      /CARD.md is not/,
    ],
    ['notes that the card does not have', (of) => writeFileSync(join(of, 'card-notes.md'), 'seen'), /CARD.md is not/],
    ['figures taken away', (of) => rmSync(join(of, 'figures.json')), /figures.json/],
    [
      'another threshold',
      (of) => changeManifest(of, (manifest) => ({ ...manifest, operatingPoint: 0.3 })),
      /figures of other weights or settings/,
    ],
    [
      'weights with one bit flipped',
      (of) => {
        const weights = readFileSync(join(of, 'weights.onnx'));
        weights[weights.length - 9]! ^= 1;
        writeFileSync(join(of, 'weights.onnx'), weights);
      },
      /weights.onnx has another sha256/,
    ],
    [
      'other weights with their own sha256',
      (of) =>
        changeManifest(of, (manifest) => ({ ...manifest, weights: { ...manifest.weights, sha256: 'c'.repeat(64) } })),
      /figures of other weights/,
    ],
  ])('sees %s', (_name, harm, message) => {
    const of = copy();
    harm(of);
    expect(complaint(of)).toMatch(message);
  });

  test('every trained model of this repository has a card that fits its figures and its weights', () => {
    expect(modelsWithCard('models').map((of) => [of, complaint(of)])).toEqual(
      modelsWithCard('models').map((of) => [of, null]),
    );
  });
});

test.each<readonly [string, readonly string[], RegExp]>([
  ['no model', [], /--model/],
  ['no readers', ['--model', narrowFolder, '--data', '.', '--readers', '0'], /--readers/],
  ['a folder that is no model', ['--model', 'docs', '--data', '.'], /model-unusable/],
  ['no figures and no data', ['--model', narrowFolder, '--write'], /figures.json/],
])('with %s it ends with a clear word', (_name, flags, message) => {
  const before = existsSync(join(narrowFolder, 'figures.json'));
  const ended = card(...flags);
  expect([ended.status, ended.stderr]).toEqual([78, expect.stringMatching(message)]);
  expect(existsSync(join(narrowFolder, 'figures.json'))).toBe(before);
});
