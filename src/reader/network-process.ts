import type { ChildProcess } from 'node:child_process';
import { asFailure, Failure } from '../core/failure.ts';
import type { Provider } from '../core/provider.ts';
import { type Ending, exchange, killChild, startChild } from './exchange.ts';
import { toFailure } from './messages.ts';
import { type NetworkAnswer, type NetworkQuestion, parseNetworkAnswer } from './network-messages.ts';

/** Starts network processes and asks them. */

export interface NetworkProcessOptions {
  readonly entry: string;
  /** Where drivers and loaders find their things; nothing else. */
  readonly environment: Readonly<Record<string, string>>;
  readonly modelFolder: string;
  readonly threads: number;
  /** Most films in one run. */
  readonly batch: number;
  /** From the start of the process until its known answers came out right, milliseconds. */
  readonly openMs: number;
}

/** A process whose network has given its known answers. */
export interface NetworkProcess {
  readonly child: ChildProcess;
  readonly provider: Provider;
  /** Milliseconds a film; null when nobody measured. */
  readonly filmMs: number | null;
}

/** CUDA's libraries alone take some GiB; no hostile byte comes here, so that this only stops a leak. */
const memoryLimitMiB = 16_384;

/** The CPU gains nothing by films in one run, and TensorRT would build an engine for each number of them. */
export const mostFilms = (provider: Provider, batch: number): number =>
  provider === 'cpu' || provider === 'tensorrt' ? 1 : batch;

/** Raises `provider-unavailable`; for the CPU, which is always there, `model-unusable`. */
export async function startNetwork(
  options: NetworkProcessOptions,
  provider: Provider,
  { measure, onStart }: { readonly measure: boolean; readonly onStart: (child: ChildProcess) => void },
): Promise<NetworkProcess> {
  const { entry, environment, modelFolder, threads, openMs } = options;
  const child = startChild(entry, environment);
  onStart(child);
  const batch = mostFilms(provider, options.batch);
  const ending = await askNetwork(child, { kind: 'open', modelFolder, provider, threads, batch, measure }, openMs);
  if (ending.kind === 'answer' && ending.answer.kind === 'ready') {
    return { child, provider, filmMs: ending.answer.filmMs };
  }
  await killChild(child);
  if (ending.kind === 'answer' && ending.answer.kind === 'failed') throw toFailure(ending.answer.failure);
  const code = provider === 'cpu' ? 'model-unusable' : 'provider-unavailable';
  const where = `start of the network process on ${provider}`;
  throw new Failure(code, { where, expected: 'known answers', got: howItEnded(ending) });
}

/** `auto` tries these. */
const automatic = ['cuda', 'webgpu', 'cpu'] as const satisfies readonly Provider[];

/** Starts what can be started, takes the time of each, keeps the fastest; and why not the others. */
export async function startFastest(
  options: NetworkProcessOptions,
  onStart: (child: ChildProcess) => void,
): Promise<{ readonly fastest: NetworkProcess; readonly reason: string | null }> {
  const started: NetworkProcess[] = [];
  const reasons: string[] = [];
  for (const provider of automatic) {
    try {
      started.push(await startNetwork(options, provider, { measure: true, onStart }));
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.code !== 'provider-unavailable') throw failure;
      reasons.push(failure.message);
    }
  }
  const [fastest, ...others] = started.sort((a, b) => timeOf(a) - timeOf(b));
  if (!fastest) throw new Failure('internal', { where: 'providers', expected: 'the CPU at least' });
  for (const { child } of others) await killChild(child);
  if (others.length > 0) reasons.push([fastest, ...others].map(timeSentence).join(' '));
  return { fastest, reason: reasons.join(' ') || null };
}

const timeOf = ({ filmMs }: NetworkProcess): number => filmMs ?? Number.POSITIVE_INFINITY;
const timeSentence = ({ provider, filmMs }: NetworkProcess): string =>
  `${provider} takes ${filmMs === null ? 'an unknown time' : `${filmMs.toFixed(1)} ms`} a film.`;

export function askNetwork(
  child: ChildProcess,
  question: NetworkQuestion,
  timeoutMs: number,
): Promise<Ending<NetworkAnswer>> {
  return exchange(child, question, { timeoutMs, memoryLimitMiB, parse: parseNetworkAnswer });
}

/** For a log: how a question came to no result. */
export function howItEnded(ending: Ending<NetworkAnswer>): string {
  switch (ending.kind) {
    case 'died':
      return ending.how;
    case 'timeout':
      return 'no answer in time';
    case 'memory':
      return `${Math.round(ending.mebibytes)} MiB of memory`;
    case 'answer':
      return ending.answer.kind === 'failed' ? toFailure(ending.answer.failure).message : 'another answer';
  }
}
