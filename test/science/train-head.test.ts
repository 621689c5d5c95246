/** @jest-environment ./test/model/onnx-environment.js */

import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { Failure } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import { wholeFilm } from '../../src/core/lungs.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { decodeModel } from '../../src/model/onnx-schema.ts';
import { gaussian } from '../../src/model/random.ts';
import { groupDigest, readTrainingDigests, trainingDigestsFile } from '../../src/science/overlap.ts';
import { type TrainHeadInput, type TrainHeadTools, trainHead } from '../../src/science/train-head.ts';
import { parseTrainHeadOptions } from '../../src/science/train-options.ts';
import { changeWeights, narrowFolder } from '../model/models.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-train-'));
  folders.push(folder);
  return folder;
}

const width = 128;

/** A site: a table, films that hold their own number, and a copy of the narrow model as backbone. */
function site(count: number, labelOf: (i: number) => string = (i) => (i % 2 ? 'opacity' : 'none')) {
  const root = temporaryFolder();
  const backboneFolder = join(root, 'resnet101-narrow-untrained');
  cpSync(narrowFolder, backboneFolder, { recursive: true });
  const films = Array.from({ length: count }, (_, i) => ({ file: `${i}.jpg`, label: labelOf(i), group: `g${i >> 1}` }));
  for (const { file } of films) writeFileSync(join(root, file), file);
  const table = join(root, 'films.csv');
  writeTable(table, films);
  const asked: string[] = [];
  const input: TrainHeadInput = {
    ...{ table, root, backboneFolder, out: join(root, 'models'), work: join(root, 'work'), atOnce: 2 },
    options: parseTrainHeadOptions({ id: 'new', learningRate: 0.001 }),
  };
  const tools: TrainHeadTools = {
    openReader: (folder) => ({ examine: readerOf(folder, asked), close: async () => {} }),
    progress: () => {},
    signal: new AbortController().signal,
  };
  return { root, films, input, tools, asked };
}

function writeTable(path: string, rows: readonly { file: string; label: string; group: string }[]): void {
  const lines = rows.map(({ file, label, group }) => `${file},${label},${group}`);
  writeFileSync(path, ['file,label,group', ...lines, ''].join('\n'));
}

/** What the reader is to training, without its time: features by the film's number, the score by the numbers in the folder's graph. */
function readerOf(folder: string, asked: string[]): ReturnType<TrainHeadTools['openReader']>['examine'] {
  const { graph } = decodeModel(loadModel(folder).weights);
  const floats = (name: string) => {
    const { rawData } = graph.initializer.find((each) => each.name === name)!;
    return new Float32Array(Uint8Array.from(rawData).buffer);
  };
  const [weight, bias] = [floats('head.weight'), floats('head.bias')];
  return async (path) => {
    asked.push(`${basename(folder)} ${basename(path)}`);
    const text = readFileSync(path, 'utf8');
    if (text === 'broken') throw new Failure('decode-failed');
    const number = Number.parseInt(text, 10);
    const draw = gaussian(number + 1);
    const features = Float32Array.from(
      { length: width },
      (_, k) => 1 + 0.3 * draw() + (k < 8 ? 0.2 * (number % 2) : 0),
    );
    let difference = bias[1]! - bias[0]!;
    for (let k = 0; k < width; k++) difference += (weight[width + k]! - weight[k]!) * features[k]!;
    const map = { columns: 7, rows: 7, values: Array.from({ length: 49 }, (_, cell) => (cell === 3 ? number : 0)) };
    const score = 1 / (1 + Math.exp(-difference));
    return { score, features, map, fileDigest: sha256(text), header: null, window: wholeFilm, picture: null };
  };
}

const visible = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.features')) : [];

describe('a new model', () => {
  test('is a whole folder that loads, says how it was made, and names what it has seen', async () => {
    const { films, input, tools } = site(80);
    const { folder, manifest, facts } = await trainHead(input, tools);
    expect(readdirSync(folder).sort()).toEqual(
      [
        ...['CARD.md', 'golden.json', 'model.json', 'training-curve.png', 'training-curve.svg'],
        ...[trainingDigestsFile, 'weights.onnx'],
      ].sort(),
    );
    expect(visible(input.out)).toEqual(['new']);
    const model = loadModel(folder);
    expect(model.manifest).toEqual(manifest);
    expect([manifest.training, manifest.id, model.golden?.cases.length]).toEqual(['trained', 'new', 6]);
    expect(manifest.intendedUse).toMatch(/Research use only.*backbone is UNTRAINED/);
    expect(manifest.intendedUse).not.toMatch(/COVID/);
    const { training, validation } = facts.trained.split;
    expect([training.length, validation.length]).toEqual([56, 24]);
    // The hottest cell of film i is i: the scale is that of positive training films alone.
    const peaks = training.filter(({ target }) => target === 1).map(({ file }) => Number.parseInt(file, 10));
    expect(manifest.heat.max).toBeLessThanOrEqual(Math.max(...peaks));
    expect(manifest.heat.max).toBeGreaterThan(Math.max(...peaks) - 3);
    const seen = readTrainingDigests(folder)!;
    expect(seen.films).toEqual(new Set(films.map(({ file }) => sha256(file))));
    expect(seen.groups).toEqual(new Set(films.map(({ group }) => groupDigest(group))));
    const card = readFileSync(join(folder, 'CARD.md'), 'utf8');
    expect(card).toMatch(/\| training \| 28 \| 28 \| 56 \| 28 \|/);
    expect(card).toContain(`Kept: epoch ${facts.trained.kept.number}, the lowest validation loss`);
    expect(card).toContain('| epochs | 8 | the paper: 8 |');
  }, 60_000);

  test('has a curve in both forms, with letters that need no font of the machine', async () => {
    const { input, tools } = site(40);
    const { folder, facts } = await trainHead(input, tools);
    const svg = readFileSync(join(folder, 'training-curve.svg'), 'utf8');
    expect(svg.match(/<circle /g)).toHaveLength(2 * facts.trained.epochs.length);
    expect(svg).toContain(`kept: epoch ${facts.trained.kept.number}`);
    const { data, info } = await sharp(join(folder, 'training-curve.png'))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([1800, 1360]);
    const dark = data.filter((_, i) => i % 3 === 0 && data[i]! < 60 && data[i + 1]! < 80 && data[i + 2]! < 90).length;
    expect(dark).toBeGreaterThan(2000);
  }, 60_000);

  test('is made again byte for byte, also when the first run was stopped half-way', async () => {
    const { root, films, input, tools, asked } = site(60);
    const whole = await trainHead(input, tools);
    const stopped = { ...input, work: join(root, 'work2'), out: join(root, 'models2') };
    const abort = new AbortController();
    const progress: TrainHeadTools['progress'] = (told) => {
      if (told.kind === 'features' && told.done === 25) abort.abort();
    };
    await expect(trainHead(stopped, { ...tools, progress, signal: abort.signal })).rejects.toThrow(/abort/i);
    expect(visible(stopped.out)).toEqual([]);
    asked.length = 0;
    const resumed = await trainHead(stopped, tools);
    const extracted = asked.filter((each) => each.startsWith('resnet'));
    expect(extracted.length).toBeLessThanOrEqual(films.length - 25);
    for (const name of readdirSync(whole.folder))
      expect([name, readFileSync(join(resumed.folder, name)).equals(readFileSync(join(whole.folder, name)))]).toEqual([
        name,
        true,
      ]);
  }, 60_000);

  test.each(['epoch', 'heat'] as const)(
    'is not there when it is stopped in the phase %s, and nothing half-written is',
    async (kind) => {
      const { input, tools } = site(40);
      const abort = new AbortController();
      const progress: TrainHeadTools['progress'] = (told) => told.kind === kind && abort.abort();
      await expect(trainHead(input, { ...tools, progress, signal: abort.signal })).rejects.toThrow(/abort/i);
      expect(visible(input.out)).toEqual([]);
    },
    60_000,
  );

  test('clears away what a killed run left, and leaves alone what a living one is making', async () => {
    const { input, tools } = site(40);
    for (const pid of [2 ** 30, process.ppid])
      mkdirSync(join(input.out, `.train-head-${pid}`, 'new'), { recursive: true });
    await trainHead(input, tools);
    expect(visible(input.out).sort()).toEqual([`.train-head-${process.ppid}`, 'new'].sort());
  }, 60_000);

  test('is refused when the written network scores otherwise than the head that was trained', async () => {
    const { input, tools } = site(40);
    const openReader: TrainHeadTools['openReader'] = (folder) => {
      const { examine, close } = tools.openReader(folder);
      const off = basename(folder) === 'new' ? 0.001 : 0;
      return {
        close,
        examine: async (path) => ({ ...(await examine(path)), score: (await examine(path)).score + off }),
      };
    };
    await expect(trainHead(input, { ...tools, openReader })).rejects.toThrow(
      /model-unusable.*score of the new network/,
    );
    expect(visible(input.out)).toEqual([]);
  }, 60_000);
});

describe('labels', () => {
  const labelOf = (i: number) => ['none', 'opacity', 'covid', 'other'][i % 4]!;

  test('covid and other are left out, because the paper keeps confirmed COVID-19 for its test', async () => {
    const { input, tools } = site(80, labelOf);
    const { facts, manifest, folder } = await trainHead(input, tools);
    expect(facts.counts).toEqual({ rows: 80, none: 20, opacity: 20, covid: 0, leftOut: 40 });
    expect(manifest.intendedUse + readFileSync(join(folder, 'CARD.md'), 'utf8')).not.toMatch(/COVID-19 counted/);
  }, 60_000);

  test('covid is opacity on request, and intended use and card say so', async () => {
    const { input, tools } = site(80, labelOf);
    const options = { ...input.options, includeCovid: true };
    const { facts, manifest, folder } = await trainHead({ ...input, options }, tools);
    expect(facts.counts).toEqual({ rows: 80, none: 20, opacity: 20, covid: 20, leftOut: 20 });
    for (const text of [manifest.intendedUse, readFileSync(join(folder, 'CARD.md'), 'utf8')])
      expect(text).toMatch(/Films of confirmed COVID-19 counted as opacity in training/);
  }, 60_000);
});

describe("the backbone's own training", () => {
  test('is carried on, and validation films that were in it are counted on the card', async () => {
    const { input, tools } = site(40);
    const seen = { films: [sha256('0.jpg'), 'a'.repeat(64)], groups: [groupDigest('g1'), groupDigest('far')] };
    writeFileSync(join(input.backboneFolder, trainingDigestsFile), JSON.stringify(seen));
    const { folder, facts } = await trainHead(input, tools);
    const digests = readTrainingDigests(folder)!;
    for (const film of seen.films) expect(digests.films.has(film)).toBe(true);
    for (const group of seen.groups) expect(digests.groups.has(group)).toBe(true);
    const known = facts.trained.split.validation.filter(({ file }) =>
      ['0.jpg', '2.jpg', '3.jpg'].includes(file),
    ).length;
    expect(facts.knownToBackbone).toBe(known);
  }, 60_000);
});

describe('bad input ends with its code and leaves no model', () => {
  const expectRefusal = async (
    { input, tools }: Pick<ReturnType<typeof site>, 'input' | 'tools'>,
    message: RegExp,
  ): Promise<void> => {
    await expect(trainHead(input, tools)).rejects.toThrow(message);
    expect(visible(input.out)).toEqual([]);
  };

  test('a table without a column', async () => {
    const bad = site(10);
    writeFileSync(bad.input.table, 'file,label\n0.jpg,none\n');
    await expectRefusal(bad, /table-invalid.*a column group/);
  });

  test('one class only', async () => {
    await expectRefusal(
      site(20, () => 'opacity'),
      /table-invalid.*both classes.*20 opacity, 0 none/,
    );
  });

  test('one group that holds everything', async () => {
    const bad = site(20);
    writeTable(
      bad.input.table,
      bad.films.map((film) => ({ ...film, group: 'all' })),
    );
    await expectRefusal(bad, /table-invalid.*side of the split/);
  });

  test('more than one unreadable image in a hundred; one is left out and counted', async () => {
    const bad = site(150);
    writeFileSync(join(bad.root, '7.jpg'), 'broken');
    const { facts } = await trainHead(bad.input, bad.tools);
    expect(facts.unreadable).toBe(1);
    rmSync(bad.input.out, { recursive: true });
    rmSync(join(bad.root, '9.jpg'));
    await expectRefusal(bad, /images-unreadable/);
  }, 60_000);

  test('a backbone whose last layer has another shape, before any film is read', async () => {
    const bad = site(20);
    changeWeights(bad.input.backboneFolder, (model) => ({
      ...model,
      graph: {
        ...model.graph,
        initializer: model.graph.initializer.map((t) => (t.name === 'head.weight' ? { ...t, dims: [2, 64] } : t)),
      },
    }));
    await expectRefusal(bad, /model-unusable.*head\.weight.*\[2,128\].*\[2,64\]/);
    expect(bad.asked).toEqual([]);
  });

  test('an altered backbone', async () => {
    const bad = site(20);
    const file = join(bad.input.backboneFolder, 'weights.onnx');
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    await expectRefusal(bad, /model-unusable.*sha256/);
  });

  test('an id that is there, which stays as it is', async () => {
    const bad = site(20);
    mkdirSync(join(bad.input.out, 'new'), { recursive: true });
    writeFileSync(join(bad.input.out, 'new', 'kept'), 'kept');
    await expect(trainHead(bad.input, bad.tools)).rejects.toThrow(/config-invalid.*--id.*new is there/);
    expect(readdirSync(join(bad.input.out, 'new'))).toEqual(['kept']);
    expect(bad.asked).toEqual([]);
  });
});
