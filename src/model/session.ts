import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Failure } from '../core/failure.ts';
import type { ActivationMap } from '../core/reading.ts';
import type { LoadedModel, Manifest } from './manifest.ts';

/** The network in ONNX Runtime, checked against its manifest. */

export interface Inference {
  /** p(none), p(opacity); they sum to 1. */
  readonly probabilities: readonly [number, number];
  readonly map: ActivationMap;
  readonly features: Float32Array;
}

export interface Network {
  /** Blocks the process for as long as the network takes. Raises `model-invalid` for anything that is no probability. */
  infer(tensor: Float32Array): Promise<Inference>;
  close(): Promise<void>;
}

export interface NetworkOptions {
  /** Threads inside one operator; 1 keeps a shared machine usable. */
  readonly threads: number;
}

/** How far from 1 two probabilities may sum. */
const sumTolerance = 1e-4;

/** Raises `model-unusable` when the graph does not load, or its inputs and outputs are not those of the manifest. */
export async function openNetwork(model: LoadedModel, { threads }: NetworkOptions): Promise<Network> {
  const { manifest, weights } = model;
  const session = await load(weights, threads);
  checkValues('input', [manifest.input], session.inputMetadata);
  checkValues('output', Object.values(manifest.outputs), session.outputMetadata);
  return {
    infer: (tensor) => infer(session, manifest, tensor),
    close: () => session.release(),
  };
}

async function load(weights: Uint8Array, threads: number): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(weights, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    });
  } catch (cause) {
    throw new Failure('model-unusable', { where: 'graph', expected: 'a graph that ONNX Runtime loads', cause });
  }
}

interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

function checkValues(
  kind: 'input' | 'output',
  expected: readonly NamedShape[],
  got: readonly InferenceSession.ValueMetadata[],
): void {
  if (kind === 'input' && got.length !== expected.length) {
    throw new Failure('model-unusable', { where: 'inputs of the graph', expected: '1', got: String(got.length) });
  }
  for (const { name, shape } of expected) {
    const value = got.find((each) => each.name === name);
    const text = value?.isTensor ? `${value.type} [${value.shape.join(',')}]` : 'nothing';
    const wanted = `float32 [${shape.join(',')}]`;
    if (text !== wanted) {
      throw new Failure('model-unusable', { where: `${kind} ${name} of the graph`, expected: wanted, got: text });
    }
  }
}

async function infer(session: InferenceSession, manifest: Manifest, values: Float32Array): Promise<Inference> {
  const { input, outputs } = manifest;
  const feeds = { [input.name]: new Tensor('float32', values, input.shape) };
  const answers = await session.run(
    feeds,
    Object.values(outputs).map(({ name }) => name),
  );
  const read = ({ name }: NamedShape) => answers[name]?.data as Float32Array;
  const [none, opacity] = read(outputs.probabilities);
  const probabilities = [none ?? Number.NaN, opacity ?? Number.NaN] as const;
  checkProbabilities(probabilities);
  const map = read(outputs.map);
  const features = read(outputs.features);
  if (!map.every((value) => Number.isFinite(value) && value >= 0)) invalid('map', 'finite values from 0 on');
  if (!features.every(Number.isFinite)) invalid('features', 'finite values');
  const [, , rows, columns] = outputs.map.shape;
  return { probabilities, map: { columns, rows, values: Array.from(map) }, features };
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
