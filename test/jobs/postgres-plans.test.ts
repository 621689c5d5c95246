import { afterEach, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { query } from '../services/postgres.ts';
import { askEverything, askedRarely } from './asked.ts';
import { describePostgres, usePostgres } from './postgres-bench.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

const jobs = 100_000;
const growing = ['job', 'history', 'outcome', 'reading', 'artifact', 'artifact_bytes', 'reading_artifact', 'receipt'];

/** A store after some years: nearly all is done, 2,000 studies wait, three run. PostgreSQL plans by what the tables hold. */
const fill = `
ALTER TABLE job DISABLE TRIGGER USER;
INSERT INTO reading (content_key, study, model_id, decision, score, read_at, json)
  SELECT 'k' || i, '1.' || i, 'm', 'present', i / ${jobs}.0, '', '{}' FROM generate_series(1, ${jobs}) AS i;
INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at, ready, reading, score, decision, claimed, claim, instance)
  SELECT '1.' || i, 'test', i % 2, CASE WHEN i % 50 = 0 THEN 'announced' ELSE 'done' END, i, i, i, i % 3 % 2, r.id, r.score, 'present',
    CASE WHEN i <= 3 THEN 1 ELSE 0 END, CASE WHEN i <= 3 THEN 'c' || i END, CASE WHEN i <= 3 THEN 1 END
  FROM generate_series(1, ${jobs}) AS i JOIN reading r ON r.study = '1.' || i;
INSERT INTO history (job, at, state, attempt, duration_ms) SELECT number, 1, 'done', 0, 0 FROM job, generate_series(1, 2);
INSERT INTO outcome (job, position, reason, json) SELECT number, 1, 'reason-' || number % 100, '{}' FROM job;
INSERT INTO artifact (id, kind, media_type, sha256, purged_at)
  SELECT '9.' || number, 'sr', 'x', 'y', CASE WHEN number % 10 > 0 THEN 5 END FROM job;
INSERT INTO artifact_bytes SELECT id, 'x' FROM artifact WHERE id LIKE '9.%';
INSERT INTO reading_artifact SELECT reading, 'sr', 0, '9.' || number, 'f' FROM job WHERE reading IS NOT NULL ON CONFLICT DO NOTHING;
INSERT INTO receipt SELECT id, 'pacs', '', '' FROM artifact WHERE id LIKE '9.%';`;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

const nodesOf = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** How a prepared statement is answered, whatever its values. */
async function planOf(client: pg.Client, text: string): Promise<Plan> {
  const values = new Set(text.match(/\$\d+/g)).size;
  await client.query(`PREPARE it AS ${text}`);
  const of = values === 0 ? '' : `(${Array(values).fill('NULL').join()})`;
  const { rows } = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE it${of}`);
  await client.query('DEALLOCATE it');
  return rows[0]['QUERY PLAN'][0].Plan;
}

/** Once an hour, over what is kept; questions by decision or code look at what they ask for, in the way that is best for its number. */
const mayWalk = (text: string): boolean =>
  text.includes('DELETE FROM artifact_bytes') ||
  text.includes('WHERE code = $1') ||
  /^SELECT count\(\*\) AS total FROM job WHERE job.decision/.test(text);

describePostgres('fault 77: on PostgreSQL', () => {
  const bench = usePostgres();

  test('no statement walks through a table that grows, because the cost of a study must not hang on the backlog', async () => {
    const url = await bench.server().createDatabase();
    const texts = new Set<string>();
    const ask = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => unknown;
    jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
      this: pg.Client,
      ...args: readonly unknown[]
    ) {
      const [config] = args as readonly [{ readonly text?: string; readonly name?: string }];
      if (config.name !== undefined) texts.add(config.text!);
      return ask.apply(this, [...args]);
    } as never);
    await askEverything(await bench.openOn(url));
    jest.restoreAllMocks();
    expect(texts.size).toBeGreaterThan(40);

    await query(url, `SET search_path = cxr_gateway; ${fill}`);
    await query(url, 'VACUUM ANALYZE');
    const client = new pg.Client({
      connectionString: url,
      options: '-c search_path=cxr_gateway -c plan_cache_mode=force_generic_plan',
    });
    await client.connect();
    try {
      const walks: string[] = [];
      for (const text of [...texts, ...askedRarely].filter((each) => !mayWalk(each))) {
        const nodes = nodesOf(await planOf(client, text));
        const walked = nodes.filter(
          (node) => node['Node Type'] === 'Seq Scan' && growing.includes(node['Relation Name'] ?? ''),
        );
        if (walked.length > 0) walks.push(`${walked.map((node) => node['Relation Name']).join()}: ${text}`);
      }
      expect(walks).toEqual([]);
    } finally {
      await client.end();
    }
  }, 300_000);
});
