/** @jest-environment ./test/model/onnx-environment.js */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceUid } from '../../src/core/ids.ts';
import { checkGolden } from '../../src/model/golden.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { openNetwork } from '../../src/model/session.ts';
import { type QuantizeInput, quantize } from '../../src/science/quantize.ts';
import { clearFilms, makeSite, opacityFilms, openReader, readJson, tableOf } from './quantize-support.ts';

const { parent, folder } = await makeSite();
const table = tableOf(parent, 'films.csv', [...opacityFilms(6), ...clearFilms(6)]);
const trainedOn = tableOf(parent, 'trained-on.csv', [...opacityFilms(4), ...clearFilms(4)]);
const out = (name: string) => join(parent, name);
/** Each run asks dozens of films. */
const timeoutMs = 240_000;

const tools = { openReader, progress: () => {}, signal: new AbortController().signal };
const input = (name: string, more: Partial<QuantizeInput> = {}): QuantizeInput => ({
  ...{ modelFolder: folder, out: out(name), table, root: '', atOnce: 1, int8: null },
  ...more,
});
const int8 = { table: trainedOn, films: 4, keepFailing: false };

/** One whole run for all that only look at it. */
const whole = await quantize(input('whole', { int8 }), tools);

afterAll(() => rmSync(parent, { recursive: true, force: true }));

async function opens(precision: 'float32' | 'int8'): Promise<void> {
  const model = loadModel(whole.folder, precision);
  const network = await openNetwork(model, { threads: 1 });
  await checkGolden(network, model.manifest, model.golden!);
  await network.close();
}

describe('weights in 8 bits', () => {
  test(
    'keep the ranking of the films, and the folder opens like any other',
    async () => {
      expect(Math.abs(whole.stored.aucFloat - whole.stored.aucOther)).toBeLessThanOrEqual(0.002);
      expect(whole.stored.films).toBe(12);
      await opens('float32');
    },
    timeoutMs,
  );

  test('take a byte each, and what else the folder holds comes along', () => {
    expect(whole.bytes).toBeLessThan(0.45 * readFileSync(join(folder, 'weights.onnx')).length);
    expect(readdirSync(whole.folder).sort()).toEqual(
      ['CARD.md', 'golden.json', 'int8.json', 'model.json', 'training-digests.json', 'weights.onnx'].sort(),
    );
  });

  test('have a digest of their own, in the card too, because a card names the weights that it speaks of', () => {
    const { sha256 } = readJson(whole.folder, 'model.json').weights;
    expect(sha256).not.toBe(readJson(folder, 'model.json').weights.sha256);
    expect(readFileSync(join(whole.folder, 'CARD.md'), 'utf8')).toBe(
      `weights ${sha256}, device ${deviceUid(sha256)}\n`,
    );
  });

  test(
    'are refused when their scales are spoiled, with the figures, and nothing is left behind',
    async () => {
      const spoiled = quantize(
        input('spoiled', { spoil: (scale) => scale * (1 + 0.9 * Math.sin(1e6 * scale)) }),
        tools,
      );
      await expect(spoiled).rejects.toThrow(
        /model-unusable.*weights in 8 bits.*AUC within 0\.002.*12 films, AUC 1\.0000 to 0\./,
      );
      expect(readdirSync(out('spoiled'))).toEqual([]);
    },
    timeoutMs,
  );

  test(
    'a model that is there is not replaced',
    async () => {
      await expect(quantize(input('whole'), tools)).rejects.toThrow(/config-invalid.*site is there/);
    },
    timeoutMs,
  );

  test(
    'a run that is broken off leaves nothing',
    async () => {
      const abort = new AbortController();
      const progress = ({ phase, done }: { phase: string; done: number }) => {
        if (phase === '8-bit weights' && done === 3) abort.abort();
      };
      await expect(quantize(input('stopped'), { ...tools, progress, signal: abort.signal })).rejects.toThrow(/abort/i);
      expect(readdirSync(out('stopped'))).toEqual([]);
    },
    timeoutMs,
  );
});

describe('8-bit arithmetic', () => {
  test('holds its limits: AUC within 0.002, at most 0.2 % of decisions changed, maps that correlate by 0.95', () => {
    const { comparison, passed } = whole.int8!;
    expect(passed).toBe(true);
    expect(Math.abs(comparison.aucFloat - comparison.aucOther)).toBeLessThanOrEqual(0.002);
    expect(comparison.decisionsChanged).toBeLessThanOrEqual(0.002);
    expect(comparison.mapCorrelation).toBeGreaterThanOrEqual(0.95);
    // Another network, not the float one under another name.
    expect(comparison.largestDifference).toBeGreaterThan(1e-4);
  });

  test(
    'is told in int8.json: what was seen, ranges, and known answers that hold',
    async () => {
      const file = readJson(whole.folder, 'int8.json');
      expect(file.seen).toMatchObject({ films: 12, passed: true });
      expect(file.calibration.films).toBe(4);
      const { floats, activations } = whole.int8!;
      expect(Object.keys(file.activations)).toHaveLength(activations - floats);
      expect(activations).toBe(136);
      await opens('int8');
    },
    timeoutMs,
  );

  test('is another device, because its scores are others', () => {
    const [float, eight] = [loadModel(whole.folder).identity, loadModel(whole.folder, 'int8').identity];
    expect([float.precision, eight.precision]).toEqual(['float32', 'int8']);
    expect(eight.sha256).toBe(float.sha256);
    expect(eight.deviceUid).not.toBe(float.deviceUid);
  });

  test(
    'is refused when the ranges are spoiled, and nothing is left behind',
    async () => {
      const spoiling: typeof tools.openReader = (model, precision) => {
        const file = join(model, 'int8.json');
        if (precision === 'int8' && existsSync(file)) {
          const content = readJson(model, 'int8.json');
          const spoiled = Object.entries(content.activations as Record<string, { scale: number }>).map(
            ([name, range], i) => [name, { ...range, scale: i % 3 === 0 ? range.scale / 12 : range.scale }],
          );
          writeFileSync(file, JSON.stringify({ ...content, activations: Object.fromEntries(spoiled) }));
        }
        return openReader(model, precision);
      };
      const failing = quantize(input('failing', { int8 }), { ...tools, openReader: spoiling });
      await expect(failing).rejects.toThrow(/model-unusable.*8-bit arithmetic/);
      expect(readdirSync(out('failing'))).toEqual([]);
    },
    timeoutMs,
  );

  test('does not go with other weights, because ranges belong to the network that they were taken from', () => {
    const file = join(whole.folder, 'int8.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(text), weights: '0'.repeat(64) }));
    expect(() => loadModel(whole.folder, 'int8')).toThrow(/model-unusable.*int8\.json weights/);
    writeFileSync(file, text);
    expect(() => loadModel(folder, 'int8')).toThrow(/model-unusable.*int8\.json/);
  });
});
