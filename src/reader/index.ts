import type { ChildProcess } from 'node:child_process';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Examination, ExaminationRequest } from '../core/examination.ts';
import { asFailure, Failure } from '../core/failure.ts';
import type { FilmReader } from '../core/ports.ts';
import type { NetworkEvent, Provider, ProviderChoice, ProviderFallback } from '../core/provider.ts';
import type { Precision } from '../core/reading.ts';
import { type Ending, exchange, type Limits, startChild } from './exchange.ts';
import { type Answer, parseAnswer, type Question, toFailure } from './messages.ts';
import { inferenceMessage, parseTensor } from './network-messages.ts';
import { Pool } from './pool.ts';
import { SharedNetwork } from './shared-network.ts';

/** The reader: films are read in child processes that may die without hurting the gateway. */

export interface ReaderOptions {
  readonly modelFolder: string;
  /** How the network computes; float32 by default, and always where the provider is not the CPU. */
  readonly precision?: Precision;
  /** Wall time that one film may take. */
  readonly timeoutSeconds?: number;
  /** Resident memory of a child, the model included. */
  readonly memoryLimitMiB?: number;
  /** Threads of the network in each child. */
  readonly threads?: number;
  /** Wall time from the start of a child until its model has given its known answer. */
  readonly openSeconds?: number;
  /** Films read at the same time, each in a child of its own; a shared network never has more of them before it. */
  readonly atOnce?: number;
  /** Warm children that take over when one dies. */
  readonly spares?: number;
  /** By default `cpu`: a network in each child. Any other is one network in a process that all children share. */
  readonly provider?: ProviderChoice;
  /** What becomes of films when the named provider cannot be used; by default `cpu`. */
  readonly providerFallback?: ProviderFallback;
  /** Films in one run of the shared network, and how long one waits for others, milliseconds. */
  readonly batch?: { readonly max: number; readonly waitMs: number };
  /** Environment of the shared network's process: where its drivers are. */
  readonly driverEnvironment?: Readonly<Record<string, string>>;
  /** Hears of the provider in use and of runs of the shared network. */
  readonly report?: (event: NetworkEvent) => void;
  /** Another program for the children, for tests. */
  readonly entry?: string;
  /** Another program for the shared network, for tests. */
  readonly networkEntry?: string;
}

export interface Reader extends FilmReader {
  /** Resolves when a child is open. Raises `model-unusable` or `provider-unavailable`, with the check that failed. */
  ready(): Promise<void>;
  /** Score and features of a DICOM film, a JPEG or a PNG. Raises as `read` does. */
  examine(request: ExaminationRequest): Promise<Examination>;
}

/** Beside this file, in TypeScript or compiled. */
const beside = (name: string): string =>
  fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url));

const defaults = {
  ...{ timeoutSeconds: 30, memoryLimitMiB: 1024, threads: 1, openSeconds: 60, atOnce: 1, spares: 1 },
  provider: 'cpu' as ProviderChoice,
  precision: 'float32' as Precision,
  providerFallback: 'cpu' as ProviderFallback,
  batch: { max: 1, waitMs: 0 },
  driverEnvironment: {},
  report: (() => {}) as (event: NetworkEvent) => void,
  entry: beside('child'),
  networkEntry: beside('network-child'),
};

type Settings = typeof defaults & ReaderOptions;

/** Times a question is put to a child before its deaths are held against the film. */
const attempts = 2;

export function createReader(options: ReaderOptions): Reader {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = { ...defaults, ...(given as ReaderOptions), modelFolder: resolve(options.modelFolder) };
  const { provider: asked } = settings;
  const network = asked === 'cpu' ? null : openShared(settings);
  const pool = openPool(settings, network);
  const limits = { timeoutMs: settings.timeoutSeconds * 1000, memoryLimitMiB: settings.memoryLimitMiB };

  const ask = async (question: Question): Promise<Answered> => {
    for (let attempt = 1; ; attempt++) {
      const child = await pool.take();
      const help = network ? helper(network) : null;
      const talk = { ...limits, parse: parseAnswer, ...(help ? { help: help.answer } : {}) };
      const ending = await exchange(child, question, talk);
      pool.give(child);
      if (ending.kind === 'answer') return { answer: ending.answer, used: help?.used() ?? 'cpu' };
      if (ending.kind !== 'died' || attempt === attempts) throw failureOf(ending, limits);
    }
  };
  return {
    async ready() {
      await network?.opened();
      pool.give(await pool.take());
    },
    header: async (path) => expectAnswer((await ask({ kind: 'header', path })).answer, 'header').header,
    async read(request) {
      const { answer, used } = await ask({ kind: 'read', request });
      return { ...expectAnswer(answer, 'reading').reading, provider: { asked, used } };
    },
    examine: async (request) =>
      expectAnswer((await ask({ kind: 'examine', request })).answer, 'examination').examination,
    close: async () => void (await Promise.all([pool.close(), network?.close()])),
  };
}

interface Answered {
  readonly answer: Answer;
  readonly used: Provider;
}

/** Longest start of a provider that was named: TensorRT builds its engine for minutes. Whoever did not name one waits `openSeconds`. */
const namedOpenSeconds = 900;

function openShared(settings: Settings): SharedNetwork {
  const { modelFolder, threads, provider, providerFallback, batch, timeoutSeconds, openSeconds, report } = settings;
  return new SharedNetwork({
    ...{ modelFolder, threads, report, asked: provider, fallback: providerFallback },
    entry: settings.networkEntry,
    environment: settings.driverEnvironment,
    batch: batch.max,
    waitMs: batch.waitMs,
    openMs: (provider === 'auto' ? openSeconds : Math.max(openSeconds, namedOpenSeconds)) * 1000,
    runMs: timeoutSeconds * 1000,
  });
}

function openPool(settings: Settings, network: SharedNetwork | null): Pool {
  const { modelFolder, precision, threads, openSeconds, memoryLimitMiB, entry, spares, atOnce } = settings;
  const question = { kind: 'open', modelFolder, precision, threads, network: network ? 'shared' : 'own' } as const;
  return new Pool({
    atOnce,
    spares,
    start: () => startChild(entry),
    open: (child) => open(child, question, { timeoutMs: openSeconds * 1000, memoryLimitMiB }),
  });
}

/** Answers the one tensor that a child may ask about during a question; a second one is no message of ours. */
function helper(network: SharedNetwork) {
  let asked = false;
  let used: Provider = 'cpu';
  return {
    used: () => used,
    answer(message: unknown): Promise<object> | null {
      const tensor = asked ? null : parseTensor(message);
      if (!tensor) return null;
      asked = true;
      return network.infer(tensor).then(
        (shared) => {
          used = shared.used;
          return shared.message;
        },
        (thrown: unknown) => inferenceMessage(asFailure(thrown)),
      );
    },
  };
}

/** A child that cannot be opened is the model's fault or the installation's, never a film's. */
async function open(child: ChildProcess, question: Question, limits: Limits): Promise<void> {
  const ending = await exchange(child, question, { ...limits, parse: parseAnswer });
  if (ending.kind === 'answer') {
    expectAnswer(ending.answer, 'ready');
    return;
  }
  const cause = failureOf(ending, limits);
  const where = 'start of the reader process';
  throw new Failure('model-unusable', { where, expected: 'a model that opens', got: cause.message, cause });
}

function expectAnswer<K extends Answer['kind']>(answer: Answer, kind: K): Extract<Answer, { kind: K }> {
  if (answer.kind === 'failed') throw toFailure(answer.failure);
  if (answer.kind === kind) return answer as Extract<Answer, { kind: K }>;
  throw new Failure('internal', { where: 'answer of the reader process', expected: kind, got: answer.kind });
}

function failureOf(
  ending: Exclude<Ending<Answer>, { kind: 'answer' }>,
  { timeoutMs, memoryLimitMiB }: Limits,
): Failure {
  const where = 'reader process';
  switch (ending.kind) {
    case 'died':
      return new Failure('reader-crashed', { where, got: ending.how });
    case 'timeout':
      return new Failure('reader-timeout', { where, expected: `an answer within ${timeoutMs / 1000} s` });
    case 'memory': {
      const got = `${Math.round(ending.mebibytes)} MiB`;
      return new Failure('reader-memory', { where, expected: `at most ${memoryLimitMiB} MiB`, got });
    }
  }
}
