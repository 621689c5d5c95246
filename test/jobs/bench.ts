import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { Log } from '../../src/core/ports.ts';
import { openStore, type Store } from '../../src/jobs/index.ts';
import type { StoreBench } from '../contracts/job-queue.ts';

/** Real files in temporary folders that are gone after the test, as are the stores on them. */

const stores = new Map<Store, string>();
const folders: string[] = [];

afterEach(() => {
  for (const store of stores.keys()) store.close();
  stores.clear();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function makeFolder(below = tmpdir()): string {
  const folder = mkdtempSync(join(below, 'cxr-store-'));
  folders.push(folder);
  return folder;
}

export function openTracked(folder: string, log?: Log): Store {
  const store = openStore(folder, log);
  stores.set(store, folder);
  return store;
}

export function closeTracked(store: Store): string {
  const folder = stores.get(store)!;
  stores.delete(store);
  store.close();
  return folder;
}

export const sqliteBench: StoreBench = {
  depth: 100_000,
  open: async (log) => openTracked(makeFolder(), log),
  reopen: async (store, log) => openTracked(closeTracked(store), log),
};
