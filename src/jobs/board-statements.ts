import type { StudyQuery } from '../core/ports.ts';
import type { Value } from './work.ts';

/**
 * The statements of the study board. What is asked often is one end of an index or a row of `tally`, however many jobs there are: the
 * counts, the first pages in every order, the studies of one state. A count by decision or by code looks at what it counts.
 */

/** Studies without a score come last in both directions; the job number settles ties, so that pages do not overlap. */
const orders: Readonly<Record<StudyQuery['sort'], string>> = {
  score: '(job.score IS NULL), job.score, job.number',
  '-score': 'job.score DESC NULLS LAST, job.number DESC',
  updatedAt: 'job.updated_at, job.number',
  '-updatedAt': 'job.updated_at DESC, job.number DESC',
};

const rows = 'SELECT job.*, reading.model_id, reading.read_at FROM job LEFT JOIN reading ON reading.id = job.reading';

/** A code is looked for in the job and in its instances: both are reasons that an operator asks for. */
const conditions = {
  state: (at: string) => `job.state = ${at}`,
  decision: (at: string) => `job.decision = ${at}`,
  code: (at: string) =>
    `job.number IN (SELECT number FROM job WHERE code = ${at} UNION SELECT job FROM outcome WHERE reason = ${at})`,
} as const;

export interface BoardStatement {
  readonly text: string;
  readonly values: readonly Value[];
}

type Filter = Pick<StudyQuery, 'state' | 'decision' | 'code'>;

/** Only what is asked for stands in the text: a condition that may be empty would keep the engine from its indices. */
function where(filter: Filter): BoardStatement {
  const asked = (['state', 'decision', 'code'] as const).flatMap((key) => {
    const value = filter[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const texts = asked.map(([key], index) => conditions[key](`$${index + 1}`));
  return {
    text: texts.length === 0 ? '' : `WHERE ${texts.join(' AND ')}`,
    values: asked.map(([, value]) => value),
  };
}

export function countOf(filter: Filter): BoardStatement {
  const { text, values } = where(filter);
  if (filter.decision !== undefined || filter.code !== undefined)
    return { text: `SELECT count(*) AS total FROM job ${text}`, values };
  const of = values.length === 0 ? '' : 'WHERE state = $1';
  return { text: `SELECT CAST(COALESCE(sum(count), 0) AS BIGINT) AS total FROM tally ${of}`, values };
}

export function pageOf({ sort, limit, offset, ...filter }: StudyQuery): BoardStatement {
  const { text, values } = where(filter);
  const [most, from] = [`$${values.length + 1}`, `$${values.length + 2}`];
  return {
    text: `${rows} ${text} ORDER BY ${orders[sort]} LIMIT ${most} OFFSET ${from}`,
    values: [...values, limit, offset],
  };
}

const oldest = (stat: number): string =>
  [0, 1]
    .map((ready) => `SELECT min(announced_at) AS at FROM job WHERE waiting = 1 AND ready = ${ready} AND stat = ${stat}`)
    .join(' UNION ALL ');

const lane = (stat: number): string => `SELECT ${stat} AS stat,
  (SELECT CAST(COALESCE(sum(count), 0) AS BIGINT) FROM tally WHERE waiting = 1 AND stat = ${stat}) AS count,
  (SELECT min(at) FROM (${oldest(stat)}) AS lane) AS "oldestAt"`;

export const boardSql = {
  byStudy: `${rows} WHERE job.study = $1`,
  waiting: `${lane(1)} UNION ALL ${lane(0)}`,
  counts: 'SELECT state, CAST(sum(count) AS BIGINT) AS count FROM tally GROUP BY state HAVING sum(count) > 0',
  outcomes: 'SELECT json FROM outcome WHERE job = $1 ORDER BY position',
  artifacts: `SELECT name, id, kind FROM reading_artifact JOIN artifact ON artifact.id = reading_artifact.artifact
    WHERE reading = $1 ORDER BY position`,
  history: `SELECT at, history.state, history.code, cause, history.attempt, duration_ms AS "durationMs",
    history.demand FROM history JOIN job ON job.number = history.job WHERE job.study = $1 ORDER BY history.id`,
} as const;
