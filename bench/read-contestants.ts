import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ContentSettings } from '../src/core/reading.ts';
import { goldenRadiograph } from '../src/model/golden.ts';
import type { LoadedModel } from '../src/model/manifest.ts';
import { openNetwork } from '../src/model/session.ts';
import { preprocess } from '../src/model/tensor.ts';
import { createReader } from '../src/reader/index.ts';
import { matrixProduct } from './graph-work.ts';
import type { Contestant } from './measure.ts';

/** Who takes part in the benchmark of reading, from the machine's arithmetic to a whole film through the child. */

export interface Open extends Contestant {
  readonly close: () => Promise<void>;
}

export interface Files {
  /** DICOM, 2048 × 2500, 12 bits. */
  readonly film: string;
  /** PNG at the network's own size. */
  readonly picture: string;
}

export const gemmSide = 1024;

const inTurn = async (times: number, work: () => Promise<unknown>): Promise<void> => {
  for (let i = 0; i < times; i++) await work();
};

const sessionOf = (bytes: Uint8Array, threads: number): Promise<InferenceSession> =>
  InferenceSession.create(bytes, { executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 });

export async function gemm(threads: number): Promise<Open> {
  const session = await sessionOf(matrixProduct(gemmSide), threads);
  const x = new Tensor('float32', new Float32Array(gemmSide * gemmSide).fill(0.5), [gemmSide, gemmSide]);
  return {
    name: `gemm ${threads}`,
    times: 8,
    work: (times) => inTurn(times, () => session.run({ x })),
    close: () => session.release(),
  };
}

/** ONNX Runtime alone: the same bytes, the same tensor each time. */
export async function bare({ weights, manifest }: LoadedModel, threads: number): Promise<Open> {
  const session = await sessionOf(weights, threads);
  const { tensor } = preprocess(goldenRadiograph(1), manifest.preprocess);
  const feeds = { [manifest.input.name]: new Tensor('float32', tensor, manifest.input.shape) };
  return {
    name: `bare ${threads}`,
    times: 4,
    work: (times) => inTurn(times, () => session.run(feeds)),
    close: () => session.release(),
  };
}

/** The gateway's own session with its checks, without decoding and preprocessing. */
export async function network(model: LoadedModel, threads: number): Promise<Open> {
  const opened = await openNetwork(model, { threads });
  const { tensor } = preprocess(goldenRadiograph(1), model.manifest.preprocess);
  return {
    name: `network ${threads}`,
    times: 4,
    work: (times) => inTurn(times, () => opened.infer(tensor)),
    close: () => opened.close(),
  };
}

export interface ReaderSetting {
  readonly atOnce: number;
  readonly threads: number;
  readonly settings: ContentSettings;
}

/** One pool of children that reads both kinds of file. Both contestants share it; closing either closes it. */
export async function readers(model: LoadedModel, files: Files, setting: ReaderSetting): Promise<readonly Open[]> {
  const { atOnce, threads, settings } = setting;
  const reader = createReader({ modelFolder: model.folder, atOnce, threads, spares: 0, memoryLimitMiB: 4096 });
  await reader.ready();
  const times = 2 * atOnce;
  const all = (count: number, work: () => Promise<unknown>) => Promise.all(Array.from({ length: count }, work));
  const name = `${atOnce}x${threads}`;
  const close = () => reader.close();
  const film = { path: files.film, expectedSOPInstanceUID: null, settings };
  const picture = { path: files.picture, picture: false, settings };
  return [
    { name: `film ${name}`, times, close, work: (count) => all(count, () => reader.read(film)) },
    { name: `picture ${name}`, times: 2 * times, close, work: (count) => all(count, () => reader.examine(picture)) },
  ];
}
