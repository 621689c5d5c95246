import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Log, Memory } from '../core/ports.ts';
import { type ArtifactFiles, openArtifactFiles, syncFile, syncFolder } from './artifacts.ts';
import { createBoard, createHistory } from './board.ts';
import { type Database, openDatabase, transaction, translateErrors } from './database.ts';
import { createLedger } from './ledger.ts';
import { lockFolder } from './lock.ts';
import { createPast } from './past.ts';
import { createQueue } from './queue.ts';
import { migrate } from './schema.ts';
import { siteSecret } from './secret.ts';
import type { Store } from './store.ts';
import { createWithdrawals } from './withdrawals.ts';

/**
 * Opens the state folder, made when it is not there, and holds its lock until `close`.
 *
 * The folder holds `store.sqlite` (jobs and ledger), `artifacts/` (bytes by digest), `site-secret` and the lock.
 * @param log hears one line per change of state of a job, after it is on the disk.
 * @throws Failure `store-locked` (another process), `store-failed` (damaged, newer schema, not writable).
 */
export function openStore(folder: string, log: Log = () => {}): Store {
  const path = resolve(folder);
  makePrivate(path);
  const lock = lockFolder(path);
  try {
    const database = openDatabase(join(path, 'store.sqlite'));
    try {
      migrate(database, (version) => keepCopy(database, path, version));
      syncFolder(path);
      return assemble(path, database, log, () => lock.release());
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

function assemble(path: string, database: Database, log: Log, unlock: () => void): Store {
  const files = openArtifactFiles(join(path, 'artifacts'));
  return {
    queue: createQueue(database, log),
    ledger: createLedger(database, files),
    withdrawals: createWithdrawals(database, files),
    board: createBoard(database),
    history: createHistory(database),
    past: createPast(database),
    memory: (name) => createMemory(database, name),
    secret: () => siteSecret(path),
    purge: async (olderThan, now) => purge(database, files, olderThan, now),
    close() {
      if (!database.isOpen) return;
      database.close();
      unlock();
    },
  };
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

/** The ledger forgets first, the files go after: a crash in between leaves files that the next purge sweeps. */
function purge(database: Database, files: ArtifactFiles, olderThan: number, now: number): number {
  const forget = database.prepare(`UPDATE artifact SET purged_at = ? WHERE purged_at IS NULL
    AND id IN (SELECT artifact FROM receipt)
    AND id IN (SELECT artifact FROM reading_artifact JOIN reading ON reading.id = reading_artifact.reading
      JOIN job ON job.study = reading.study
      WHERE job.state IN ('done', 'skipped', 'quarantined', 'source-gone', 'retracted') AND job.updated_at < ?)`);
  transaction(database, 'the purge of artifacts', () => forget.run(now, olderThan));
  const kept = database.prepare('SELECT sha256 FROM artifact WHERE purged_at IS NULL');
  const rows = translateErrors('the purge of artifacts', () => kept.all()) as { sha256: string }[];
  return files.sweep(new Set(rows.map(({ sha256 }) => sha256)));
}
