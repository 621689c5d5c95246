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

/** SQLite's errors and the file system's, as `store-failed` or `disk-full`; a broken constraint is a fault of ours and stays one. */
export function translateErrors<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const got = storageError(error);
    if (got === null) throw error;
    throw new Failure(isOutOfRoom(error) ? 'disk-full' : 'store-failed', { where, got, cause: error });
  }
}

type StorageError = Error & Partial<Record<'code' | 'errstr' | 'syscall', string>> & { readonly errcode?: number };

function storageError(error: unknown): string | null {
  if (!types.isNativeError(error)) return null;
  const { code, errcode, errstr, syscall } = error as StorageError;
  if (code === 'ERR_SQLITE_ERROR') return ((errcode ?? 0) & 0xff) === SQLITE_CONSTRAINT ? null : `SQLite: ${errstr}`;
  return syscall === undefined ? null : `${code} at ${syscall}`;
}

const SQLITE_FULL = 13;
/** SQLite could not make the file larger that the log's index lies in; no other cause of it is known. */
const SQLITE_IOERR_SHMSIZE = 4874;

/** No room on the disk, or none left in the quota: room may come back, and nothing was written. */
function isOutOfRoom(error: unknown): boolean {
  const { code, errcode = 0 } = error as StorageError;
  if (code === 'ERR_SQLITE_ERROR') return (errcode & 0xff) === SQLITE_FULL || errcode === SQLITE_IOERR_SHMSIZE;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
