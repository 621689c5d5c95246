import type { Log } from './ports.ts';

/**
 * What of the log a person must be told of, as lines `event: alert`. Studies that have failed for a quarter of an hour for one
 * reason (fault 24): once, until no study waits for that reason any more. And each study that ended because an archive gave another object or
 * another patient than it should (faults 8, 37 and 44).
 */
export const alertAfterMs = 15 * 60_000;

/** A backlog after a night without a PACS; beyond it a failing study is not watched, and one alert is out already. */
const mostWatched = 100_000;

interface Failing {
  readonly code: string;
  /** When the first run of the present row failed, milliseconds since 1970. */
  readonly since: number;
}

/** Hand it every line of the log; what it writes has `event: alert`. @param now milliseconds since 1970 */
export function watchForAlerts(log: Log, now: () => number): Log {
  const failing = new Map<number, Failing>();
  const jobsOf = new Map<string, number>();
  const told = new Set<string>();
  const count = (code: string, by: number): void => {
    const jobs = (jobsOf.get(code) ?? 0) + by;
    jobsOf.set(code, jobs);
    if (jobs > 0) return;
    jobsOf.delete(code);
    told.delete(code);
  };
  const forget = (job: number): void => {
    const known = failing.get(job);
    if (!known) return;
    failing.delete(job);
    count(known.code, -1);
  };
  const note = (job: number, code: string): Failing => {
    const old = failing.get(job);
    if (old?.code === code) return old;
    const next = { code, since: old?.since ?? now() };
    failing.set(job, next);
    count(code, 1);
    if (old) count(old.code, -1);
    return next;
  };
  return ({ event, job, state, code, class: kind }) => {
    if (typeof job !== 'number') return;
    if (event === 'job' && ends.has(state)) {
      forget(job);
      if (toldAtOnce.has(code)) log({ time: new Date(now()).toISOString(), event: 'alert', code: String(code), job });
      return;
    }
    const isTransient = event === 'failure' && (kind === 'transient' || kind === 'ambiguous');
    if (!isTransient || typeof code !== 'string' || (failing.size >= mostWatched && !failing.has(job))) return;
    const forMs = now() - note(job, code).since;
    if (forMs < alertAfterMs || told.has(code)) return;
    told.add(code);
    log({ time: new Date(now()).toISOString(), event: 'alert', code, forSeconds: Math.round(forMs / 1000) });
  };
}

const toldAtOnce = new Set<unknown>(['wrong-object', 'identity-conflict', 'uid-conflict', 'pacs-altered']);
const ends = new Set<unknown>(['done', 'skipped', 'quarantined', 'source-gone', 'dead', 'superseded', 'retracted']);
