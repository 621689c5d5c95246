import type { ArtifactKind, InstanceOutcome, Receipt, StudyBoard, StudyQuery, StudyRow } from '../core/ports.ts';
import type { StudyDecision } from '../core/reading.ts';
import type { Demand } from '../core/study.ts';
import { type Database, translateErrors } from './database.ts';
import { type JobRow, toJob } from './job-row.ts';
import { selectReceipts } from './readings.ts';
import type { JobChange } from './store.ts';

/** What the HTTP API reads of the SQLite store. Reads only. */

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
const filter = `WHERE ($state IS NULL OR job.state = $state) AND ($decision IS NULL OR reading.decision = $decision)
  AND ($code IS NULL OR job.code = $code OR job.number IN (SELECT job FROM outcome WHERE reason = $code))`;

interface BoardRow extends JobRow {
  readonly model_id: string | null;
  readonly decision: StudyDecision | null;
  readonly score: number | null;
  readonly read_at: string | null;
}

export function createBoard(database: Database): StudyBoard {
  const statements = prepare(database);
  return {
    async find({ state, decision, code, sort, limit, offset }) {
      return translateErrors(where, () => {
        const filters = { $state: state ?? null, $decision: decision ?? null, $code: code ?? null };
        const { total } = statements.count.get(filters) as { total: number };
        const rows = statements.pages[sort].all({ ...filters, $limit: limit, $offset: offset });
        return { total, studies: (rows as unknown as BoardRow[]).map((row) => toStudyRow(statements, row)) };
      });
    },
    async get(studyInstanceUid) {
      return translateErrors(where, () => {
        const row = statements.byStudy.get(studyInstanceUid) as BoardRow | undefined;
        return row ? toStudyRow(statements, row) : null;
      });
    },
    async countsByState() {
      const rows = translateErrors(where, () => statements.counts.all()) as { state: string; count: number }[];
      return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    },
  };
}

type HistoryRow = Omit<JobChange, 'demand'> & { readonly demand: string | null };

/** Every change of state of a study's job, oldest first. */
export function createHistory(database: Database): (studyInstanceUid: string) => Promise<readonly JobChange[]> {
  const select =
    database.prepare(`SELECT at, history.state, history.code, cause, history.attempt, duration_ms AS durationMs,
    history.demand FROM history JOIN job ON job.number = history.job WHERE job.study = ? ORDER BY history.id`);
  return async (studyInstanceUid) => {
    const rows = translateErrors(where, () => select.all(studyInstanceUid)) as unknown as HistoryRow[];
    return rows.map(({ demand, ...row }) => ({
      ...row,
      demand: demand === null ? null : (JSON.parse(demand) as Demand),
    }));
  };
}

function toStudyRow(statements: Statements, row: BoardRow): StudyRow {
  const outcomes = statements.outcomes.all(row.number) as { json: string }[];
  const artifacts = statements.artifacts.all(row.reading) as { name: string; id: string; kind: ArtifactKind }[];
  const receipts = statements.receipts.all(row.reading) as unknown as Receipt[];
  return {
    job: toJob(row),
    modelId: row.model_id,
    decision: row.decision,
    score: row.score,
    readAt: row.read_at,
    instances: outcomes.map(({ json }) => JSON.parse(json) as InstanceOutcome),
    artifacts: artifacts.map(({ name, id, kind }) => ({ name, id, kind })),
    receipts: receipts.map((receipt) => ({ ...receipt })),
  };
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: Database) {
  const page = (sort: StudyQuery['sort']) =>
    database.prepare(`SELECT ${columns} ${tables} ${filter} ORDER BY ${orders[sort]} LIMIT $limit OFFSET $offset`);
  return {
    count: database.prepare(`SELECT count(*) AS total ${tables} ${filter}`),
    pages: {
      score: page('score'),
      '-score': page('-score'),
      updatedAt: page('updatedAt'),
      '-updatedAt': page('-updatedAt'),
    },
    byStudy: database.prepare(`SELECT ${columns} ${tables} WHERE job.study = ?`),
    counts: database.prepare('SELECT state, count(*) AS count FROM job GROUP BY state'),
    outcomes: database.prepare('SELECT json FROM outcome WHERE job = ? ORDER BY position'),
    artifacts:
      database.prepare(`SELECT name, id, kind FROM reading_artifact JOIN artifact ON artifact.id = reading_artifact.artifact
      WHERE reading = ? ORDER BY position`),
    receipts: database.prepare(selectReceipts),
  };
}
