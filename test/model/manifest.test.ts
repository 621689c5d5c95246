import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { asFailure } from '../../src/core/failure.ts';
import { deviceUid } from '../../src/core/ids.ts';
import { loadModel, type Manifest, manifestSchema } from '../../src/model/manifest.ts';
import { uniform } from '../../src/model/random.ts';
import { changeManifest, changeWeights, copyOfNarrow, loadNarrow, narrowFolder } from './models.ts';

/** Code and place of the failure that loading a folder raises. */
function fault(folder: string): string {
  try {
    loadModel(folder);
    return 'loaded';
  } catch (thrown) {
    const { code, detail } = asFailure(thrown);
    return `${code} at ${detail.where}`;
  }
}

describe('a model folder', () => {
  test('names the model as all results will, because SR, SC and FHIR must agree', () => {
    const { identity, manifest } = loadNarrow();
    expect(identity).toEqual({
      id: 'resnet101-narrow-untrained',
      manufacturer: 'cxr-gateway project',
      name: 'ResNet-101 of width 4, untrained',
      version: '1',
      sha256: manifest.weights.sha256,
      deviceUid: deviceUid(manifest.weights.sha256),
      training: 'untrained',
      precision: 'float32',
      preprocessing: 'resize 224x224 bicubic; percentile-stretch 1-99; quantize floor; normalize per-film',
      intendedUse: expect.stringContaining('Tests and demonstration'),
    });
  });

  test('says on its card that it learned nothing, and under which UID', () => {
    const card = readFileSync(join(narrowFolder, 'CARD.md'), 'utf8');
    expect(card).toContain('This model has learned nothing.');
    expect(card).toContain(loadNarrow().identity.deviceUid);
  });

  test('is refused for any of 1,000 flipped bits of its weights, because ONNX Runtime would load most of them (fault 85)', () => {
    const folder = copyOfNarrow();
    const file = join(folder, 'weights.onnx');
    const weights = readFileSync(file);
    const draw = uniform(85);
    const handle = openSync(file, 'r+');
    const loaded: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const at = Math.floor(draw() * weights.length);
      writeSync(handle, Uint8Array.of(weights[at]! ^ (1 << Math.floor(draw() * 8))), 0, 1, at);
      if (fault(folder) !== 'model-unusable at weights.onnx sha256') loaded.push(at);
      writeSync(handle, weights, at, 1, at);
    }
    closeSync(handle);
    expect(loaded).toEqual([]);
    expect(fault(folder)).toBe('loaded');
  }, 60_000);

  test.each<[string, (folder: string) => void, string]>([
    ['a missing manifest', (folder) => rmSync(join(folder, 'model.json')), 'model.json'],
    ['a manifest that is no JSON', (folder) => writeFileSync(join(folder, 'model.json'), '<html>'), 'model.json'],
    ['missing weights', (folder) => rmSync(join(folder, 'weights.onnx')), 'weights.onnx'],
    ['truncated weights', (folder) => truncateSync(join(folder, 'weights.onnx'), 700_000), 'weights.onnx sha256'],
    ['a folder of another name', (folder) => changeManifest(folder, (m) => ({ ...m, id: 'other' })), 'model.json id'],
    [
      'classes in the other order',
      (folder) => changeManifest(folder, (m) => ({ ...m, classes: ['opacity', 'none'] })),
      'model.json classes 0',
    ],
    ['an unknown key', (folder) => changeManifest(folder, (m) => ({ ...m, treshold: 0.4 })), 'model.json'],
    ['known answers that are missing', (folder) => rmSync(join(folder, 'golden.json')), 'golden.json'],
    [
      'another operator set than the manifest says',
      (folder) => changeWeights(folder, (model) => ({ ...model, opsetImport: [{ domain: '', version: 99 }] })),
      'weights.onnx opset',
    ],
    [
      'a path out of the folder',
      (folder) => changeManifest(folder, (m) => ({ ...m, weights: { ...m.weights, file: '../weights.onnx' } })),
      'model.json weights file',
    ],
  ])('is refused with %s, by the name of the check', (_, harm, where) => {
    const folder = copyOfNarrow();
    harm(folder);
    expect(fault(folder)).toBe(`model-unusable at ${where}`);
  });
});

describe('the steps of a manifest', () => {
  const withSteps = (preprocess: unknown) => manifestSchema.safeParse({ ...loadNarrow().manifest, preprocess }).success;
  const resize = { step: 'resize', width: 224, height: 224, kernel: 'bicubic' };
  const normalize = { step: 'normalize', statistics: 'per-film' };

  test.each<[string, unknown, boolean]>([
    ['resize and normalize', [resize, normalize], true],
    ['a crop before the last resize', [{ step: 'central-crop', fraction: 0.9 }, resize, normalize], true],
    ['a crop after it', [resize, { step: 'central-crop', fraction: 0.9 }, normalize], false],
    ['another size', [{ ...resize, width: 256 }, normalize], false],
    ['no normalize', [resize], false],
    ['normalize twice', [resize, normalize, normalize], false],
    ['an unknown step', [resize, { step: 'equalise' }, normalize], false],
    ['crossed percentiles', [resize, { step: 'percentile-stretch', low: 99, high: 1 }, normalize], false],
    ['nothing', [], false],
  ])('with %s', (_, steps, accepted) => {
    expect(withSteps(steps)).toBe(accepted);
  });
});

test('the largest allowed texts are those of DICOM (LO has 64 characters)', () => {
  const { manifest } = loadNarrow();
  const named = (name: string): boolean => manifestSchema.safeParse({ ...manifest, name } satisfies Manifest).success;
  expect([named('n'.repeat(64)), named('n'.repeat(65))]).toEqual([true, false]);
});
