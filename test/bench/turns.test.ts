import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { enterBare, enterEightBit, enterGraphics, startSame, writeNetworks } from '../../bench/in-processes.ts';
import { enterPeers } from '../../bench/peers.ts';
import { isAbsent, startTurns, type Turns, type TurnsSpec } from '../../bench/turns.ts';
import { sha256 } from '../../src/core/ids.ts';
import { type Int8, int8File } from '../../src/model/int8-file.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { decodeModel } from '../../src/model/onnx-schema.ts';
import { headInitializers } from '../../src/model/replace-head.ts';
import { storeKernels } from '../../src/model/stored-weights.ts';
import { activationsOf, stepsOf } from '../../src/model/trunk.ts';
import { python } from '../services/validators.ts';

/** Runtimes in processes of their own. Nothing here is timed. */

const model = loadModel(resolve(import.meta.dirname, '../../models/resnet101-narrow-untrained'));
const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-test-'));
let spec: TurnsSpec;

beforeAll(() => {
  spec = writeNetworks(model, folder, [1, 4]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** For tests that start several processes on a busy machine, milliseconds. */
const patienceMs = 120_000;

const bench = resolve(import.meta.dirname, '../../bench');
const onnxruntime = join(bench, 'onnxruntime.ts');
const onProcessor = { ...{ threads: 1, provider: 'cpu' } };

test(
  'ONNX Runtime in its own process answers as the golden case says and takes turns at both batch sizes',
  async () => {
    const turns = (await startTurns(process.execPath, [onnxruntime], { ...spec, ...onProcessor })) as Turns;
    expect(isAbsent(turns)).toBe(false);
    expect(turns.probability).toBeCloseTo(model.golden!.cases[0]!.probability, 4);
    expect(await turns.run(1, 2)).toBeGreaterThan(0);
    expect(await turns.run(4, 1)).toBeGreaterThan(0);
    await turns.close();
    await expect(turns.run(1, 1)).rejects.toThrow('ended in its turn');
  },
  patienceMs,
);

test('a runtime that answers something else is no peer, because it may skip what it should compute', async () => {
  const args = [process.execPath, [onnxruntime], { ...spec, ...onProcessor }] as const;
  const own = model.golden!.cases[0]!.probability;
  expect(await startSame(...args, own + 0.01)).toEqual({
    absent: expect.stringMatching(/^answers 0\.\d+ where ONNX Runtime says 0\.\d+$/),
  });
});

test('what does not start, or starts and says something else, is absent', async () => {
  expect(await startTurns(join(folder, 'none'), [], spec)).toEqual({
    absent: `${join(folder, 'none')} does not start`,
  });
  expect(await startTurns(process.execPath, ['-e', 'console.log(1)'], spec)).toMatchObject({
    absent: expect.stringContaining('does not start'),
  });
});

test('without an interpreter every peer has its rows, and each says that none was named', async () => {
  const { entries } = await enterPeers(spec, { pythons: [], probability: 0.5, images: 4 });
  expect(entries).toHaveLength(12);
  for (const { contestant, note } of entries) expect([contestant, note]).toEqual([null, 'no --peers PYTHON was named']);
});

test(
  'each graphics provider has a row where it is not there, with the reason of the runtime',
  async () => {
    const bare = await enterBare(spec, 4);
    const ids = bare.entries.map(({ id }) => id);
    expect(ids).toEqual(['bare 1', 'bare 2', 'bare 1 b4', 'bare 2 b4', 'bare 2x1']);
    const { entries, close } = await enterGraphics(model, folder, bare);
    for (const provider of ['cuda', 'tensorrt', 'webgpu']) {
      const rows = entries.filter(({ id }) => id.startsWith(provider));
      const there = rows.every(({ contestant }) => contestant !== null);
      expect(rows.map(({ batch }) => batch)).toEqual(there ? [1, 8, 32] : [1]);
      if (!there) expect(rows[0]!.note).not.toBe('');
    }
    await Promise.all([close(), bare.close()]);
  },
  patienceMs,
);

test('a model without an 8-bit variant has a row that says so', async () => {
  const { entries } = await enterEightBit(model, folder, 4);
  expect(entries).toMatchObject([{ contestant: null, note: 'the model has no int8.json', eightBit: true }]);
});

/** The narrow network in 8 bits, with ranges that nobody measured: what it answers is of no use. */
function writeEightBit(): string {
  const target = join(folder, 'narrow-int8');
  const { manifest, weights } = model;
  const kept = headInitializers(decodeModel(weights).graph, manifest.outputs);
  const stored = storeKernels(weights, kept);
  const activations = activationsOf(stepsOf(decodeModel(stored).graph, kept)).map(({ name }) => [
    name,
    { scale: 1 / 32, zeroPoint: 128 },
  ]);
  const digest = sha256(stored);
  const { golden: _, ...bare } = manifest;
  const int8: Int8 = {
    weights: digest,
    calibration: { films: 1, table: 'none' },
    activations: Object.fromEntries(activations),
    logit: { slope: 1, shift: 0 },
    golden: { tolerance: 0.01, cases: [{ seed: 1, probability: 0.5 }] },
    seen: { films: 1, aucFloat: 1, aucInt8: 1, decisionsChanged: 0, mapCorrelation: 1, passed: false },
  };
  mkdirSync(target);
  writeFileSync(join(target, 'weights.onnx'), stored);
  writeFileSync(join(target, int8File), JSON.stringify(int8));
  const weightsOf = { file: 'weights.onnx', sha256: digest };
  writeFileSync(join(target, 'model.json'), JSON.stringify({ ...bare, id: 'narrow-int8', weights: weightsOf }));
  return target;
}

test('the 8-bit variant takes turns at both batches, because its graph is changed for several images too', async () => {
  const own = join(folder, 'int8');
  mkdirSync(own);
  const { entries, close } = await enterEightBit(loadModel(writeEightBit()), own, 4);
  expect(entries.map(({ id, against }) => [id, against])).toEqual([
    ['int8 1', 'bare 1'],
    ['int8 1 b4', 'bare 1 b4'],
    ['int8 2', 'bare 2'],
    ['int8 2 b4', 'bare 2 b4'],
  ]);
  for (const { contestant } of entries) expect(await contestant?.work(4)).toBeGreaterThan(0);
  await close();
});

const hasNumpy = spawnSync(python, ['-c', 'import numpy']).status === 0;
if (!hasNumpy && !process.env['CI'])
  process.stderr.write(`skipped: no numpy for ${python} (test/services/install.sh)\n`);
const withPython = hasNumpy || process.env['CI'] ? test : test.skip;

withPython('a peer in Python speaks the same protocol, whatever its libraries print', async () => {
  const script = join(folder, 'peer.py');
  const lines = [
    ...['import sys', `sys.path.insert(0, ${JSON.stringify(join(bench, 'peers'))})`],
    ...['from turns import Runtime, batch_of, serve', 'def open_peer(spec):', '    print("a library that greets")'],
    ...[
      '    images = batch_of(spec, 4)',
      '    assert images.shape == (4, 3, 224, 224) and (images[3] == images[0]).all()',
    ],
    ...['    return Runtime("1", {1: "set up"}, 0.25, lambda size, times: print(size, times))', 'serve(open_peer)'],
  ];
  writeFileSync(script, lines.join('\n'));
  const turns = (await startTurns(python, ['-B', script], spec)) as Turns;
  expect(turns).toMatchObject({ version: '1', how: { 1: 'set up' }, probability: 0.25 });
  expect(await turns.run(1, 3)).toBeGreaterThan(0);
  await turns.close();
});

withPython('a peer whose package is not there says which', async () => {
  const absent = async (script: string) =>
    startTurns(python, ['-S', '-B', join(bench, 'peers', script)], { ...spec, hint: 'LATENCY' });
  expect(await absent('openvino_peer.py')).toEqual({ absent: "ModuleNotFoundError: No module named 'openvino'" });
  expect(await absent('pytorch_peer.py')).toEqual({ absent: "ModuleNotFoundError: No module named 'torch'" });
});
