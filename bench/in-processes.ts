import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenRadiograph } from '../src/model/golden.ts';
import { int8File } from '../src/model/int8-file.ts';
import { type LoadedModel, loadModel } from '../src/model/manifest.ts';
import { decodeModel, encodeModel } from '../src/model/onnx-schema.ts';
import { preprocess } from '../src/model/tensor.ts';
import { bareId, bareInTwo, batches, type Entered, type Entry, threadsInWords } from './entry.ts';
import { withBatch, withFloatKernels } from './graph-work.ts';
import { type Absent, isAbsent, startTurns, type Turns, type TurnsSpec } from './turns.ts';

/** Entries that run in processes of their own: ONNX Runtime alone, on the processor and on a graphics card. */

const graphicsBatches = [1, 8, 32] as const;
const graphicsProviders = ['cuda', 'tensorrt', 'webgpu'] as const;
/** Longer than this and it is a driver that computes in software: nobody waits for a batch of 32. */
const mostSecondsAnImage = 5;
/** How far p(opacity) may be from that of ONNX Runtime for the same network. */
const tolerance = 1e-3;

const entry = join(import.meta.dirname, 'onnxruntime.ts');

/** Writes the network for each batch size, and one image. By default the very bytes that the gateway runs at a batch of 1. */
export function writeNetworks(
  model: LoadedModel,
  folder: string,
  sizes: readonly number[],
  kernels: 'as stored' | 'as floats' = 'as stored',
): TurnsSpec {
  const { input, outputs, preprocess: steps } = model.manifest;
  const own = decodeModel(model.weights);
  const decoded = kernels === 'as floats' ? withFloatKernels(own) : own;
  const files = sizes.map((size): [number, string] => {
    const file = join(folder, `batch-${size}.onnx`);
    writeFileSync(file, size === 1 && decoded === own ? model.weights : encodeModel(withBatch(decoded, size)));
    return [size, file];
  });
  const image = join(folder, 'image.raw');
  writeFileSync(image, preprocess(goldenRadiograph(1), steps).tensor);
  const models = Object.fromEntries(files);
  return {
    models,
    input: image,
    shape: input.shape,
    inputName: input.name,
    outputName: outputs.probabilities.name,
    threads: 1,
  };
}

/** The runtime, unless it computes something else: then it is no peer. */
export async function startSame(
  command: string,
  args: readonly string[],
  spec: TurnsSpec,
  probability: number | null,
): Promise<Turns | Absent> {
  const turns = await startTurns(command, args, spec);
  if (isAbsent(turns) || probability === null || Math.abs(turns.probability - probability) <= tolerance) return turns;
  await turns.close();
  return { absent: `answers ${turns.probability} where ONNX Runtime says ${probability}` };
}

const startOnnxRuntime = (spec: TurnsSpec, provider: string, probability: number | null = null) =>
  startSame(process.execPath, ['--no-warnings', entry], { ...spec, provider }, probability);

export interface Bare extends Entered {
  /** p(opacity) of the image, by which the others are known to be the same network. */
  readonly probability: number;
}

/** Bare ONNX Runtime: one process at each number of threads, and two of one thread side by side. */
export async function enterBare(spec: TurnsSpec, images: number): Promise<Bare> {
  const starting = [1, 1, 2].map((threads) => startOnnxRuntime({ ...spec, threads }, 'cpu'));
  const [one, other, two] = (await Promise.all(starting)).map((turns) => {
    if (isAbsent(turns)) throw new Error(`ONNX Runtime on the processor: ${turns.absent}`);
    return turns;
  }) as [Turns, Turns, Turns];
  const note = noteOf(one, 1);
  const alone = (turns: Turns, threads: number, batch: number): Entry => ({
    ...{ id: bareId(threads, batch), what: `bare ONNX Runtime, ${threadsInWords(threads)}` },
    ...{ threads, batch, against: batch === 1 ? null : bareId(threads), note },
    contestant: turnsOf(bareId(threads, batch), turns, batch, images),
  });
  const id = bareId(bareInTwo);
  const half = images / 2;
  const both = async () => Math.max(...(await Promise.all([one.run(1, half), other.run(1, half)])));
  const inTwo: Entry = {
    ...{ id, what: 'bare ONNX Runtime, two processes of 1 thread' },
    ...{ threads: 2, batch: 1, against: bareId(2), note },
    contestant: { name: id, times: images, work: both },
  };
  return {
    entries: [...batches.flatMap((batch) => [alone(one, 1, batch), alone(two, 2, batch)]), inTwo],
    close: () => Promise.all([one.close(), other.close(), two.close()]),
    pids: new Map([['bare ONNX Runtime of 1 thread, both batch sizes open', [one.pid]]]),
    probability: one.probability,
  };
}

/** The 8-bit variant, where the model has one: the same runtime, held against the float network at equal batch and threads. */
export async function enterEightBit(model: LoadedModel, folder: string, images: number): Promise<Entered> {
  if (!existsSync(join(model.folder, int8File))) {
    const absent: Entry = {
      ...{ id: 'int8 1', what: 'int8, bare ONNX Runtime', threads: 1, batch: 1, eightBit: true, against: null },
      ...{ contestant: null, note: `the model has no ${int8File}` },
    };
    return { entries: [absent], close: async () => undefined };
  }
  const spec = writeNetworks(loadModel(model.folder, 'int8'), folder, batches);
  const open: Turns[] = [];
  const entries: Entry[] = [];
  for (const threads of [1, 2]) {
    const turns = await startOnnxRuntime({ ...spec, threads }, 'cpu');
    if (!isAbsent(turns)) open.push(turns);
    for (const batch of batches) {
      const id = `int8 ${threads}${batch > 1 ? ` b${batch}` : ''}`;
      entries.push({
        ...{ id, what: `int8, bare ONNX Runtime, ${threadsInWords(threads)}`, threads, batch, eightBit: true },
        ...{ against: bareId(threads, batch), note: noteOf(turns, batch) },
        contestant: isAbsent(turns) ? null : turnsOf(id, turns, batch, images),
      });
    }
  }
  return { entries, close: () => Promise.all(open.map((turns) => turns.close())) };
}

/** Version and setting, or why there is none. */
export const noteOf = (turns: Turns | Absent, batch: number): string =>
  isAbsent(turns) ? turns.absent : [turns.version, turns.how[batch]].filter(Boolean).join(', ');

export function turnsOf(name: string, turns: Turns, batch: number, images: number): NonNullable<Entry['contestant']> {
  const times = Math.max(batch, images);
  return { name, times, work: (count) => turns.run(batch, Math.ceil(count / batch)) };
}

/** Each provider at growing batches, or one line that says why it is not there. */
export async function enterGraphics(model: LoadedModel, folder: string, bare: Bare): Promise<Entered> {
  const open: Turns[] = [];
  const entries: Entry[] = [];
  for (const provider of graphicsProviders) {
    const turns = await startGraphics(model, folder, provider, bare.probability);
    if (!isAbsent(turns)) open.push(turns);
    for (const batch of isAbsent(turns) ? [1] : graphicsBatches) {
      const id = `${provider} b${batch}`;
      entries.push({
        ...{ id, what: `bare ONNX Runtime, provider ${provider}`, threads: null, batch, against: bareId(2) },
        note: noteOf(turns, batch),
        contestant: isAbsent(turns) ? null : turnsOf(id, turns, batch, Math.max(...graphicsBatches)),
      });
    }
  }
  return { entries, close: () => Promise.all(open.map((turns) => turns.close())) };
}

/** Tried with one image before anything is written for many. */
async function startGraphics(
  model: LoadedModel,
  folder: string,
  provider: string,
  probability: number,
): Promise<Turns | Absent> {
  const tried = await startOnnxRuntime(writeNetworks(model, folder, [1]), provider, probability);
  if (isAbsent(tried)) return tried;
  const seconds = await tried.run(1, 1);
  await tried.close();
  if (seconds <= mostSecondsAnImage) {
    return startOnnxRuntime(writeNetworks(model, folder, graphicsBatches), provider, probability);
  }
  return { absent: `one image took ${seconds.toFixed(1)} s: a driver that computes in software` };
}
