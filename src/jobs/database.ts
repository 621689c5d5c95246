import { DatabaseSync } from 'node:sqlite';
import { types } from 'node:util';
import { Failure } from '../core/failure.ts';

/** What every table of the store leans on: open, transact, and SQLite's errors in our words. */

export type Database = DatabaseSync;

const SQLITE_CONSTRAINT = 19;

/**
 * Opens a database with the settings that the promise needs: a commit is on the disk before it is acknowledged
 * (WAL alone would lose the last commits with the power), and a damaged file is found now and not in the middle of a study.
 */
export function openDatabase(path: string): Database {
  return translateErrors('the job store', () => {
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 2_000 });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF');
      const check = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
      if (check.quick_check === 'ok') return database;
      throw new Failure('store-failed', {
        where: 'quick_check of the job store',
        expected: 'a sound database',
        got: 'damage',
      });
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** All of `work`, durably, or nothing of it. */
export function transaction<T>(database: Database, where: string, work: () => T): T {
  return translateErrors(where, () => {
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  });
}

/** SQLite's errors and the file system's, as `store-failed`; a broken constraint is a fault of ours and stays one. */
export function translateErrors<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const got = storageError(error);
    throw got === null ? error : new Failure('store-failed', { where, got, cause: error });
  }
}

function storageError(error: unknown): string | null {
  if (!types.isNativeError(error)) return null;
  const { code, errcode, errstr, syscall } = error as Error &
    Partial<Record<'code' | 'errstr' | 'syscall', string>> & { errcode?: number };
  if (code === 'ERR_SQLITE_ERROR') return ((errcode ?? 0) & 0xff) === SQLITE_CONSTRAINT ? null : `SQLite: ${errstr}`;
  return syscall === undefined ? null : `${code} at ${syscall}`;
}
