import { writtenColumns } from './job-row.ts';
import type { Lane } from './lanes.ts';
import type { Dialect } from './work.ts';

/** The statements of the job queue. */

/** Jobs marked as ready in one claim: a few milliseconds, however many became due together. */
const mostReadyAtOnce = 500;

export interface QueueStatements {
  readonly byStudy: string;
  readonly byNumber: string;
  readonly insert: string;
  readonly write: string;
  readonly ready: string;
  readonly lanes: Readonly<Record<Lane, string>>;
  /** The waiting job of a study, unless another process is just claiming it. */
  readonly waiting: string;
  readonly heldBy: string;
  readonly orphaned: string;
  readonly nextDue: string;
  readonly setBack: string;
  /** What was settled later than it is now, before this process began: the clock was set back meanwhile. */
  readonly fromAhead: string;
  readonly remember: string;
}

const inLane = (ready: number, stat: number): string => `waiting = 1 AND ready = ${ready} AND stat = ${stat}`;

/** Each of the four is one end of an index. */
const dueTimes = [0, 1]
  .flatMap((ready) => [0, 1].map((stat) => `SELECT min(due_at) AS due FROM job WHERE ${inLane(ready, stat)}`))
  .join(' UNION ALL ');

export function queueStatements({ lock, lockFree, orphaned }: Dialect): QueueStatements {
  const first = (stat: number, order: string) =>
    `SELECT * FROM job WHERE ${inLane(1, stat)} ORDER BY ${order} LIMIT 1${lockFree}`;
  return {
    byStudy: `SELECT * FROM job WHERE study = $1${lock}`,
    byNumber: `SELECT * FROM job WHERE number = $1${lock}`,
    insert: `INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at, ready, demand)
      VALUES ($1, $2, $3, 'announced', $4, $4, $4, 1, $5) ON CONFLICT (study) DO NOTHING RETURNING number, updated_at`,
    write: `UPDATE job SET ${writtenColumns.map((name, index) => `${name} = $${index + 2}`).join(', ')} WHERE number = $1`,
    ready: `UPDATE job SET ready = 1 WHERE number IN (SELECT number FROM job
      WHERE waiting = 1 AND ready = 0 AND stat = $1 AND due_at <= $2 ORDER BY due_at, number
      LIMIT ${mostReadyAtOnce}${lockFree})`,
    lanes: {
      stat: first(1, 'due_at, number'),
      newest: first(0, 'announced_at DESC, number DESC'),
      oldest: first(0, 'due_at, number'),
    },
    waiting: `SELECT * FROM job WHERE study = $1 AND waiting = 1${lockFree}`,
    heldBy: 'SELECT * FROM job WHERE claimed = 1 AND claim = $1',
    orphaned: `SELECT * FROM job WHERE claimed = 1 AND ${orphaned}${lockFree}`,
    setBack: `UPDATE job SET due_at = due_at - $1, updated_at = updated_at - $1, settling_since = settling_since - $1
      WHERE waiting = 1 AND ready = 0`,
    fromAhead: `UPDATE job SET due_at = due_at - (updated_at - $1), updated_at = $1,
      settling_since = settling_since - (updated_at - $1) WHERE waiting = 1 AND ready = 0 AND updated_at > $2`,
    nextDue: `SELECT min(due) AS due FROM (${dueTimes}) AS lane`,
    remember: `INSERT INTO history (job, at, state, code, cause, attempt, duration_ms, demand)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
  };
}
