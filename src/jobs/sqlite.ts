import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Log, Memory } from '../core/ports.ts';
import { type ArtifactFiles, openArtifactFiles, syncFile, syncFolder } from './artifacts.ts';
import { createBoard, createHistory } from './board.ts';
import { isDamage, type StoreStart, setAside, storeFile, wasUsed } from './damage.ts';
import { type Database, openDatabase, transaction, translateErrors } from './database.ts';
import { createLedger } from './ledger.ts';
import { lockFolder } from './lock.ts';
import { createQueue } from './queue.ts';
import { migrate } from './schema.ts';
import { siteSecret } from './secret.ts';
import type { Store } from './store.ts';

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
  const files = openArtifactFiles(join(path, 'artifacts'));
  return {
    start,
    setAsideAs,
    recovering: isRecovering(database, start),
    queue: createQueue(database, log),
    ledger: createLedger(database, files),
    board: createBoard(database),
    history: createHistory(database),
    memory: (name) => createMemory(database, name),
    secret: () => siteSecret(path),
    forgetReceipt: async (artifactId, destination) => forgetReceipt(database, artifactId, destination),
    purge: async (olderThan, now) => purge(database, files, olderThan, now),
    close() {
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

/** The folder holds patient data: its owner's alone. A mount that cannot be made so needs a folder below it. */
function makePrivate(folder: string): void {
  const made = translateErrors('the state folder', () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  if (made !== undefined) translateErrors('the state folder', () => syncFolder(dirname(folder)));
  if ((statSync(folder).mode & 0o077) === 0) return;
  try {
    chmodSync(folder, 0o700);
  } catch (cause) {
    const expected = 'a folder that its owner alone can enter (0700), or that can be made so';
    throw new Failure('store-failed', { where: 'the state folder', expected, got: 'an open one', cause });
  }
}

function createMemory(database: Database, owner: string): Memory {
  const where = 'the memory of a source';
  const get = database.prepare('SELECT json FROM memory WHERE owner = ? AND key = ?');
  const set = database.prepare('INSERT OR REPLACE INTO memory (owner, key, json) VALUES (?, ?, ?)');
  return {
    async get(key) {
      const row = translateErrors(where, () => get.get(owner, key)) as { json: string } | undefined;
      return row === undefined ? undefined : JSON.parse(row.json);
    },
    async set(key, value) {
      transaction(database, where, () => set.run(owner, key, JSON.stringify(value ?? null)));
    },
  };
}

function forgetReceipt(database: Database, artifactId: string, destination: string): boolean {
  return transaction(database, 'the ledger', () => {
    const kept = database.prepare('SELECT 1 FROM artifact WHERE id = ? AND purged_at IS NULL').get(artifactId);
    if (kept === undefined) return false;
    database.prepare('DELETE FROM receipt WHERE artifact = ? AND destination = ?').run(artifactId, destination);
    return true;
  });
}

/** The ledger forgets first, the files go after: a crash in between leaves files that the next purge sweeps. */
function purge(database: Database, files: ArtifactFiles, olderThan: number, now: number): number {
  const forget = database.prepare(`UPDATE artifact SET purged_at = ? WHERE purged_at IS NULL
    AND id IN (SELECT artifact FROM receipt)
    AND id IN (SELECT artifact FROM reading_artifact JOIN reading ON reading.id = reading_artifact.reading
      JOIN job ON job.study = reading.study
      WHERE job.state IN ('done', 'skipped', 'quarantined', 'source-gone') AND job.updated_at < ?)`);
  transaction(database, 'the purge of artifacts', () => forget.run(now, olderThan));
  const kept = database.prepare('SELECT sha256 FROM artifact WHERE purged_at IS NULL');
  const rows = translateErrors('the purge of artifacts', () => kept.all()) as { sha256: string }[];
  return files.sweep(new Set(rows.map(({ sha256 }) => sha256)));
}
