import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { askEverything, askedRarely } from './asked.ts';
import { closeTracked, makeFolder, openTracked } from './bench.ts';

/** What grows with the studies that a gateway has ever met. */
const growing = 'job|history|outcome|reading|artifact|reading_artifact|receipt';

afterEach(() => {
  jest.restoreAllMocks();
});

/** The statements that a store on SQLite prepares for everything that a gateway asks, and how each is answered. */
async function plansOf(): Promise<readonly { readonly text: string; readonly plan: readonly string[] }[]> {
  const texts = new Set<string>();
  const prepare = DatabaseSync.prototype.prepare;
  jest.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, text: string) {
    texts.add(text);
    return prepare.call(this, text);
  });
  const store = openTracked(makeFolder());
  await askEverything(store);
  jest.restoreAllMocks();
  const database = new DatabaseSync(join(closeTracked(store), 'store.sqlite'));
  const asked = [...texts, ...askedRarely].filter((text) => !/^\s*(PRAGMA|VACUUM)/.test(text));
  const plans = asked.map((text) => {
    const rows = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as { readonly detail: string }[];
    return { text, plan: rows.map(({ detail }) => detail) };
  });
  database.close();
  return plans;
}

/** A page in the order of an index ends at its LIMIT. */
const isPage = (text: string, plan: readonly string[]): boolean =>
  /\bLIMIT\b/.test(text) && !plan.some((step) => step.includes('FOR ORDER BY'));

/** The names of the files to keep, once an hour; what was purged is not among them. */
const isSweep = (text: string): boolean => text === 'SELECT sha256 FROM artifact WHERE purged_at IS NULL';

/** A count by decision looks at what it counts. */
const isCountByDecision = (text: string): boolean =>
  /^SELECT count\(\*\) AS total FROM job WHERE job.decision/.test(text);

const scan = new RegExp(`^SCAN (?:${growing})\\b(?! USING (?:COVERING )?INDEX)`);
const indexScan = new RegExp(`^SCAN (?:${growing})\\b`);

describe('fault 77: on SQLite', () => {
  test('no statement walks through a table that grows, because the cost of a study must not hang on the backlog', async () => {
    const plans = await plansOf();
    expect(plans.length).toBeGreaterThan(40);
    const walks = plans.filter(({ text, plan }) => {
      const bad = isPage(text, plan) || isSweep(text) ? scan : indexScan;
      return !isCountByDecision(text) && plan.some((step) => bad.test(step));
    });
    expect(walks).toEqual([]);
  });

  test('no statement sorts what grows, because ten studies out of 100,000 are one end of an index', async () => {
    const sorts = (await plansOf()).filter(
      ({ text, plan }) => /\bLIMIT\b/.test(text) && plan.some((step) => /TEMP B-TREE FOR ORDER BY/.test(step)),
    );
    // A piece of the purge holds 500; the studies with one code are what the operator asked for.
    const large = sorts.filter(({ text }) => !text.includes('LIMIT 500') && !text.includes('WHERE code = $1'));
    expect(large.map(({ text }) => text)).toEqual([]);
  });
});
