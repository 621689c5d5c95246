import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../config.ts';
import { unlessDiskFull } from '../core/failure.ts';
import type { Announce, Log } from '../core/ports.ts';
import { freeBytesOf, type JobsOptions, pausedByDisk, pauseMs, retryRules, runJobs } from '../jobs/index.ts';
import { readStudy } from '../pipeline.ts';
import { createSteps, type ReconcileRules, reconcile } from '../steps/index.ts';
import { type Gateway, wireGateway } from '../wire-gateway.ts';
import { crashOnUncaught, endWithoutReader } from './crash.ts';
import { exitCodes } from './run.ts';
import { stderrLog } from './stderr-log.ts';

/** `serve`: runs the gateway until SIGTERM or SIGINT; then intake stops, and what is under way is finished or parked. */

interface Input {
  readonly config?: string;
  readonly set?: readonly string[];
}

export async function run({ config: path, set = [] }: Input): Promise<number> {
  const config = loadConfig(path ?? null, set);
  const log = stderrLog();
  crashOnUncaught();
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  await roomToStart(config.jobs.stateFolder, log, stop.signal);
  if (stop.signal.aborted) return exitCodes.ok;
  const gateway = await wireGateway(config, log);
  try {
    await runGateway(gateway, { ...config.jobs, reconcile: config.reconcile }, stop.signal);
  } finally {
    await gateway.close();
    endWithoutReader();
  }
  return exitCodes.ok;
}

interface JobRules extends Pick<JobsOptions, 'concurrency' | 'retryHours' | 'longestPauseSeconds' | 'retentionDays'> {
  /** Left out: what is done is not looked at again. */
  readonly reconcile?: ReconcileRules & { readonly enabled: boolean };
}

const hourMs = 3_600_000;

/** Runs sources, jobs and HTTP until the signal aborts. Rejects when the store fails or the address is taken. */
export async function runGateway(gateway: Gateway, rules: JobRules, signal: AbortSignal): Promise<void> {
  const { server, log, heldBack } = gateway;
  await gateway.ready();
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const jobs = heldBack === null ? startJobs(gateway, rules, stop) : null;
  gateway.bell.ring = () => jobs?.poke();
  try {
    await server.listen();
    const time = () => new Date().toISOString();
    log({ time: time(), event: 'listening', url: server.url(), held: heldBack });
    const looking = rules.reconcile?.enabled
      ? reconcile({ ...gateway.reconciling, announce: gateway.announce }, rules.reconcile, stop)
      : aborted(stop);
    const purging = repeatPurge(gateway, rules.retentionDays, stop);
    await Promise.all([takeIn(gateway, gateway.announce, stop), purging, looking, jobs?.done ?? aborted(stop)]);
    log({ time: time(), event: 'stopped' });
  } finally {
    ended.abort();
    await jobs?.done.catch(() => {});
  }
}

function startJobs(gateway: Gateway, rules: JobRules, signal: AbortSignal) {
  const steps = createSteps(gateway.world);
  return runJobs({
    queue: pausedByDisk(gateway.store.queue, gateway.disk),
    readStudy: (job) => readStudy(job, steps),
    ...{ log: gateway.log, now: Date.now, concurrency: rules.concurrency, signal },
    ...retryRules(rules),
  });
}

/** Runs the sources; while the disk is low they are stopped, and begin again by themselves where they were. */
async function takeIn({ sources, disk }: Gateway, announce: Announce, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    if (disk.isLow()) {
      await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
      continue;
    }
    const pause = new AbortController();
    const watch = setInterval(() => disk.isLow() && pause.abort(), pauseMs);
    const until = AbortSignal.any([stop, pause.signal]);
    await Promise.all(sources.sources.map((source) => source.run(announce, until))).finally(() => clearInterval(watch));
    if (sources.sources.length === 0) await aborted(until);
  }
}

/** Bytes without which nothing can be opened. */
const bytesToStart = 4 * 1024 * 1024;

/** A start on a full disk waits for room: ending would only be followed by the next start. */
async function roomToStart(stateFolder: string, log: Log, signal: AbortSignal): Promise<void> {
  const folder = resolve(stateFolder);
  for (let told = false; freeBytesOf(folder) < bytesToStart && !signal.aborted; told = true) {
    if (!told) log({ time: new Date().toISOString(), event: 'alert', code: 'disk-full' });
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

/** Once at the start and then every hour: bytes of artifacts that were delivered long ago. What a full disk held back goes an hour later. */
async function repeatPurge({ store }: Gateway, retentionDays: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await store.purge(Date.now() - retentionDays * 24 * hourMs, Date.now()).catch(unlessDiskFull);
    await sleep(hourMs, undefined, { signal }).catch(() => {});
  }
}

/** Nothing is read while studies are held back; they are announced and wait. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
