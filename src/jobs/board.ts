import type { ArtifactKind, InstanceOutcome, StudyBoard, StudyQuery, StudyRow, Waiting } from '../core/ports.ts';
import type { StudyDecision } from '../core/reading.ts';
import type { Demand } from '../core/study.ts';
import { type JobRow, toJob } from './job-row.ts';
import { receiptsOf } from './readings.ts';
import type { JobChange } from './store.ts';
import { all, type Engine, one, type Work } from './work.ts';

/** What the HTTP API reads of a store. Reads only. */

const where = 'the study board';

/** Studies without a score come last in both directions; the job number settles ties, so that pages do not overlap. */
const orders: Readonly<Record<StudyQuery['sort'], string>> = {
  score: 'reading.score ASC NULLS LAST, job.number ASC',
  '-score': 'reading.score DESC NULLS LAST, job.number DESC',
  updatedAt: 'job.updated_at ASC, job.number ASC',
  '-updatedAt': 'job.updated_at DESC, job.number DESC',
};

const tables = 'FROM job LEFT JOIN reading ON reading.id = job.reading';
const columns = 'job.*, reading.model_id, reading.decision, reading.score, reading.read_at';
/** A code is looked for in the job and in its instances: both are reasons that an operator asks for. */
const filter = `WHERE (CAST($1 AS TEXT) IS NULL OR job.state = $1)
  AND (CAST($2 AS TEXT) IS NULL OR reading.decision = $2)
  AND (CAST($3 AS TEXT) IS NULL OR job.code = $3 OR job.number IN (SELECT job FROM outcome WHERE reason = $3))`;

const sql = {
  count: `SELECT count(*) AS total ${tables} ${filter}`,
  page: (sort: StudyQuery['sort']) =>
    `SELECT ${columns} ${tables} ${filter} ORDER BY ${orders[sort]} LIMIT $4 OFFSET $5`,
  byStudy: `SELECT ${columns} ${tables} WHERE job.study = $1`,
  waiting: `SELECT stat, count(*) AS count, min(announced_at) AS "oldestAt" FROM job WHERE waiting = 1 GROUP BY stat`,
  counts: 'SELECT state, count(*) AS count FROM job GROUP BY state',
  outcomes: 'SELECT json FROM outcome WHERE job = $1 ORDER BY position',
  artifacts: `SELECT name, id, kind FROM reading_artifact JOIN artifact ON artifact.id = reading_artifact.artifact
    WHERE reading = $1 ORDER BY position`,
  history: `SELECT at, history.state, history.code, cause, history.attempt, duration_ms AS "durationMs",
    history.demand FROM history JOIN job ON job.number = history.job WHERE job.study = $1 ORDER BY history.id`,
};

interface BoardRow extends JobRow {
  readonly model_id: string | null;
  readonly decision: StudyDecision | null;
  readonly score: number | null;
  readonly read_at: string | null;
}

export function createBoard(engine: Engine): StudyBoard {
  return {
    find: ({ state, decision, code, sort, limit, offset }) =>
      engine.read(where, function* () {
        const filters = [state ?? null, decision ?? null, code ?? null] as const;
        const { total } = (yield* one<{ readonly total: number }>(sql.count, ...filters))!;
        const rows = yield* all<BoardRow>(sql.page(sort), ...filters, limit, offset);
        const studies: StudyRow[] = [];
        for (const row of rows) studies.push(yield* toStudyRow(row));
        return { total, studies };
      }),
    get: (studyInstanceUid) =>
      engine.read(where, function* () {
        const row = yield* one<BoardRow>(sql.byStudy, studyInstanceUid);
        return row ? yield* toStudyRow(row) : null;
      }),
    async countsByState() {
      const rows = await engine.read(where, () => all<{ readonly state: string; readonly count: number }>(sql.counts));
      return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    },
    async waiting() {
      const rows = await engine.read(where, () => all<Waiting & { readonly stat: 0 | 1 }>(sql.waiting));
      const of = (wanted: 0 | 1): Waiting => {
        const { count = 0, oldestAt = null } = rows.find(({ stat }) => stat === wanted) ?? {};
        return { count, oldestAt };
      };
      return { stat: of(1), routine: of(0) };
    },
  };
}

type HistoryRow = Omit<JobChange, 'demand'> & { readonly demand: string | null };

/** Every change of state of a study's job, oldest first. */
export function createHistory(engine: Engine): (studyInstanceUid: string) => Promise<readonly JobChange[]> {
  return async (studyInstanceUid) => {
    const rows = await engine.read(where, () => all<HistoryRow>(sql.history, studyInstanceUid));
    return rows.map(({ demand, ...row }) => ({
      ...row,
      demand: demand === null ? null : (JSON.parse(demand) as Demand),
    }));
  };
}

function* toStudyRow(row: BoardRow): Work<StudyRow> {
  const outcomes = yield* all<{ readonly json: string }>(sql.outcomes, row.number);
  const artifacts = yield* all<{ name: string; id: string; kind: ArtifactKind }>(sql.artifacts, row.reading);
  return {
    job: toJob(row),
    modelId: row.model_id,
    decision: row.decision,
    score: row.score,
    readAt: row.read_at,
    instances: outcomes.map(({ json }) => JSON.parse(json) as InstanceOutcome),
    artifacts: artifacts.map(({ name, id, kind }) => ({ name, id, kind })),
    receipts: yield* receiptsOf(row.reading),
  };
}
