import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, loadConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import { type ArchiveLook, wireArchive } from '../wire-peers.ts';
import { dryRun } from './backfill-dry-run.ts';
import { daysBetween } from './days.ts';
import { interruptible } from './long-run.ts';
import { createPhases, type Phases } from './progress.ts';
import { unlessStopped } from './replay.ts';
import { exitCodes } from './run.ts';
import { type StudiesLink, withStudies } from './studies.ts';

/**
 * `backfill --from --to`: announces what the archive holds of some days, oldest first, at a rate. It may be broken off and begun
 * again: a study that was read is announced and changes nothing.
 */

interface Input {
  readonly from: string;
  readonly to: string;
  readonly rate: string;
  readonly dryRun?: boolean;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

/** Studies of one day, without those that were listed before. */
export interface Day {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly studies: readonly string[];
}

export async function run({ from, to, rate, dryRun: dry = false, json = false, ...rest }: Input): Promise<number> {
  const days = daysBetween(from, to);
  const pauseMs = pauseOf(rate);
  const config = loadConfig(rest.config ?? null, rest.set ?? []);
  requireYoung(config, days, Date.now());
  const phases = createPhases(process.stderr, () => performance.now());
  const archive = wireArchive(config);
  const work = async (signal: AbortSignal) => {
    const backfill = { config, archive, pauseMs, json, phases, signal };
    const found = await search(archive, days, backfill);
    return dry ? dryRun(found, backfill) : announce(found, backfill);
  };
  try {
    const stopped = 'stopped: the same command goes on; what was announced stays announced';
    return await interruptible(work, { stopped, end: phases.end });
  } finally {
    await archive.close();
  }
}

export interface Backfill {
  readonly config: Config;
  readonly archive: ArchiveLook;
  /** Milliseconds between two studies. */
  readonly pauseMs: number;
  readonly json: boolean;
  readonly phases: Phases;
  readonly signal: AbortSignal;
}

async function search(archive: ArchiveLook, days: readonly string[], { phases, signal }: Backfill) {
  const bar = phases.bar('search', 'days searched');
  const found: Day[] = [];
  let studies = 0;
  for await (const day of archive.days(days, (failure) => console.error(`cxr-gateway: ${failure.message}`))) {
    signal.throwIfAborted();
    found.push(day);
    studies += day.studies.length;
    bar.tell(found.length, days.length, `${studies} studies`);
  }
  return found;
}

async function announce(found: readonly Day[], backfill: Backfill): Promise<number> {
  const { config, phases, json, signal, pauseMs } = backfill;
  const uids = found.flatMap(({ studies }) => studies);
  return withStudies(config, async (link) => {
    const bar = phases.bar('announce', 'studies announced');
    for (const [index, studyInstanceUid] of uids.entries()) {
      if (index > 0) await sleep(pauseMs, undefined, { signal });
      signal.throwIfAborted();
      await link.ask({ studyInstanceUid, source: 'backfill', priority: 'routine' });
      bar.tell(index + 1, uids.length);
    }
    const states = link.running ? null : await finish(link, uids, backfill);
    phases.end();
    const summary = { days: found.length, studies: uids.length, ...(states && { states }) };
    console.log(json ? JSON.stringify(summary) : sentenceOf(summary));
    return exitCodes.ok;
  });
}

/** Alone, the command reads what it announced; a running gateway does that by itself. */
async function finish(link: StudiesLink, uids: readonly string[], { phases, signal }: Backfill) {
  const bar = phases.bar('read', 'studies read');
  const states: Record<string, number> = {};
  for (const [index, uid] of uids.entries()) {
    const { state, code } = await unlessStopped(link.result(uid), signal);
    const name = code === null ? state : `${state} (${code})`;
    states[name] = (states[name] ?? 0) + 1;
    bar.tell(index + 1, uids.length);
  }
  return states;
}

function sentenceOf({ days, studies, states }: { days: number; studies: number; states?: Record<string, number> }) {
  const counts = Object.entries(states ?? {}).map(([state, count]) => `${count} ${state}`);
  const became = states ? `: ${counts.join(', ') || 'nothing to do'}` : ' to the running gateway, which reads them';
  return `${studies} studies of ${days} days announced${became}`;
}

function pauseOf(rate: string): number {
  const number = Number(rate);
  if (rate.trim() !== '' && number > 0 && number <= 60_000) return 60_000 / number;
  const expected = 'studies a minute, above 0, at most 60000';
  throw new Failure('config-invalid', { where: '--rate', expected, got: rate.slice(0, 40) });
}

/** The rule of the selection, told before anything is searched. Raises `config-invalid` when it refuses every one of the days. */
function requireYoung({ selection: { maxStudyAgeDays } }: Config, days: readonly string[], now: number): void {
  if (maxStudyAgeDays === null) return;
  const oldest = new Date(now - maxStudyAgeDays * 86_400_000).toISOString().slice(0, 10);
  const tooOld = days.filter((day) => day < oldest).length;
  if (tooOld === 0) return;
  const where = `selection.maxStudyAgeDays=${maxStudyAgeDays}`;
  if (tooOld === days.length) {
    const expected = `days from ${oldest} on, or selection.maxStudyAgeDays: null`;
    throw new Failure('config-invalid', { where, expected, got: 'older ones alone' });
  }
  console.error(
    `cxr-gateway: ${where}: studies before ${oldest} will be skipped as too-old. selection.maxStudyAgeDays: null has them read.`,
  );
}
