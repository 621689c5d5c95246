import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../core/failure.ts';
import { translateErrors } from './database.ts';

/** A process that is just leaving, or has just come and not yet written its pid, is given this long. */
const patienceMs = 500;
const SQLITE_BUSY = 5;

/** A handle that nobody refers to is collected, and closed, and the lock with it: these are referred to until their release. */
const held = new Set<DatabaseSync>();

export interface Lock {
  release(): void;
}

/**
 * Takes the state folder for this process, or raises `store-locked` naming the process that has it.
 *
 * The lock is the operating system's own, on a database that holds nothing and is kept in an exclusive transaction: it ends with
 * the process, however the process ends. A pid file alone would outlive a kill, and pids come back. The pid beside it is only
 * for the message. Never open `lock.sqlite` by other means in this process: closing any handle of it would drop a POSIX lock.
 */
export function lockFolder(folder: string): Lock {
  const pidPath = join(folder, 'lock.pid');
  const database = translateErrors('the lock of the state folder', () =>
    holdDatabase(join(folder, 'lock.sqlite'), pidPath),
  );
  const release = () => {
    held.delete(database);
    database.close();
  };
  try {
    translateErrors('the lock of the state folder', () => {
      writeFileSync(pidPath, `${process.pid} on ${hostname()}\n`, { mode: 0o600 });
    });
  } catch (error) {
    release();
    throw error;
  }
  return {
    release() {
      rmSync(pidPath, { force: true });
      release();
    },
  };
}

function holdDatabase(path: string, pidPath: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: patienceMs });
  try {
    database.exec('BEGIN EXCLUSIVE');
    held.add(database);
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new Failure('store-locked', {
      where: 'the state folder',
      expected: 'one process on it',
      got: `held by process ${holder(pidPath)}`,
    });
  }
}

function holder(pidPath: string): string {
  try {
    const text = readFileSync(pidPath, 'utf8').trim();
    return /^[0-9]+ on [\w.-]+$/.test(text) ? text : 'unknown';
  } catch {
    return 'unknown';
  }
}
