import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { schemaVersion } from '../../src/jobs/schema.ts';
import { openTracked } from './bench.ts';
import { folderOfVersion, goOn, sqliteVersions, unreleased } from './old-stores.ts';
import { startChild } from './processes.ts';

function inDatabase<T>(folder: string, file: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(folder, file));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** So many more that a change of the tables takes its time. */
function addJobs(folder: string, count: number): void {
  const add = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at)
    SELECT '7.' || i, 'test', 0, 'done', i, i, i FROM n`;
  inDatabase(folder, 'store.sqlite', (database) => database.exec(add));
}

const soundness = (database: DatabaseSync) => ({
  check: database.prepare('PRAGMA integrity_check').get(),
  jobs: (database.prepare('SELECT count(*) AS jobs FROM job').get() as { jobs: number }).jobs,
});
const versionOf = (database: DatabaseSync) =>
  (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
const columnsOf = (database: DatabaseSync) =>
  database.prepare("SELECT group_concat(name) AS names FROM pragma_table_info('job')").get();

describe('fault 78: an upgrade with jobs under way', () => {
  test('is tried from every version that was ever released, because a site may skip some', () => {
    expect(sqliteVersions.at(-1)! + unreleased).toBe(schemaVersion);
  });

  test.each(sqliteVersions)(
    'from version %d goes on with every job, because a delivery that began must end',
    async (version) => {
      const store = openTracked(folderOfVersion(version));
      await goOn(store);
    },
  );

  test.each(sqliteVersions)(
    'from version %d that is killed leaves the old or the new, because nobody can mend half a schema',
    async (version) => {
      const folder = folderOfVersion(version);
      addJobs(folder, 30_000);
      const { jobs } = inDatabase(folder, 'store.sqlite', soundness);
      const before = inDatabase(folder, 'store.sqlite', columnsOf);
      let upgraded = 0;
      for (const delayMs of [0, 15, 40, 80, 150, 250, 400]) {
        const child = startChild('upgrade', folder);
        await child.said('opening');
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        await child.kill('SIGKILL');
        const now = inDatabase(folder, 'store.sqlite', versionOf);
        expect([version, schemaVersion]).toContain(now);
        expect(inDatabase(folder, 'store.sqlite', soundness)).toEqual({ check: { integrity_check: 'ok' }, jobs });
        if (now === version) expect(inDatabase(folder, 'store.sqlite', columnsOf)).toEqual(before);
        else upgraded++;
        const copy = `store-v${version}.sqlite`;
        if (upgraded > 0) expect(readdirSync(folder)).toContain(copy);
        if (readdirSync(folder).includes(copy))
          expect(inDatabase(folder, copy, soundness)).toEqual({ check: { integrity_check: 'ok' }, jobs });
      }
      inDatabase(folder, 'store.sqlite', (database) => database.exec("DELETE FROM job WHERE study LIKE '7.%'"));
      await goOn(openTracked(folder));
    },
    120_000,
  );
});
