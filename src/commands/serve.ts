import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../config.ts';
import { runJobs } from '../jobs/index.ts';
import { readStudy } from '../pipeline.ts';
import { createSteps } from '../steps/index.ts';
import { type Gateway, wireGateway } from '../wire-gateway.ts';
import { exitCodes } from './run.ts';
import { stderrLog } from './stderr-log.ts';

/** `serve`: runs the gateway until SIGTERM or SIGINT; then intake stops, and what is under way is finished or parked. */

interface Input {
  readonly config?: string;
  readonly set?: readonly string[];
}

export async function run({ config: path, set = [] }: Input): Promise<number> {
  const config = loadConfig(path ?? null, set);
  const gateway = wireGateway(config, stderrLog());
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  try {
    await runGateway(gateway, config.jobs, stop.signal);
  } finally {
    await gateway.close();
  }
  return exitCodes.ok;
}

interface JobRules {
  readonly concurrency: number;
  readonly retryHours: number;
  readonly retentionDays: number;
}

const hourMs = 3_600_000;

/** Runs sources, jobs and HTTP until the signal aborts. Rejects when the store fails or the address is taken. */
export async function runGateway(gateway: Gateway, rules: JobRules, signal: AbortSignal): Promise<void> {
  const { server, sources, log, heldBack } = gateway;
  await gateway.ready();
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const jobs = heldBack === null ? startJobs(gateway, rules, stop) : null;
  gateway.bell.ring = () => jobs?.poke();
  try {
    await server.listen();
    const time = () => new Date().toISOString();
    log({ time: time(), event: 'listening', url: server.url(), held: heldBack });
    const purging = repeatPurge(gateway, rules.retentionDays, stop);
    const intake = sources.sources.map((source) => source.run(gateway.announce, stop));
    await Promise.all([...intake, purging, jobs?.done ?? aborted(stop)]);
    log({ time: time(), event: 'stopped' });
  } finally {
    ended.abort();
    await jobs?.done.catch(() => {});
  }
}

function startJobs(gateway: Gateway, { concurrency, retryHours }: JobRules, signal: AbortSignal) {
  const steps = createSteps(gateway.world);
  return runJobs({
    queue: gateway.store.queue,
    readStudy: (job) => readStudy(job, steps),
    ...{ log: gateway.log, now: Date.now, random: Math.random, concurrency, signal },
    retryWindowMs: retryHours * hourMs,
  });
}

/** Once at the start and then every hour: bytes of artifacts that were delivered long ago. */
async function repeatPurge({ store }: Gateway, retentionDays: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await store.purge(Date.now() - retentionDays * 24 * hourMs, Date.now());
    await sleep(hourMs, undefined, { signal }).catch(() => {});
  }
}

/** Nothing is read while studies are held back; they are announced and wait. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
