import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from '@jest/globals';
import type { Log } from '../../src/core/ports.ts';
import type { Store } from '../../src/jobs/index.ts';
import { openPostgresStore } from '../../src/jobs/postgres.ts';
import type { StoreBench } from '../contracts/job-queue.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../services/postgres.ts';

/** A real server for a suite, a database for each test, and stores on it that are closed after the test. */

const reason = whyNoPostgres();
if (reason !== null && process.env.CI) throw new Error(`in CI nothing is skipped: ${reason}`);
export const describePostgres = reason === null ? describe : describe.skip;

export interface PostgresBench extends StoreBench {
  readonly server: () => PostgresServer;
  openOn(url: string, log?: Log, patienceMs?: number): Promise<Store>;
  folder(): string;
}

/** To be called inside a `describe`. */
export function usePostgres(): PostgresBench {
  const stores = new Map<Store, string>();
  const folders: string[] = [];
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 120_000);
  afterEach(async () => {
    await Promise.all([...stores.keys()].map((store) => store.close()));
    stores.clear();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  // A database a test: the last checkpoint writes all of them.
  afterAll(() => server.stop(), 120_000);
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'cxr-gateway-state-'));
    folders.push(path);
    return path;
  };
  const openOn = async (url: string, log?: Log, patienceMs = 20_000) => {
    const store = await openPostgresStore({ url, stateFolder: folder(), patienceMs }, log);
    stores.set(store, url);
    return store;
  };
  return {
    depth: 5_000,
    server: () => server,
    folder,
    openOn,
    open: async (log) => openOn(await server.createDatabase(), log),
    async reopen(store, log) {
      const url = stores.get(store)!;
      await store.close();
      return openOn(url, log);
    },
  };
}
