import type { JobState, Settlement } from '../core/ports.ts';
import type { Demand, StudyEvent } from '../core/study.ts';
import type { RetrySettlement } from './backoff.ts';
import type { JobRow } from './job-row.ts';
import type { JobChange } from './store.ts';

/**
 * The life of a job, whatever engine holds it. Pure: a row in, the row that follows and the changes of state out. A job is in exactly
 * one of three conditions:
 * - waiting: unclaimed, `announced`, `settling` or `retrying`; due at `due_at`, and `ready` from then on;
 * - running: claimed; the state is the one it was claimed in, or `selected`, `read`, `delivering`;
 * - ended: unclaimed, any other state; only an announcement makes it wait again.
 */
export interface Transition {
  readonly row: JobRow;
  readonly changes: readonly JobChange[];
}

/** Longest wait of a job under which the process died more than once: it must not keep the others from their turn. */
const longestInterruptionMs = 10 * 60_000;

const unclaimed = { claimed: 0, claim: null, instance: null } as const;

/** A demand that came while the job ran takes the place of the one that it ran with. */
const keepDemand = ({ demand, next_demand: next }: JobRow) => ({ demand: next ?? demand, next_demand: null });

type Next = Pick<JobChange, 'at' | 'state' | 'attempt'> & Partial<Pick<JobChange, 'code' | 'cause' | 'demand'>>;

/** The row is as it was before the change. */
export function changeOf(
  row: Pick<JobRow, 'updated_at'>,
  { at, state, code, cause, attempt, demand }: Next,
): JobChange {
  const durationMs = Math.max(0, at - row.updated_at);
  return { at, state, code: code ?? null, cause: cause ?? null, attempt, durationMs, demand: demand ?? null };
}

/** The study of a known job was announced; null when that changes nothing. */
export function announced(row: JobRow, { source, priority, demand }: StudyEvent, now: number): Transition | null {
  const stat = priority === 'stat' ? 1 : 0;
  const isRunning = row.claimed === 1;
  const wish = demand ? JSON.stringify(demand) : null;
  const wanted = wish === null ? {} : isRunning ? { next_demand: wish } : ({ demand: wish, ready: 1 } as const);
  if (!isRunning && row.waiting === 0) {
    const { row: next, changes } = restarted({ ...row, source, stat }, now, demand);
    return { row: { ...next, ...wanted }, changes };
  }
  const again = isRunning ? 1 : row.announced_again;
  if (wish === null && stat <= row.stat && again === row.announced_again) return null;
  return {
    row: { ...row, stat: row.stat || stat ? 1 : 0, announced_again: again, ...wanted },
    changes: demand ? [asked(row, demand, now)] : [],
  };
}

/** Nothing changed yet, and no time was spent: who asked, and why, stands in the history. */
const asked = ({ state, code, attempt }: JobRow, demand: Demand, now: number): JobChange =>
  changeOf({ updated_at: now }, { at: now, state, code, attempt, demand });

/** A new run of an ended job, due at once, its failures forgotten. */
function restarted(row: JobRow, now: number, demand: Demand | null = null): Transition {
  const times = { announced_at: now, due_at: now, updated_at: now, failing_since: null };
  const counters = { attempt: 0, interrupted: 0, partial: 0, announced_again: 0, ready: 1 } as const;
  const next = { ...row, ...unclaimed, ...times, ...counters, state: 'announced', code: null } as const;
  return {
    row: { ...next, settling_count: null, settling_since: null },
    changes: [changeOf(row, { at: now, state: 'announced', attempt: 0, demand })],
  };
}

export function claimed(row: JobRow, claim: string, instance: number): JobRow {
  return { ...row, claimed: 1, announced_again: 0, claim, instance };
}

export function advanced(row: JobRow, state: JobState, now: number): Transition {
  const change = changeOf(row, { at: now, state, attempt: row.attempt });
  return { row: { ...row, state, updated_at: now }, changes: [change] };
}

/** The end of a run. */
export function settled(held: JobRow, settlement: Settlement | RetrySettlement, now: number): Transition {
  const row: JobRow = { ...held, ...unclaimed, interrupted: 0, ended_claim: held.claim };
  if (settlement.state === 'settling') return settling(row, settlement, now);
  return settlement.state === 'retrying' ? retrying(row, settlement, now) : ended(row, settlement, now);
}

type Of<State> = Extract<Settlement | RetrySettlement, { readonly state: State }>;

function settling(row: JobRow, { dueAt, settling, priority }: Of<'settling'>, now: number): Transition {
  const isNew = row.state !== 'settling';
  const counted = { settling_count: settling.count, settling_since: settling.since };
  const stat = priority === 'stat' ? 1 : row.stat;
  const due = { due_at: dueAt, ready: 0, updated_at: isNew ? now : row.updated_at } as const;
  return {
    row: { ...row, ...counted, ...due, ...keepDemand(row), stat, state: 'settling' },
    changes: isNew ? [changeOf(row, { at: now, state: 'settling', attempt: row.attempt })] : [],
  };
}

function retrying(row: JobRow, { dueAt, code }: Of<'retrying'>, now: number): Transition {
  const attempt = row.attempt + 1;
  const due = { due_at: dueAt, ready: 0, updated_at: now, failing_since: row.failing_since ?? now } as const;
  return {
    row: { ...row, ...due, ...keepDemand(row), state: 'retrying', code, attempt },
    changes: [changeOf(row, { at: now, state: 'retrying', code, attempt })],
  };
}

/** Endings that are no failure. */
const reached: readonly JobState[] = ['done', 'skipped', 'retracted'];

type Ending = Exclude<Settlement | RetrySettlement, { readonly state: 'settling' | 'retrying' }>;

/** Only an ending needs another run for what was announced meanwhile: a settling or retrying job runs again anyway. */
function ended(row: JobRow, ending: Ending, now: number): Transition {
  const { state } = ending;
  const code = 'code' in ending ? ending.code : null;
  const partial = state === 'done' && ending.partial ? 1 : 0;
  const attempt = reached.includes(state) ? row.attempt : row.attempt + 1;
  const nothing = { settling_count: null, settling_since: null, demand: row.next_demand, next_demand: null };
  const next = { ...row, ...nothing, state, code, partial, attempt, updated_at: now } as const;
  const end = changeOf(row, { at: now, state, code, attempt, ...('cause' in ending && { cause: ending.cause }) });
  if (!row.announced_again) return { row: next, changes: [end] };
  const again = restarted(next, now);
  return { row: again.row, changes: [end, ...again.changes] };
}

/** The run was given back unsettled; nothing counts as failed. */
export function parked(row: JobRow, now: number): Transition {
  return freed({ ...row, interrupted: 0, ended_claim: row.claim }, now, 0);
}

/** The process died under the run: once is no blame, again and again may be the job's own doing. */
export function interrupted(row: JobRow, now: number): Transition {
  const times = row.interrupted + 1;
  const waitMs = times === 1 ? 0 : Math.min(longestInterruptionMs, 1_000 * 2 ** Math.min(times, 16));
  return freed({ ...row, interrupted: times }, now, waitMs);
}

/** Takes the claim off. The due time stays, so that the job keeps its place and the length of its last back-off. */
function freed(row: JobRow, now: number, waitMs: number): Transition {
  const waits = row.state === 'announced' || row.state === 'settling' || row.state === 'retrying';
  const due = { due_at: waitMs > 0 ? now + waitMs : row.due_at, ready: waitMs > 0 ? 0 : 1 } as const;
  const state = { state: waits ? row.state : 'announced', updated_at: waits ? row.updated_at : now } as const;
  return {
    row: { ...row, ...unclaimed, ...due, ...state, ...keepDemand(row), announced_again: 0 },
    changes: waits ? [] : [changeOf(row, { at: now, state: 'announced', attempt: row.attempt })],
  };
}
