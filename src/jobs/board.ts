import type { ArtifactKind, InstanceOutcome, StudyBoard, StudyRow, Waiting } from '../core/ports.ts';
import type { Demand } from '../core/study.ts';
import { countOf, pageOf, boardSql as sql } from './board-statements.ts';
import { type JobRow, toJob } from './job-row.ts';
import { receiptsOf } from './readings.ts';
import type { JobChange } from './store.ts';
import { all, type Engine, one, type Work } from './work.ts';

/** What the HTTP API reads of a store. Reads only. */

const where = 'the study board';

interface BoardRow extends JobRow {
  readonly model_id: string | null;
  readonly read_at: string | null;
}

export function createBoard(engine: Engine): StudyBoard {
  return {
    find: (query) =>
      engine.read(where, function* () {
        const [count, page] = [countOf(query), pageOf(query)];
        const { total } = (yield* one<{ readonly total: number }>(count.text, ...count.values))!;
        const rows = yield* all<BoardRow>(page.text, ...page.values);
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
