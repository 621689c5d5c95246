import { Failure, type FailureCode, failures } from '../core/failure.ts';
import type { Job, JobState, Log, Settlement } from '../core/ports.ts';
import type { Demand, StudyEvent } from '../core/study.ts';
import type { ClaimedJob, RetrySettlement } from './backoff.ts';
import { createBatch } from './batch.ts';
import { type Database, transaction, translateErrors } from './database.ts';
import { type JobRow, toClaimedJob } from './job-row.ts';
import { createLanes } from './lanes.ts';
import { prepareQueue, type QueueStatements as Statements } from './queue-statements.ts';
import type { DurableQueue, JobChange } from './store.ts';

/**
 * The job queue on SQLite. A job is in exactly one of three conditions:
 * - waiting: unclaimed, `announced`, `settling` or `retrying`; due at `due_at`, and `ready` from then on;
 * - running: claimed; the state is the one it was claimed in, or `selected`, `read`, `delivering`;
 * - ended: unclaimed, any other state; only an announcement makes it wait again.
 */

const where = 'the job queue';

/** Longest wait of a job under which the process died more than once: it must not keep the others from their turn. */
const longestInterruptionMs = 10 * 60_000;

export function createQueue(database: Database, log: Log): DurableQueue {
  const statements = prepareQueue(database);
  const change = recorder(database, statements, log);
  const lanes = createLanes();
  const batch = createBatch<Announcement>((announcements) => {
    change((record) => {
      for (const announcement of announcements) announce(statements, record, announcement);
    });
  });
  return {
    announce: (event, now) => batch({ event, now }),
    async claim(now) {
      return transaction(database, where, () => {
        makeReady(statements, now);
        return lanes.next((lane) => claim(statements, statements.lanes[lane].get()));
      });
    },
    async claimStudy(studyInstanceUid) {
      return transaction(database, where, () => {
        const row = statements.byStudy.get(studyInstanceUid) as JobRow | undefined;
        return row?.waiting ? claim(statements, row) : null;
      });
    },
    async advance(job, state, now) {
      change((record) => {
        const row = claimedRow(statements, job);
        statements.move.run(state, now, row.number);
        record(row, { at: now, state, code: null, attempt: row.attempt });
      });
    },
    async settle(job, settlement, now) {
      change((record) => settle(statements, record, claimedRow(statements, job), settlement, now));
    },
    async park(job, now) {
      change((record) => free(statements, record, claimedRow(statements, job), now, { waitMs: 0, interrupted: 0 }));
    },
    async nextDueAt() {
      return translateErrors(where, () => statements.nextDue.get() as { due: number | null }).due;
    },
    async recover(now) {
      change((record) => {
        for (const row of statements.claimed.all() as unknown as JobRow[]) {
          const interrupted = row.interrupted + 1;
          const waitMs =
            interrupted === 1 ? 0 : Math.min(longestInterruptionMs, 1_000 * 2 ** Math.min(interrupted, 16));
          free(statements, record, row, now, { waitMs, interrupted });
        }
      });
    },
  };
}

/** Remembers a change of state of the job; the row is as it was before. */
type Recorder = (row: Pick<JobRow, 'number' | 'updated_at'>, next: NextState) => void;

interface NextState {
  readonly at: number;
  readonly state: JobState;
  readonly code: FailureCode | null;
  readonly cause?: FailureCode;
  readonly attempt: number;
  /** A person asked for something; as JSON. */
  readonly demand?: string | null;
}

/** Runs changes in one transaction; the log hears of them after the commit, never of what was rolled back. */
function recorder(database: Database, statements: Statements, log: Log): (work: (record: Recorder) => void) => void {
  return (work) => {
    const lines: Parameters<Log>[0][] = [];
    transaction(database, where, () =>
      work((row, { at, state, code, cause = null, attempt, demand = null }) => {
        const durationMs = Math.max(0, at - row.updated_at);
        statements.remember.run(row.number, at, state, code, cause, attempt, durationMs, demand);
        const asked = demand === null ? null : (JSON.parse(demand) as Demand);
        lines.push(logLine(row.number, { at, state, code, cause, attempt, durationMs, demand: asked }));
      }),
    );
    for (const line of lines) log(line);
  };
}

/** Of a demand only its kind: the reason is a person's own text. */
function logLine(job: number, { at, state, code, cause, attempt, durationMs, demand }: JobChange): Parameters<Log>[0] {
  const line = { time: new Date(at).toISOString(), event: 'job', job, state, code };
  return {
    ...line,
    class: code && failures[code].class,
    ...(cause && { cause }),
    ...(demand && { demand: demand.kind }),
    attempt,
    durationMs,
  };
}

function claimedRow(statements: Statements, job: Job): JobRow {
  const row = statements.byNumber.get(job.number) as JobRow | undefined;
  if (row?.claimed === 1) return row;
  throw new Failure('internal', { where: `job ${job.number}`, expected: 'a claimed job', got: row?.state ?? 'none' });
}

interface Announcement {
  readonly event: StudyEvent;
  readonly now: number;
}

function announce(statements: Statements, record: Recorder, { event, now }: Announcement): void {
  const stat = event.priority === 'stat' ? 1 : 0;
  const demand = event.demand ? JSON.stringify(event.demand) : null;
  const row = statements.byStudy.get(event.studyInstanceUid) as JobRow | undefined;
  if (!row) {
    const inserted = statements.insert.get(event.studyInstanceUid, event.source, stat, now, now, now, demand);
    record(inserted as unknown as JobRow, { at: now, state: 'announced', code: null, attempt: 0, demand });
    return;
  }
  if (row.waiting === 0 && row.claimed === 0) {
    restart(statements, record, { ...row, source: event.source, stat }, now, demand);
  } else {
    // Nothing changed yet, and no time was spent.
    if (demand !== null)
      record({ ...row, updated_at: now }, { at: now, state: row.state, code: row.code, attempt: row.attempt, demand });
    if (stat && !row.stat) statements.urgent.run(row.number);
    if (row.claimed && !row.announced_again) statements.again.run(row.number);
  }
  if (demand !== null) (row.claimed ? statements.demandNext : statements.demand).run(demand, row.number);
}

/** A new run of an ended job, due at once, its failures forgotten. */
function restart(
  statements: Statements,
  record: Recorder,
  row: JobRow,
  now: number,
  demand: string | null = null,
): void {
  statements.restart.run(row.source, row.stat, now, now, now, row.number);
  record(row, { at: now, state: 'announced', code: null, attempt: 0, demand });
}

/**
 * Marks what has become due, so that the newest of the due ones is found without looking at those that are not; a bounded number
 * a claim, the urgent and the longest due first. A job of a backlog is marked once.
 */
function makeReady({ ready }: Statements, now: number): void {
  for (const stat of [1, 0]) ready.run(stat, now);
}

function claim(statements: Statements, found: unknown): ClaimedJob | null {
  const row = found as JobRow | undefined;
  if (!row) return null;
  statements.claim.run(row.number);
  return toClaimedJob(row);
}

function settle(
  statements: Statements,
  record: Recorder,
  row: JobRow,
  settlement: Settlement | RetrySettlement,
  now: number,
): void {
  const { state } = settlement;
  if (state === 'settling') {
    const { dueAt, settling, priority } = settlement;
    const stat = priority === 'stat' ? 1 : 0;
    statements.settling.run(dueAt, now, settling.count, settling.since, stat, row.number);
    if (row.state !== state) record(row, { at: now, state, code: null, attempt: row.attempt });
  } else if (state === 'retrying') {
    statements.retrying.run(settlement.code, settlement.dueAt, now, now, row.number);
    record(row, { at: now, state, code: settlement.code, attempt: row.attempt + 1 });
  } else {
    end(statements, record, row, settlement, now);
  }
}

/** Endings that are no failure. */
const reached: readonly JobState[] = ['done', 'skipped', 'retracted'];

type Ending = Exclude<Settlement | RetrySettlement, { readonly state: 'settling' | 'retrying' }>;

/** Only an ending needs another run for what was announced meanwhile: a settling or retrying job runs again anyway. */
function end(statements: Statements, record: Recorder, row: JobRow, ending: Ending, now: number): void {
  const code = 'code' in ending ? ending.code : null;
  const partial = ending.state === 'done' && ending.partial ? 1 : 0;
  const attempt = reached.includes(ending.state) ? row.attempt : row.attempt + 1;
  statements.end.run(ending.state, code, partial, now, attempt, row.number);
  record(row, { at: now, state: ending.state, code, attempt, ...('cause' in ending && { cause: ending.cause }) });
  if (row.announced_again) restart(statements, record, { ...row, updated_at: now }, now);
}

/** Takes the claim off. The due time stays, so that the job keeps its place and the length of its last back-off. */
function free(
  statements: Statements,
  record: Recorder,
  row: JobRow,
  now: number,
  { waitMs, interrupted }: { readonly waitMs: number; readonly interrupted: number },
): void {
  const waits = row.state === 'announced' || row.state === 'settling' || row.state === 'retrying';
  const dueAt = waitMs > 0 ? now + waitMs : row.due_at;
  const updatedAt = waits ? row.updated_at : now;
  statements.free.run(waits ? row.state : 'announced', dueAt, updatedAt, interrupted, waitMs > 0 ? 0 : 1, row.number);
  if (!waits) record(row, { at: now, state: 'announced', code: null, attempt: row.attempt });
}
