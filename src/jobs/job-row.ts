import type { FailureCode } from '../core/failure.ts';
import type { Job, JobState } from '../core/ports.ts';
import type { Demand } from '../core/study.ts';
import type { ClaimedJob } from './backoff.ts';

/** A row of the table `job`. */
export interface JobRow {
  readonly number: number;
  readonly study: string;
  readonly source: string;
  readonly stat: 0 | 1;
  readonly state: JobState;
  readonly code: FailureCode | null;
  readonly attempt: number;
  readonly announced_at: number;
  readonly due_at: number;
  readonly updated_at: number;
  readonly settling_count: number | null;
  readonly settling_since: number | null;
  readonly partial: 0 | 1;
  readonly claimed: 0 | 1;
  readonly announced_again: 0 | 1;
  readonly failing_since: number | null;
  readonly interrupted: number;
  readonly reading: number | null;
  readonly waiting: 0 | 1;
  /** The due time has come; stays so if the clock goes back. */
  readonly ready: 0 | 1;
  /** A `Demand` as JSON. */
  readonly demand: string | null;
  /** The one that came while the job ran. */
  readonly next_demand: string | null;
  /** Names the claim of a claimed job. */
  readonly claim: string | null;
  /** Number of the process that claimed it. */
  readonly instance: number | null;
  /** The claim whose run ended last: a settlement that is sent twice is known by it. */
  readonly ended_claim: string | null;
}

/** What a transition may change; `waiting` is derived by the database, `reading` is the ledger's. */
export const writtenColumns = [
  ...(['source', 'stat', 'state', 'code', 'attempt', 'announced_at', 'due_at', 'updated_at'] as const),
  ...(['settling_count', 'settling_since', 'partial', 'claimed', 'announced_again', 'failing_since'] as const),
  ...(['interrupted', 'ready', 'demand', 'next_demand', 'claim', 'instance', 'ended_claim'] as const),
] as const satisfies readonly (keyof JobRow)[];

export function toJob(row: JobRow): Job {
  const { settling_count: count, settling_since: since } = row;
  return {
    number: row.number,
    studyInstanceUid: row.study,
    source: row.source,
    priority: row.stat ? 'stat' : 'routine',
    state: row.state,
    code: row.code,
    attempt: row.attempt,
    announcedAt: row.announced_at,
    dueAt: row.due_at,
    updatedAt: row.updated_at,
    settling: count === null || since === null ? null : { count, since },
    partial: row.partial === 1,
    demand: row.demand === null ? null : (JSON.parse(row.demand) as Demand),
  };
}

export function toClaimedJob(row: JobRow): ClaimedJob {
  return { ...toJob(row), failingSince: row.failing_since, ...(row.claim !== null && { claim: row.claim }) };
}
