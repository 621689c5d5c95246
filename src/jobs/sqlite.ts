import { chmodSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Log } from '../core/ports.ts';
import { bytesInFiles, openArtifactFiles, syncFile, syncFolder } from './artifacts.ts';
import { createBoard, createHistory } from './board.ts';
import { isDamage, type StoreStart, setAside, storeFile, wasUsed } from './damage.ts';
import { type Database, openDatabase, transaction, translateErrors } from './database.ts';
import { createLedger, forgetReceipts } from './ledger.ts';
import { lockFolder } from './lock.ts';
import { createPast } from './past.ts';
import { purge } from './purge.ts';
import { createQueue } from './queue.ts';
import { migrate } from './schema.ts';
import { siteSecret } from './secret.ts';
import { createMemory } from './source-memory.ts';
import { createSqliteEngine } from './sqlite-engine.ts';
import { makePrivate } from './state-folder.ts';
import type { Store } from './store.ts';
import { createWithdrawals } from './withdrawals.ts';

export interface StoreOptions {
  /** A damaged database: set aside and begun anew, or refused. */
  readonly onDamage?: 'recover' | 'stop';
  /** Milliseconds since 1970; for the name of a database that is set aside. */
  readonly now?: () => number;
}

/**
 * Opens the state folder, made when it is not there, and holds its lock until `close`.
 *
 * The folder holds `store.sqlite` (jobs and ledger), `artifacts/` (bytes by digest), `site-secret` and the lock.
 * @param log hears one line per change of state of a job, after it is on the disk.
 * @throws Failure `store-locked` (another process), `store-failed` (damaged, newer schema, not writable).
 */
export function openStore(
  folder: string,
  log: Log = () => {},
  { onDamage = 'stop', now = Date.now }: StoreOptions = {},
): Store {
  const path = resolve(folder);
  makePrivate(path);
  const lock = lockFolder(path);
  try {
    const wasInUse = wasUsed(path);
    const { database, isNew, setAsideAs } = openOrSetAside(path, onDamage, now);
    const start = setAsideAs !== null ? 'damaged' : isNew ? (wasInUse ? 'lost' : 'first') : 'kept';
    try {
      syncFolder(path);
      return assemble(path, database, { log, unlock: () => lock.release(), start, setAsideAs });
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Opened {
  readonly database: Database;
  readonly isNew: boolean;
  readonly setAsideAs: string | null;
}

function openOrSetAside(folder: string, onDamage: 'recover' | 'stop', now: () => number): Opened {
  try {
    return { ...openMigrated(folder), setAsideAs: null };
  } catch (error) {
    if (onDamage === 'stop' || !isDamage(error)) throw error;
    const setAsideAs = setAside(folder, error, now());
    return { ...openMigrated(folder), setAsideAs };
  }
}

function openMigrated(folder: string): Pick<Opened, 'database' | 'isNew'> {
  const database = openDatabase(join(folder, storeFile));
  try {
    return { database, isNew: migrate(database, (version) => keepCopy(database, folder, version)) };
  } catch (error) {
    database.close();
    throw error;
  }
}

interface Parts {
  readonly log: Log;
  readonly unlock: () => void;
  readonly start: StoreStart;
  readonly setAsideAs: string | null;
}

function assemble(path: string, database: Database, { log, unlock, start, setAsideAs }: Parts): Store {
  const engine = createSqliteEngine(database);
  const bytes = bytesInFiles(openArtifactFiles(join(path, 'artifacts')));
  const queue = createQueue(engine, log);
  return {
    start,
    setAsideAs,
    recovering: isRecovering(database, start),
    queue,
    ledger: createLedger(engine, bytes),
    withdrawals: createWithdrawals(engine, bytes),
    board: createBoard(engine),
    history: createHistory(engine),
    past: createPast(engine),
    memory: (name) => createMemory(engine, name),
    secret: async () => siteSecret(path),
    leads: async () => true,
    async check() {
      await queue.nextDueAt();
    },
    forgetReceipts: (lost) => forgetReceipts(engine, lost),
    purge: (olderThan, now) => purge(engine, { bytes, olderThan, now }),
    async close() {
      if (!database.isOpen) return;
      database.close();
      unlock();
    },
  };
}

/** A store that was begun in place of a lost one stays so: the look-back must outlive a crash in the middle of it. */
function isRecovering(database: Database, start: StoreStart): boolean {
  const where = 'the begin of the job store';
  if (start === 'lost' || start === 'damaged') {
    const begun = "INSERT OR REPLACE INTO memory (owner, key, json) VALUES ('store', 'begun', '\"recovery\"')";
    transaction(database, where, () => database.exec(begun));
  }
  const select = database.prepare("SELECT 1 FROM memory WHERE owner = 'store' AND key = 'begun'");
  return translateErrors(where, () => select.get()) !== undefined;
}

/** The whole database as it was, beside it, before a newer gateway changes its tables: `store-v1.sqlite`. */
function keepCopy(database: Database, folder: string, version: number): void {
  const name = join(folder, `store-v${version}.sqlite`);
  translateErrors('the copy of the job store before its upgrade', () => {
    rmSync(`${name}.tmp`, { force: true });
    database.prepare('VACUUM INTO ?').run(`${name}.tmp`);
    chmodSync(`${name}.tmp`, 0o600);
    syncFile(`${name}.tmp`);
    renameSync(`${name}.tmp`, name);
    syncFolder(folder);
  });
}
