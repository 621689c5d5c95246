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
    'from version %d that is killed at any point leaves the old or the new, because nobody can mend half a schema',
    async (version) => {
      const folder = folderOfVersion(version);
      const { jobs } = inDatabase(folder, 'store.sqlite', soundness);
      const before = inDatabase(folder, 'store.sqlite', columnsOf);
      const sound = { check: { integrity_check: 'ok' }, jobs };
      let kills = 0;
      for (let step = 1; inDatabase(folder, 'store.sqlite', versionOf) === version; step *= 4) {
        const code = await startChild('upgrade', folder, String(step)).ended;
        expect(inDatabase(folder, 'store.sqlite', soundness)).toEqual(sound);
        expect(inDatabase(folder, `store-v${version}.sqlite`, soundness)).toEqual(sound);
        if (code === 0) break;
        kills++;
        expect(inDatabase(folder, 'store.sqlite', columnsOf)).toEqual(before);
      }
      expect(kills).toBeGreaterThan(3);
      expect(inDatabase(folder, 'store.sqlite', versionOf)).toBe(schemaVersion);
      await goOn(openTracked(folder));
    },
    300_000,
  );
});
