import { setTimeout as sleep } from 'node:timers/promises';
import { asFailure, describe, type Failure } from '../core/failure.ts';
import type { Job, Log, Settlement } from '../core/ports.ts';
import { type ClaimedJob, lookAgainOrGone, type RetryRules, type RetrySettlement, retryOrDie } from './backoff.ts';
import { stackFrames } from './stack-frames.ts';
import type { DurableQueue } from './store.ts';

/** Takes due jobs off the queue and runs them, a few at a time, until told to stop. */

export interface RunnerOptions extends RetryRules {
  readonly queue: DurableQueue;
  /** One run of a study: gives its settlement or throws; a thrown Failure is decided on by its class. */
  readonly readStudy: (job: Job) => Promise<Settlement>;
  /** Hears why a run failed. The changes of state are told by the store. */
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly concurrency: number;
  /** Its abort ends the claiming; what runs then has `graceMs` to finish and is parked after that. */
  readonly signal: AbortSignal;
  readonly graceMs?: number;
}

export interface Runner {
  /** Something was announced: look for due jobs now. */
  poke(): void;
  /** Resolves after the abort, when all is finished or parked; rejects when the store itself fails. */
  readonly done: Promise<void>;
}

/** Leaves two of the ten seconds that a stop may take to whatever else has to close. */
const defaultGraceMs = 8_000;
/** The queue's clock may jump and a timer does not follow it: the queue is asked again after this long, whatever it said. */
const longestSleepMs = 60_000;

/** Frees the claims that a dead process left, then runs jobs. */
export function runJobs(options: RunnerOptions): Runner {
  const bell = createBell();
  options.signal.addEventListener('abort', bell.ring, { once: true });
  options.queue.watch?.(bell.ring, options.signal);
  const done = run(options, bell).finally(() => options.signal.removeEventListener('abort', bell.ring));
  return { poke: bell.ring, done };
}

/** What runs now. A job that was taken off here belongs to nobody: whatever its run still gives is dropped. */
type Running = Map<ClaimedJob, Promise<void>>;

async function run(options: RunnerOptions, bell: Bell): Promise<void> {
  const running: Running = new Map();
  const crash = new AbortController();
  try {
    await whenThereIsRoom(
      options,
      () => !options.signal.aborted,
      () => options.queue.recover(options.now()),
    );
    await claimJobs(options, bell, running, crash);
  } finally {
    await stop(options, running);
  }
  crash.signal.throwIfAborted();
}

async function claimJobs(options: RunnerOptions, bell: Bell, running: Running, crash: AbortController): Promise<void> {
  const { queue, signal, now, concurrency } = options;
  const start = (job: ClaimedJob) => {
    const ended = runJob(options, job, () => running.has(job))
      .catch((error: unknown) => crash.abort(error))
      .finally(() => {
        running.delete(job);
        bell.ring();
      });
    running.set(job, ended);
  };
  while (!signal.aborted && !crash.signal.aborted) {
    const rung = bell.next();
    const job = running.size < concurrency ? await unlessFull(queue.claim(now())) : null;
    if (job) {
      start(job);
      continue;
    }
    const dueAt = running.size < concurrency ? await queue.nextDueAt() : null;
    if (job === undefined) await atMost(roomPauseMs, rung);
    else await atMost(dueAt === null ? longestSleepMs : Math.max(0, Math.min(longestSleepMs, dueAt - now())), rung);
  }
}

/** `undefined`: the disk has no room for the claim. */
async function unlessFull<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (thrown) {
    if (asFailure(thrown).code === 'disk-full') return undefined;
    throw thrown;
  }
}

/** Waits for what runs until the grace is over, then parks the rest for the next start. */
async function stop(options: RunnerOptions, running: Running): Promise<void> {
  const { queue, now, graceMs = defaultGraceMs } = options;
  await atMost(graceMs, Promise.all(running.values()));
  const late = [...running.keys()];
  running.clear();
  for (const job of late) await unlessFull(unlessLost(options, job, queue.park(job, now())));
}

/** One run. Rejects only when the store fails: then nothing that this process does is durable any more, and it must stop. */
async function runJob(options: RunnerOptions, job: ClaimedJob, isMine: () => boolean): Promise<void> {
  const { queue, readStudy, log, now } = options;
  let settlement: Settlement | RetrySettlement;
  try {
    settlement = await readStudy(job);
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (!isMine()) return;
    if (failure.class !== 'skip') log(failureLine(job, failure, now()));
    if (failure.code === 'claim-lost') return;
    if (failure.code === 'store-failed') throw failure;
    settlement = settlementOf(job, failure, now(), options);
  }
  await whenThereIsRoom(options, isMine, () => unlessLost(options, job, queue.settle(job, settlement, now())));
}

/** Who took a job over ends it; what this run had to say of it is dropped. */
async function unlessLost({ log, now }: RunnerOptions, job: ClaimedJob, change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code !== 'claim-lost') throw thrown;
    log(failureLine(job, failure, now()));
  }
}

const roomPauseMs = 2_000;

/** A full disk keeps no settlement from being written once there is room: until then the run holds its claim. */
async function whenThereIsRoom(
  { signal }: RunnerOptions,
  isMine: () => boolean,
  write: () => Promise<void>,
): Promise<void> {
  while (isMine()) {
    try {
      return await write();
    } catch (thrown) {
      if (asFailure(thrown).code !== 'disk-full') throw thrown;
    }
    // At a stop the claim is left: the next start frees it.
    if (signal.aborted) return;
    await sleep(roomPauseMs, undefined, { signal }).catch(() => {});
  }
}

/** What a failure makes of a run, by its class. */
export function settlementOf(
  job: ClaimedJob,
  failure: Failure,
  now: number,
  rules: RetryRules,
): Settlement | RetrySettlement {
  const { code } = failure;
  switch (failure.class) {
    case 'skip':
      return { state: 'skipped', code };
    case 'quarantine':
      return code === 'source-gone' ? lookAgainOrGone(job, now) : { state: 'quarantined', code };
    case 'transient':
    case 'ambiguous':
      return retryOrDie(job, { code, retryAfterSeconds: failure.detail.retryAfterSeconds }, now, rules);
    case 'permanent':
      return { state: 'dead', code };
  }
}

function failureLine(job: Job, failure: Failure, now: number): Parameters<Log>[0] {
  const { code, detail } = failure;
  const line = { time: new Date(now).toISOString(), event: 'failure', job: job.number, code, class: failure.class };
  const stack = code === 'internal' ? { stack: stackFrames(detail.cause ?? failure) } : {};
  return { ...line, detail: withoutUids(describe(code, detail)), ...stack };
}

/** Five components or more, or a `2.25.` UUID; an IPv4 address stays. */
function withoutUids(text: string): string {
  return text.replaceAll(/\b(?:2\.25\.\d+|\d+(?:\.\d+){4,})\b/g, '<uid>');
}

interface Bell {
  ring(): void;
  /** Resolves at the next ring. */
  next(): Promise<void>;
}

function createBell(): Bell {
  let rung = Promise.withResolvers<void>();
  return {
    ring() {
      rung.resolve();
      rung = Promise.withResolvers();
    },
    next: () => rung.promise,
  };
}

/** The event, or the time, whichever comes first. */
async function atMost(ms: number, event: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    await Promise.race([event, promise]);
  } finally {
    clearTimeout(timer);
  }
}
