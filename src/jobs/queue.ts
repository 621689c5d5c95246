import { randomUUID } from 'node:crypto';
import { Failure, failures } from '../core/failure.ts';
import type { Job, Log } from '../core/ports.ts';
import type { StudyEvent } from '../core/study.ts';
import type { ClaimedJob } from './backoff.ts';
import { createBatch } from './batch.ts';
import { noticedStepMs } from './clock-steps.ts';
import { type JobRow, toClaimedJob, writtenColumns } from './job-row.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { type QueueStatements, queueStatements } from './queue-statements.ts';
import type { DurableQueue, JobChange } from './store.ts';
import {
  advanced,
  announced,
  changeOf,
  claimed,
  interrupted,
  parked,
  settled,
  type Transition,
} from './transitions.ts';
import { all, type Engine, one, run, type Work } from './work.ts';

/** The job queue on the tables of a store. What happens to a job is decided in `transitions.ts`; here it is read and written. */

const where = 'the job queue';

export interface StoreQueue extends DurableQueue {
  /** Processes that are gone and have claims still. */
  lost(): Promise<readonly number[]>;
  /** As `recover`, of these processes alone; gives how many claims were freed. */
  recoverFrom(instances: readonly number[], now: number): Promise<number>;
}

export function createQueue(engine: Engine, log: Log): StoreQueue {
  const sql = queueStatements(engine.dialect);
  const change = recorder(engine, sql, log);
  const lanes = createLanes();
  const batch = createBatch<Announcement>((announcements) =>
    change(function* (changes) {
      for (const announcement of announcements) yield* announce(sql, changes, announcement);
      yield* engine.wake();
    }),
  );
  const claim = async (find: () => Work<JobRow | null>): Promise<ClaimedJob | null> => {
    const instance = await engine.instance();
    const token = randomUUID();
    return engine.transaction(where, (again) => take(sql, { find: find(), token, instance, again }));
  };
  const ending = (job: Job, end: (row: JobRow) => Transition) =>
    change(function* ({ write }, again) {
      const row = yield* held(sql, job, again);
      if (row === null) return;
      yield* write(row, end(row));
      yield* engine.wake();
    });
  const recoverFrom = (instances: readonly number[] | null, now: number) =>
    change(function* (changes) {
      const freed = yield* recover(sql, changes, instances, now);
      if (freed > 0) yield* engine.wake();
      return freed;
    });
  return {
    announce: (event, now) => batch({ event, now }),
    claim: (now) => claim(() => nextInTurn(sql, lanes, now)),
    claimStudy: (uid) => claim(() => orNull(one<JobRow>(sql.waiting, uid))),
    advance: (job, state, now) =>
      change(function* ({ write }) {
        const row = yield* held(sql, job, false);
        if (row) yield* write(row, advanced(row, state, now));
      }),
    settle: (job, settlement, now) => ending(job, (row) => settled(row, settlement, now)),
    park: (job, now) => ending(job, (row) => parked(row, now)),
    async nextDueAt() {
      return (await engine.read(where, () => one<{ readonly due: number | null }>(sql.nextDue)))?.due ?? null;
    },
    setBack: (byMs) => engine.transaction(where, () => run(sql.setBack, byMs)),
    async recover(now) {
      await engine.transaction(where, () => run(sql.fromAhead, now, now + noticedStepMs));
      await recoverFrom(null, now);
    },
    async lost() {
      const rows = await engine.transaction(where, () => all<JobRow>(sql.orphaned));
      return [...new Set(rows.flatMap(({ instance }) => instance ?? []))];
    },
    recoverFrom,
  };
}

interface Changes {
  /** Writes what a transition makes of the row that was read. */
  write(row: JobRow, transition: Transition): Work<void>;
  remember(job: number, change: JobChange): Work<void>;
}

/** Runs changes in one transaction; the log hears of them after the commit, never of what was rolled back. */
function recorder(engine: Engine, sql: QueueStatements, log: Log) {
  return async <T>(work: (changes: Changes, again: boolean) => Work<T>): Promise<T> => {
    let lines: Parameters<Log>[0][] = [];
    const result = await engine.transaction(where, (again) => {
      lines = [];
      return work(changesOf(sql, lines), again);
    });
    for (const line of lines) log(line);
    return result;
  };
}

function changesOf(sql: QueueStatements, lines: Parameters<Log>[0][]): Changes {
  const changes: Changes = {
    *write({ number }, transition) {
      yield* run(sql.write, number, ...written(transition.row));
      for (const change of transition.changes) yield* changes.remember(number, change);
    },
    *remember(job, change) {
      const { at, state, code, cause, attempt, durationMs, demand } = change;
      const wish = demand && JSON.stringify(demand);
      yield* run(sql.remember, job, at, state, code, cause, attempt, durationMs, wish);
      lines.push(logLine(job, change));
    },
  };
  return changes;
}

const written = (row: JobRow) => writtenColumns.map((name) => row[name]);

/** Of a demand only its kind: the reason is a person's own text. */
function logLine(job: number, { at, state, code, cause, attempt, durationMs, demand }: JobChange): Parameters<Log>[0] {
  const line = { time: new Date(at).toISOString(), event: 'job', job, state, code };
  const rest = { ...(cause && { cause }), ...(demand && { demand: demand.kind }), attempt, durationMs };
  return { ...line, class: code && failures[code].class, ...rest };
}

/** The row of a job that is claimed and whose claim is this one; null when an earlier try has already ended it. */
function* held(sql: QueueStatements, job: Job, again: boolean): Work<JobRow | null> {
  const row = yield* one<JobRow>(sql.byNumber, job.number);
  if (row?.claimed === 1 && row.claim === (job.claim ?? null)) return row;
  if (again && row && row.ended_claim === job.claim) return null;
  throw claimLost(job, row);
}

export function claimLost({ number }: Job, row: Pick<JobRow, 'claimed'> | undefined): Failure {
  const got = row?.claimed === 1 ? 'the claim of another run' : 'no claim';
  return new Failure('claim-lost', { where: `job ${number}`, expected: 'the claim of this run', got });
}

interface Announcement {
  readonly event: StudyEvent;
  readonly now: number;
}

function* announce(sql: QueueStatements, changes: Changes, { event, now }: Announcement): Work<void> {
  const { studyInstanceUid, source, priority, demand } = event;
  const known = yield* one<JobRow>(sql.byStudy, studyInstanceUid);
  if (!known) {
    const wish = demand ? JSON.stringify(demand) : null;
    const values = [studyInstanceUid, source, priority === 'stat' ? 1 : 0, now, wish];
    const made = yield* one<Pick<JobRow, 'number' | 'updated_at'>>(sql.insert, ...values);
    const change = { at: now, state: 'announced', attempt: 0, demand: demand ?? null } as const;
    if (made) return yield* changes.remember(made.number, changeOf(made, change));
  }
  // Another process announced it in between: its row is there now.
  const row = known ?? (yield* one<JobRow>(sql.byStudy, studyInstanceUid))!;
  const transition = announced(row, event, now);
  if (transition) yield* changes.write(row, transition);
}

interface Take {
  readonly find: Work<JobRow | null>;
  readonly token: string;
  readonly instance: number;
  readonly again: boolean;
}

function* take(sql: QueueStatements, { find, token, instance, again }: Take): Work<ClaimedJob | null> {
  const earlier = again ? yield* one<JobRow>(sql.heldBy, token) : undefined;
  if (earlier) return toClaimedJob(earlier);
  const row = yield* find;
  if (!row) return null;
  const next = claimed(row, token, instance);
  yield* run(sql.write, row.number, ...written(next));
  return toClaimedJob({ ...row, claim: token });
}

/**
 * What has become due is marked first, so that the newest of the due ones is found without looking at those that are not; a bounded
 * number a claim, the urgent and the longest due first. A job of a backlog is marked once.
 */
function* nextInTurn(sql: QueueStatements, lanes: Lanes, now: number): Work<JobRow | null> {
  for (const stat of [1, 0]) yield* run(sql.ready, stat, now);
  for (const { lane, served } of lanes.turns()) {
    const row = yield* one<JobRow>(sql.lanes[lane]);
    if (!row) continue;
    served();
    return row;
  }
  return null;
}

function* orNull<T>(work: Work<T | undefined>): Work<T | null> {
  return (yield* work) ?? null;
}

function* recover(
  sql: QueueStatements,
  { write }: Changes,
  instances: readonly number[] | null,
  now: number,
): Work<number> {
  const orphans = yield* all<JobRow>(sql.orphaned);
  const rows = orphans.filter(({ instance }) => instances === null || instances.includes(instance ?? Number.NaN));
  for (const row of rows.sort((a, b) => a.number - b.number)) yield* write(row, interrupted(row, now));
  return rows.length;
}
