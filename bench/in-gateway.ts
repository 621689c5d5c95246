import type { ContentSettings } from '../src/core/reading.ts';
import { goldenRadiograph } from '../src/model/golden.ts';
import type { LoadedModel } from '../src/model/manifest.ts';
import { type BatchNetwork, openNetwork } from '../src/model/session.ts';
import { preprocess } from '../src/model/tensor.ts';
import { createReader } from '../src/reader/index.ts';
import { bareId, batches, type Entered, type Entry, threadsInWords } from './entry.ts';
import { childPids } from './machine.ts';

/** Entries that are the gateway's own: its session without decoding and preprocessing, and its reader with both. */

export interface Files {
  /** DICOM, 2048 × 2500, 12 bits. */
  readonly film: string;
  /** PNG at the network's own size. */
  readonly picture: string;
}

/** The session with its checks, in this process; a batch is what the gateway runs on a graphics card. */
export async function enterSession(model: LoadedModel, threads: number, images: number): Promise<Entered> {
  const { tensor } = preprocess(goldenRadiograph(1), model.manifest.preprocess);
  const networks: BatchNetwork[] = [];
  const entries: Entry[] = [];
  for (const batch of batches) {
    const network = await openNetwork(model, { threads, batch });
    const id = `session ${threads}${batch > 1 ? ` b${batch}` : ''}`;
    const what = `gateway's session, decoding and preprocessing excluded, ${threadsInWords(threads)}`;
    const tensors = Array.from({ length: batch }, () => tensor);
    const work = async (times: number) => {
      for (let i = 0; i < times; i += batch) await network.inferAll(tensors);
    };
    networks.push(network);
    const contestant = { name: id, times: Math.max(batch, images), work };
    entries.push({ id, what, threads, batch, against: bareId(threads, batch), contestant });
  }
  return { entries, close: () => Promise.all(networks.map((network) => network.close())) };
}

export interface ReaderSetting {
  readonly atOnce: number;
  readonly threads: number;
  readonly settings: ContentSettings;
  readonly images: number;
}

/** One pool of children that reads both kinds of file. */
export async function enterReader(model: LoadedModel, files: Files, setting: ReaderSetting): Promise<Entered> {
  const { atOnce, threads, settings, images } = setting;
  const before = childPids();
  const reader = createReader({ modelFolder: model.folder, atOnce, threads, spares: 0, memoryLimitMiB: 4096 });
  await reader.ready();
  const film = { path: files.film, expectedSOPInstanceUID: null, settings };
  const picture = { path: files.picture, picture: false, settings };
  const all = (count: number, work: () => Promise<unknown>) => Promise.all(Array.from({ length: count }, work));
  const who = atOnce === 1 ? `one reader of ${threadsInWords(threads)}` : 'two readers of 1 thread';
  const shape = `${atOnce}x${threads}`;
  const against = atOnce === 1 ? bareId(threads) : bareId(shape);
  const entry = (kind: string, what: string, times: number, work: () => Promise<unknown>): Entry => ({
    ...{ id: `${kind} ${shape}`, what: `${what}, ${who}`, threads: atOnce * threads, batch: 1, against },
    contestant: { name: `${kind} ${shape}`, times, work: (count) => all(count, work) },
  });
  const pids = childPids()?.filter((pid) => !before?.includes(pid)) ?? [];
  return {
    entries: [
      entry('picture', '224-pixel PNG from file to score', images, () => reader.examine(picture)),
      entry('film', 'DICOM film from file to score and picture', 2 * atOnce, () => reader.read(film)),
    ],
    close: () => reader.close(),
    pids: new Map([[`child of ${who}`, pids]]),
  };
}
