import type { Database } from './database.ts';
import type { Lane } from './lanes.ts';

/** The statements of the job queue on SQLite. */

/** Jobs marked as ready in one claim: a few milliseconds, however many became due together. */
const mostReadyAtOnce = 500;

export type QueueStatements = ReturnType<typeof prepareQueue>;

/** A demand that came while the job ran takes the place of the one that it ran with. */
const keepDemand = 'demand = COALESCE(next_demand, demand), next_demand = NULL';

const inLane = (ready: number, stat: number): string => `waiting = 1 AND ready = ${ready} AND stat = ${stat}`;

function prepareLanes(database: Database): Readonly<Record<Lane, ReturnType<Database['prepare']>>> {
  const first = (stat: number, order: string) =>
    database.prepare(`SELECT * FROM job WHERE ${inLane(1, stat)} ORDER BY ${order} LIMIT 1`);
  return {
    stat: first(1, 'due_at, number'),
    newest: first(0, 'announced_at DESC, number DESC'),
    oldest: first(0, 'due_at, number'),
  };
}

export function prepareQueue(database: Database) {
  return {
    byStudy: database.prepare('SELECT * FROM job WHERE study = ?'),
    byNumber: database.prepare('SELECT * FROM job WHERE number = ?'),
    claimed: database.prepare('SELECT * FROM job WHERE claimed = 1 ORDER BY number'),
    insert:
      database.prepare(`INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at, ready, demand)
      VALUES (?, ?, ?, 'announced', ?, ?, ?, 1, ?) RETURNING number, updated_at`),
    urgent: database.prepare('UPDATE job SET stat = 1 WHERE number = ?'),
    demand: database.prepare('UPDATE job SET demand = ?, ready = 1 WHERE number = ?'),
    demandNext: database.prepare('UPDATE job SET next_demand = ? WHERE number = ?'),
    again: database.prepare('UPDATE job SET announced_again = 1 WHERE number = ?'),
    restart: database.prepare(`UPDATE job SET source = ?, stat = ?, state = 'announced', code = NULL, attempt = 0,
      announced_at = ?, due_at = ?, updated_at = ?, settling_count = NULL, settling_since = NULL, partial = 0, claimed = 0,
      announced_again = 0, failing_since = NULL, interrupted = 0, ready = 1 WHERE number = ?`),
    ready: database.prepare(`UPDATE job SET ready = 1 WHERE number IN (
      SELECT number FROM job WHERE waiting = 1 AND ready = 0 AND stat = ? AND due_at <= ? ORDER BY due_at, number
      LIMIT ${mostReadyAtOnce})`),
    lanes: prepareLanes(database),
    claim: database.prepare('UPDATE job SET claimed = 1, announced_again = 0 WHERE number = ?'),
    move: database.prepare('UPDATE job SET state = ?, updated_at = ? WHERE number = ?'),
    free: database.prepare(`UPDATE job SET claimed = 0, announced_again = 0, state = ?, due_at = ?, updated_at = ?,
      interrupted = ?, ready = ?, ${keepDemand} WHERE number = ?`),
    settling: database.prepare(`UPDATE job SET claimed = 0, interrupted = 0, state = 'settling', due_at = ?,
      updated_at = iif(state = 'settling', updated_at, ?), settling_count = ?, settling_since = ?, stat = max(stat, ?),
      ready = 0, ${keepDemand} WHERE number = ?`),
    retrying: database.prepare(`UPDATE job SET claimed = 0, interrupted = 0, state = 'retrying', code = ?, due_at = ?,
      updated_at = ?, attempt = attempt + 1, failing_since = COALESCE(failing_since, ?),
      ready = 0, ${keepDemand} WHERE number = ?`),
    end: database.prepare(`UPDATE job SET claimed = 0, interrupted = 0, state = ?, code = ?, partial = ?, updated_at = ?,
      settling_count = NULL, settling_since = NULL, attempt = ?, demand = next_demand, next_demand = NULL WHERE number = ?`),
    nextDue: database.prepare(
      `SELECT min(due) AS due FROM (${[0, 1]
        .flatMap((ready) => [0, 1].map((stat) => `SELECT min(due_at) AS due FROM job WHERE ${inLane(ready, stat)}`))
        .join(' UNION ALL ')})`,
    ),
    remember: database.prepare(`INSERT INTO history (job, at, state, code, cause, attempt, duration_ms, demand)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
  };
}
