import { loadConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import type { JobState } from '../core/ports.ts';
import { demandOf } from './demand.ts';
import { interruptible } from './long-run.ts';
import { createProgress } from './progress.ts';
import { exitCodes } from './run.ts';
import { exitCodeOfState, type StudiesLink, type StudyResult, sentenceOf, withStudies } from './studies.ts';
import { requireStudyUids } from './study.ts';

/** `replay`: studies are read anew with the present model and settings; what comes out the same is nothing new. */

interface Input {
  readonly uids: readonly string[];
  readonly reason: string;
  readonly state?: JobState;
  readonly code?: string;
  readonly force?: boolean;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export async function run({ uids, reason, state, code, force = false, json = false, ...rest }: Input): Promise<number> {
  requireStudyUids(uids);
  const byFilter = state !== undefined || code !== undefined;
  if (byFilter === uids.length > 0) {
    const expected = 'StudyInstanceUIDs, or else --state or --code';
    throw new Failure('config-invalid', { where: 'the arguments', expected });
  }
  demandOf('replay', reason);
  const config = loadConfig(rest.config ?? null, rest.set ?? []);
  const progress = createProgress(process.stderr, () => performance.now(), 'studies');
  const work = (signal: AbortSignal) =>
    withStudies(config, async (link) => {
      const filter = { ...(state && { state }), ...(code && { code }) };
      const wanted = byFilter ? await link.find(filter) : [...new Set(uids)];
      // Each has an id of its own: it is carried out once.
      for (const studyInstanceUid of wanted) {
        signal.throwIfAborted();
        const demand = demandOf('replay', reason, force);
        await link.ask({ studyInstanceUid, source: 'replay', priority: priorityOf(wanted), demand });
      }
      return tell(link, wanted, { signal, json, bar: wanted.length > 1 ? progress.tell : () => {} });
    });
  const stopped = 'stopped waiting: what was asked for stays asked for, and the running or the next gateway does it';
  return interruptible(work, { stopped, end: progress.end });
}

/** One study is urgent for whoever asks; a thousand must not stand before the patients of today. */
const priorityOf = (wanted: readonly string[]) => (wanted.length === 1 ? 'stat' : 'routine');

interface Telling {
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly bar: (done: number, total: number) => void;
}

/** Prints each study when its run has ended; the exit code is that of the first that failed. */
async function tell(link: StudiesLink, wanted: readonly string[], { signal, json, bar }: Telling): Promise<number> {
  let exitCode: number = exitCodes.ok;
  for (const [index, uid] of wanted.entries()) {
    const result = await unlessStopped(link.result(uid), signal);
    console.log(json ? JSON.stringify(result) : lineOf(result, wanted.length));
    if (exitCode === exitCodes.ok) exitCode = exitCodeOfState(result);
    bar(index + 1, wanted.length);
  }
  return exitCode;
}

const lineOf = (result: StudyResult, total: number): string =>
  total === 1 ? sentenceOf(result) : `${result.studyInstanceUid}: ${sentenceOf(result)}`;

export async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener('abort', stop, { once: true });
  work.catch(() => {});
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
