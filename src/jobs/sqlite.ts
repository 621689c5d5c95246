import { chmodSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Log } from '../core/ports.ts';
import { bytesInFiles, openArtifactFiles, syncFile, syncFolder } from './artifacts.ts';
import { createBoard, createHistory } from './board.ts';
import { type Database, openDatabase, translateErrors } from './database.ts';
import { createLedger, purge } from './ledger.ts';
import { lockFolder } from './lock.ts';
import { createQueue } from './queue.ts';
import { migrate } from './schema.ts';
import { siteSecret } from './secret.ts';
import { createMemory } from './source-memory.ts';
import { createSqliteEngine } from './sqlite-engine.ts';
import { makePrivate } from './state-folder.ts';
import type { Store } from './store.ts';

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
  const engine = createSqliteEngine(database);
  const bytes = bytesInFiles(openArtifactFiles(join(path, 'artifacts')));
  const queue = createQueue(engine, log);
  return {
    queue,
    ledger: createLedger(engine, bytes),
    board: createBoard(engine),
    history: createHistory(engine),
    memory: (name) => createMemory(engine, name),
    secret: async () => siteSecret(path),
    leads: async () => true,
    async check() {
      await queue.nextDueAt();
    },
    purge: (olderThan, now) => purge(engine, bytes, olderThan, now),
    async close() {
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
