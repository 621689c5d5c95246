import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { openStore } from '../../src/jobs/index.ts';
import { migrate, schemaVersion } from '../../src/jobs/schema.ts';
import { closeTracked, makeFolder, openTracked } from './bench.ts';

/** A state folder with the store of an older gateway, jobs under way in it. */
function folderOfVersion1(): string {
  const folder = makeFolder();
  edit(folder, readFileSync(join(import.meta.dirname, 'store-v1.sql'), 'utf8'));
  return folder;
}

function edit(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'store.sqlite'));
  database.exec(sql);
  database.close();
}

function read<T>(folder: string, file: string, sql: string): T[] {
  const database = new DatabaseSync(join(folder, file), { readOnly: true });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row })) as T[];
  } finally {
    database.close();
  }
}

describe('fault 78: an upgrade', () => {
  test('takes every job along in its condition, because a study under way does not know of versions', async () => {
    const { queue, board, history, memory } = openTracked(folderOfVersion1());
    await queue.recover(400);
    expect(await board.countsByState()).toEqual({ announced: 2, retrying: 1, settling: 1, done: 1 });
    const first = [await queue.claim(500), await queue.claim(500)].map((job) => job?.studyInstanceUid);
    expect(new Set(first)).toEqual(new Set(['1.1', '1.3']));
    expect(await queue.claim(7_999)).toBeNull();
    expect(await queue.claim(8_000)).toMatchObject({ studyInstanceUid: '1.4', settling: { count: 4, since: 320 } });
    const urgent = { studyInstanceUid: '1.2', priority: 'stat', attempt: 2, failingSince: 200, demand: null };
    expect(await queue.claim(9_000)).toMatchObject(urgent);
    expect((await board.get('1.5'))?.job).toMatchObject({ state: 'done', partial: true });
    expect(await history('1.2')).toHaveLength(1);
    expect(await memory('qido-poll').get('cursor')).toBe(7);
  });

  test('leaves a copy of the old store that the old gateway can open, because an upgrade may be regretted', () => {
    const folder = folderOfVersion1();
    const jobs = 'SELECT study, state, claimed FROM job ORDER BY number';
    const before = read(folder, 'store.sqlite', jobs);
    closeTracked(openTracked(folder));
    expect(read(folder, 'store-v1.sqlite', jobs)).toEqual(before);
    expect(read(folder, 'store-v1.sqlite', 'PRAGMA user_version')).toEqual([{ user_version: 1 }]);
    expect(read(folder, 'store-v1.sqlite', 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(statSync(join(folder, 'store-v1.sqlite')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('back and forth takes the newer old store, because jobs were done with it meanwhile', () => {
    const folder = folderOfVersion1();
    closeTracked(openTracked(folder));
    cpSync(join(folder, 'store-v1.sqlite'), join(folder, 'store.sqlite'));
    edit(folder, "UPDATE job SET state = 'dead' WHERE study = '1.1'");
    closeTracked(openTracked(folder));
    const state = "SELECT state FROM job WHERE study = '1.1'";
    expect(read(folder, 'store.sqlite', state)).toEqual([{ state: 'dead' }]);
    expect(read(folder, 'store-v1.sqlite', state)).toEqual([{ state: 'dead' }]);
  });

  test('happens whole or not at all, because half a schema fits no gateway', () => {
    const folder = folderOfVersion1();
    // The last of its statements fails: an index of that name is there.
    edit(folder, 'CREATE INDEX job_by_arrival ON job (announced_at)');
    const tables = 'SELECT name, sql FROM sqlite_schema ORDER BY name';
    const before = read(folder, 'store.sqlite', tables);
    expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'store-failed' }));
    expect(read(folder, 'store.sqlite', tables)).toEqual(before);
    expect(read(folder, 'store.sqlite', 'PRAGMA user_version')).toEqual([{ user_version: 1 }]);
    edit(folder, 'DROP INDEX job_by_arrival');
    expect(() => openTracked(folder)).not.toThrow();
  });

  test('without its copy does not begin, because a full disk is no reason to burn the bridge', () => {
    const folder = folderOfVersion1();
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    const full = () => {
      throw new Error('no space');
    };
    expect(() => migrate(database, full)).toThrow('no space');
    database.close();
    expect(read(folder, 'store.sqlite', 'PRAGMA user_version')).toEqual([{ user_version: 1 }]);
  });

  test('that is none makes no copy, because a restart is not an upgrade', () => {
    const folder = closeTracked(openTracked(makeFolder()));
    closeTracked(openTracked(folder));
    expect(readdirSync(folder).filter((name) => name.startsWith('store-'))).toEqual([]);
    expect(existsSync(join(folder, 'store.sqlite'))).toBe(true);
  });

  test('is refused by the older gateway afterwards, which changes nothing, because it would lose what it does not know', () => {
    const folder = closeTracked(openTracked(makeFolder()));
    edit(folder, `PRAGMA user_version = ${schemaVersion + 1}`);
    const before = readFileSync(join(folder, 'store.sqlite'));
    expect(() => openStore(folder)).toThrow(
      expect.objectContaining({ code: 'store-failed', message: expect.stringContaining('of a newer gateway') }),
    );
    expect(readFileSync(join(folder, 'store.sqlite')).equals(before)).toBe(true);
  });
});
