import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Examine } from '../core/examination.ts';
import { asFailure, Failure } from '../core/failure.ts';
import type { FeatureStore } from './feature-store.ts';

/** Takes the pooled features of each film once, through the reader process. */

export interface Extracted {
  /** Place in the list of files that was given. */
  readonly index: number;
  readonly fileDigest: string;
  readonly features: Float32Array;
}

export interface ExtractionProgress {
  readonly done: number;
  readonly total: number;
  /** Of those done, from an earlier run. */
  readonly known: number;
}

export interface ExtractionTools {
  readonly root: string;
  readonly store: FeatureStore;
  readonly examine: Examine;
  readonly atOnce: number;
  readonly signal: AbortSignal;
  readonly progress: (progress: ExtractionProgress) => void;
  /** Told for each file that cannot be read, by the name that the table gives it. */
  readonly unreadable: (file: string, failure: Failure) => void;
}

/** Share of the films that may be unreadable: more of them is a wrong folder or a broken disk. */
export const mostUnreadable = 0.01;

/**
 * Features of every readable file, in the order of the list. Raises `images-unreadable` as soon as too many are not, whatever
 * else the reader raises, and the signal's reason when it is aborted; what was taken until then stays in the store.
 */
export async function extractFeatures(
  files: readonly string[],
  tools: ExtractionTools,
): Promise<{ readonly films: readonly Extracted[]; readonly unreadable: number }> {
  const films: Extracted[] = [];
  const queue = files.entries();
  const counts = { done: 0, known: 0, unreadable: 0 };
  let stopped = false;
  const work = async (): Promise<void> => {
    for (const [index, file] of queue) {
      if (stopped) return;
      tools.signal.throwIfAborted();
      const outcome = await extract(file, tools);
      if (outcome instanceof Failure) {
        counts.unreadable++;
        tools.unreadable(file, outcome);
        refuseTooMany(counts.unreadable, files.length);
      } else {
        if (outcome.known) counts.known++;
        films.push({ index, fileDigest: outcome.fileDigest, features: outcome.features });
      }
      counts.done++;
      tools.progress({ done: counts.done, total: files.length, known: counts.known });
    }
  };
  const stopping = async (): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      stopped = true;
      throw thrown;
    }
  };
  await Promise.all(Array.from({ length: tools.atOnce }, stopping));
  return { films: films.sort((a, b) => a.index - b.index), unreadable: counts.unreadable };
}

function refuseTooMany(unreadable: number, total: number): void {
  if (unreadable <= mostUnreadable * total) return;
  const expected = `at most ${100 * mostUnreadable} % of ${total}`;
  throw new Failure('images-unreadable', { where: 'files of the table', expected, got: `${unreadable} so far` });
}

type Outcome = { readonly fileDigest: string; readonly features: Float32Array; readonly known: boolean } | Failure;

async function extract(file: string, { root, store, examine, signal }: ExtractionTools): Promise<Outcome> {
  const path = join(root, file);
  try {
    const fileDigest = await digestOf(path);
    const known = store.get(fileDigest);
    if (known) return { fileDigest, features: known, known: true };
    const { features } = await examine(path);
    store.put(fileDigest, features);
    return { fileDigest, features, known: false };
  } catch (thrown) {
    // Ctrl-C in a terminal reaches the reader processes too: a film is not at fault for what dies then.
    signal.throwIfAborted();
    const failure = asFailure(thrown);
    if (failure.class !== 'quarantine') throw failure;
    return failure;
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    throw new Failure('not-dicom', { where: 'file', got: 'no file that can be read', cause });
  }
  return hash.digest('hex');
}
