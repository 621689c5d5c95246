import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { asFailure, Failure } from '../core/failure.ts';
import type { Provider } from '../core/provider.ts';
import type { ActivationMap } from '../core/reading.ts';
import { batchDimension, withBatchDimension } from './batch-dimension.ts';
import type { LoadedModel, Manifest } from './manifest.ts';

/** The network in ONNX Runtime, checked against its manifest. */

export interface Inference {
  /** p(none), p(opacity); they sum to 1. */
  readonly probabilities: readonly [number, number];
  readonly map: ActivationMap;
  readonly features: Float32Array;
}

/** One film's tensor in, what the network says of it out; wherever that runs. */
export interface Network {
  /** Blocks the process for as long as the network takes. Raises `model-invalid` for anything that is no probability. */
  infer(tensor: Float32Array): Promise<Inference>;
  close(): Promise<void>;
}

export interface BatchNetwork extends Network {
  /** Several films at once, each for itself: one that comes out as no probability costs no other its answer. */
  inferAll(tensors: readonly Float32Array[]): Promise<readonly (Inference | Failure)[]>;
}

export interface NetworkOptions {
  /** Threads inside one operator; 1 keeps a shared machine usable. */
  readonly threads: number;
  /** By default `cpu`. */
  readonly provider?: Provider;
  /** Most films in one run of the graph; 1 by default, and the graph stays as it was written. */
  readonly batch?: number;
}

/** How far from 1 two probabilities may sum. */
const sumTolerance = 1e-4;

/**
 * Raises `model-unusable` when the graph does not load, or its inputs and outputs are not those of the manifest;
 * `provider-unavailable` when another provider than the CPU does not take it.
 */
export async function openNetwork(model: LoadedModel, options: NetworkOptions): Promise<BatchNetwork> {
  const { manifest } = model;
  const { threads, provider = 'cpu', batch = 1 } = options;
  const outputs = Object.values(manifest.outputs);
  const weights = batch === 1 ? model.weights : withBatchDimension(model.weights, [manifest.input], outputs);
  const session = await load(weights, threads, provider);
  checkValues('input', [manifest.input], session.inputMetadata, batch);
  checkValues('output', outputs, session.outputMetadata, batch);
  const inferAll = (tensors: readonly Float32Array[]) => inferInRuns(session, manifest, tensors, batch);
  return {
    inferAll,
    infer: async (tensor) => {
      const [answer] = await inferAll([tensor]);
      if (answer instanceof Failure) throw answer;
      return answer!;
    },
    close: () => session.release(),
  };
}

async function load(weights: Uint8Array, threads: number, provider: Provider): Promise<InferenceSession> {
  try {
    if (!listSupportedBackends().some(({ name }) => name === provider)) throw new Error('not in this build');
    return await InferenceSession.create(weights, {
      executionProviders: [provider],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    });
  } catch (cause) {
    if (provider !== 'cpu') throw unavailable(provider, cause);
    throw new Failure('model-unusable', { where: 'graph', expected: 'a graph that ONNX Runtime loads', cause });
  }
}

/** ONNX Runtime says in its last sentences what is missing, after the place in its own source. */
function unavailable(provider: Provider, cause: unknown): Failure {
  const message = cause instanceof Error ? cause.message : String(cause);
  const got = message
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\/\S+\.(cc|h):\d+ /g, '')
    .trim()
    .slice(-200);
  return new Failure('provider-unavailable', { where: provider, expected: 'a session of ONNX Runtime', got, cause });
}

interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

function checkValues(
  kind: 'input' | 'output',
  expected: readonly NamedShape[],
  got: readonly InferenceSession.ValueMetadata[],
  batch: number,
): void {
  if (kind === 'input' && got.length !== expected.length) {
    throw new Failure('model-unusable', { where: 'inputs of the graph', expected: '1', got: String(got.length) });
  }
  for (const { name, shape } of expected) {
    const value = got.find((each) => each.name === name);
    const text = value?.isTensor ? `${value.type} [${value.shape.join(',')}]` : 'nothing';
    const wanted = `float32 [${(batch === 1 ? shape : [batchDimension, ...shape.slice(1)]).join(',')}]`;
    if (text !== wanted) {
      throw new Failure('model-unusable', { where: `${kind} ${name} of the graph`, expected: wanted, got: text });
    }
  }
}

async function inferInRuns(
  session: InferenceSession,
  manifest: Manifest,
  tensors: readonly Float32Array[],
  batch: number,
): Promise<readonly (Inference | Failure)[]> {
  const answers: (Inference | Failure)[] = [];
  for (let at = 0; at < tensors.length; at += batch) {
    answers.push(...(await runOnce(session, manifest, tensors.slice(at, at + batch))));
  }
  return answers;
}

async function runOnce(
  session: InferenceSession,
  { input, outputs }: Manifest,
  tensors: readonly Float32Array[],
): Promise<readonly (Inference | Failure)[]> {
  const films = tensors.length;
  const feeds = { [input.name]: new Tensor('float32', joined(tensors), [films, ...input.shape.slice(1)]) };
  const answers = await session.run(
    feeds,
    Object.values(outputs).map(({ name }) => name),
  );
  const part = ({ name }: NamedShape, film: number) => {
    const values = answers[name]?.data as Float32Array;
    const length = values.length / films;
    return values.slice(film * length, (film + 1) * length);
  };
  const [, , rows, columns] = outputs.map.shape;
  return tensors.map((_, film) => {
    const map = part(outputs.map, film);
    const features = part(outputs.features, film);
    try {
      return {
        probabilities: probabilitiesOf(part(outputs.probabilities, film), map, features),
        map: { columns, rows, values: Array.from(map) },
        features,
      };
    } catch (thrown) {
      return asFailure(thrown);
    }
  });
}

function joined(tensors: readonly Float32Array[]): Float32Array {
  const [first] = tensors;
  if (first && tensors.length === 1) return first;
  const all = new Float32Array(tensors.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const tensor of tensors) {
    all.set(tensor, at);
    at += tensor.length;
  }
  return all;
}

/** Raises `model-invalid` for a number that cannot be. */
function probabilitiesOf(pair: Float32Array, map: Float32Array, features: Float32Array): readonly [number, number] {
  const [none = Number.NaN, opacity = Number.NaN] = pair;
  checkProbabilities([none, opacity]);
  if (!map.every((value) => Number.isFinite(value) && value >= 0)) invalid('map', 'finite values from 0 on');
  if (!features.every(Number.isFinite)) invalid('features', 'finite values');
  return [none, opacity];
}

/** A NaN would compare as "absent": silence must never mean negative. */
export function checkProbabilities([none, opacity]: readonly [number, number]): void {
  const inside = [none, opacity].every((value) => value >= 0 && value <= 1);
  if (!inside) invalid('probabilities', 'two numbers from 0 to 1', `${none}, ${opacity}`);
  const sum = none + opacity;
  if (Math.abs(sum - 1) > sumTolerance) invalid('probabilities', `a sum of 1 within ${sumTolerance}`, String(sum));
}

function invalid(where: string, expected: string, got = 'another value'): never {
  throw new Failure('model-invalid', { where: `output ${where}`, expected, got });
}
