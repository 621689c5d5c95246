import type { Log } from '../core/ports.ts';
import type { JobsOptions } from './options.ts';
import { openPostgresStore } from './postgres.ts';
import { openStore } from './sqlite.ts';
import type { Store } from './store.ts';

/** The store that the configuration names. A new engine is its file and a line here. */
export async function openJobs({ kind, url, password, stateFolder, onDamage }: JobsOptions, log: Log): Promise<Store> {
  if (kind === 'sqlite' || url === undefined) return openStore(stateFolder, log, { onDamage });
  return openPostgresStore({ url, stateFolder, ...(password !== undefined && { password }) }, log);
}
