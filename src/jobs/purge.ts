import { setImmediate } from 'node:timers/promises';
import type { ArtifactBytes } from './artifacts.ts';
import { type Engine, one, run } from './work.ts';

/**
 * What is forgotten some time after a study ended: the bytes of its delivered artifacts, and how it came to its end. In small pieces:
 * an urgent study that comes meanwhile waits for one of them at most.
 */

export interface Purge {
  readonly bytes: ArtifactBytes;
  /** Milliseconds since 1970: studies that ended before. */
  readonly olderThan: number;
  readonly now: number;
}

const task = 'the purge of artifacts';
/** Artifacts, or jobs, that one transaction looks at. */
const piece = 500;

/** The ledger first, the bytes after. Gives how many artifacts lost their bytes. */
export async function purge(engine: Engine, { bytes, olderThan, now }: Purge): Promise<number> {
  for (let from: string | null = ''; from !== null; await setImmediate()) {
    const after: string = from;
    from = await engine.transaction(task, function* () {
      const last = yield* one<{ readonly id: string | null }>(sql.lastKept, after);
      const until = last?.id ?? null;
      if (until !== null) yield* run(sql.forget, now, olderThan, after, until);
      return until;
    });
  }
  await trimHistory(engine, olderThan);
  return engine.transaction(task, () => bytes.sweep());
}

/** Of a job that ended before `olderThan` the last change is kept, when and how it ended, and what persons asked for. The purge before left a mark how far it came. */
async function trimHistory(engine: Engine, olderThan: number): Promise<void> {
  for (let more = true; more; await setImmediate()) {
    more = await engine.transaction(task, function* () {
      const mark = yield* one<{ readonly json: string }>(sql.mark);
      const { at, job } = mark ? (JSON.parse(mark.json) as Mark) : { at: 0, job: 0 };
      const last = yield* one<{ readonly at: number | null; readonly job: number }>(sql.lastEnded, at, job, olderThan);
      if (!last) return false;
      yield* run(sql.trim, at, job, last.at, last.job);
      yield* run(sql.setMark, JSON.stringify(last));
      return true;
    });
  }
}

/** Place in the order of `updated_at` and `number`. */
interface Mark {
  readonly at: number;
  readonly job: number;
}

const between = '(updated_at, number) > ($1, $2) AND (updated_at, number) <= ($3, $4)';

export const sql = {
  lastKept: `SELECT max(id) AS id FROM (SELECT id FROM artifact WHERE purged_at IS NULL AND id > $1
    ORDER BY id LIMIT ${piece}) AS kept`,
  forget: `UPDATE artifact SET purged_at = $1 WHERE purged_at IS NULL AND id > $3 AND id <= $4
    AND EXISTS (SELECT 1 FROM receipt WHERE receipt.artifact = artifact.id)
    AND EXISTS (SELECT 1 FROM reading_artifact JOIN reading ON reading.id = reading_artifact.reading
      JOIN job ON job.study = reading.study WHERE reading_artifact.artifact = artifact.id
      AND job.state IN ('done', 'skipped', 'quarantined', 'source-gone', 'retracted') AND job.updated_at < $2)`,
  mark: "SELECT json FROM memory WHERE owner = 'store' AND key = 'trimmed'",
  setMark: `INSERT INTO memory (owner, key, json) VALUES ('store', 'trimmed', $1)
    ON CONFLICT (owner, key) DO UPDATE SET json = excluded.json`,
  lastEnded: `SELECT updated_at AS at, number AS job FROM (SELECT updated_at, number FROM job
    WHERE (updated_at, number) > ($1, $2) AND updated_at < $3 ORDER BY updated_at, number LIMIT ${piece}) AS ended
    ORDER BY updated_at DESC, number DESC LIMIT 1`,
  trim: `DELETE FROM history WHERE job IN (SELECT number FROM job WHERE ${between} AND claimed = 0 AND waiting = 0)
    AND demand IS NULL AND id < (SELECT max(id) FROM history AS last WHERE last.job = history.job)`,
} as const;
