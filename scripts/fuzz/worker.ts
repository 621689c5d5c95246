import { parentPort, workerData } from 'node:worker_threads';
import { asFailure } from '../../src/core/failure.ts';
import { uniform } from '../../src/model/random.ts';
import { type Coverage, startCoverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import { createTargets, type Target } from './targets.ts';

/** The thread that feeds one target until its time is up. Its present input lies in shared memory: a hang or a death leaves it there. */

export interface FuzzOrder {
  readonly target: string;
  readonly seconds: number;
  readonly seed: number;
  readonly films: string | null;
  /** `[length, inputs so far]`, and the input. */
  readonly state: SharedArrayBuffer;
  readonly input: SharedArrayBuffer;
}

/** What the thread tells. */
export type FuzzNews =
  | { readonly kind: 'finding'; readonly why: string; readonly input: Uint8Array }
  | { readonly kind: 'progress'; readonly inputs: number; readonly kept: number; readonly blocks: number };

/** Inputs between two looks at the coverage: a look costs as much as some dozen of them. */
const together = 40;
const reportEveryMs = 5000;

const order = workerData as FuzzOrder;
const state = new Int32Array(order.state);
const shared = new Uint8Array(order.input);
const tell = (news: FuzzNews): void => parentPort!.postMessage(news);

/** Why an answer is none: null when it is one. */
async function fault({ run, mostMs }: Target, input: Uint8Array): Promise<string | null> {
  shared.set(input);
  Atomics.store(state, 0, input.length);
  Atomics.add(state, 1, 1);
  const began = process.threadCpuUsage();
  try {
    await run(input);
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === 'internal')
      return String((failure.detail.cause as Error)?.stack ?? failure.detail.cause ?? thrown);
  }
  // Of this thread's own time: what other work does to the machine is no finding.
  const { user, system } = process.threadCpuUsage(began);
  const ms = (user + system) / 1000;
  return ms > mostMs ? `took ${ms.toFixed(0)} ms` : null;
}

async function feed(target: Target, coverage: Coverage): Promise<void> {
  const random = uniform(order.seed);
  const corpus = [...target.seeds(order.films)];
  const pick = (): Uint8Array => corpus[Math.floor(random() * corpus.length)]!;
  const end = performance.now() + order.seconds * 1000;
  let reportAt = 0;
  const met = async (input: Uint8Array): Promise<void> => {
    const why = await fault(target, input);
    if (why !== null) tell({ kind: 'finding', why, input });
  };
  for (const seed of corpus) await met(seed);
  await coverage.fresh();
  while (performance.now() < end) {
    const batch = Array.from({ length: together }, () => mutate(pick(), pick(), random, shared.length));
    for (const input of batch) await met(input);
    if ((await coverage.fresh()) > 0) corpus.push(...batch);
    if (performance.now() > reportAt) {
      reportAt = performance.now() + reportEveryMs;
      tell({ kind: 'progress', inputs: Atomics.load(state, 1), kept: corpus.length, blocks: coverage.total() });
    }
  }
  tell({ kind: 'progress', inputs: Atomics.load(state, 1), kept: corpus.length, blocks: coverage.total() });
}

await feed(createTargets()[order.target]!, await startCoverage());
process.exit(0);
