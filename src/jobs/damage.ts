import { closeSync, existsSync, openSync, readdirSync, readSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';
import { syncFolder } from './artifacts.ts';
import { translateErrors } from './database.ts';
import { applicationId, schemaVersion } from './schema.ts';

/** A database that SQLite finds damaged, and a folder whose database is gone (faults 67 and 70). */

/** How the store began: a new folder, one with its database, one that lost it, one whose database was damaged and set aside. */
export type StoreStart = 'first' | 'kept' | 'lost' | 'damaged';

export const storeFile = 'store.sqlite';
/** What a gateway leaves in its folder beside the database. */
const leftovers = ['site-secret', 'api-token', 'api-address'];

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Whether the failure says that the bytes of the file are wrong, and not that it cannot be read or written. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof Failure) || error.code !== 'store-failed') return false;
  const errcode = (error.detail.cause as { readonly errcode?: number } | undefined)?.errcode ?? 0;
  return error.detail.got === 'damage' || [SQLITE_CORRUPT, SQLITE_NOTADB].includes(errcode & 0xff);
}

/**
 * Moves the damaged database and its log out of the way and gives the name that it has now. Call it with the lock held. A file
 * whose head says that it is another program's, or of a newer gateway, stays where it is: `original` is raised.
 */
export function setAside(folder: string, original: unknown, now: number): string {
  if (isForeign(join(folder, storeFile))) throw original;
  const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, '').replace('.', '');
  const aside = `${storeFile}.damaged-${stamp}`;
  translateErrors('the damaged job store', () => {
    // The log first: a new database must never find the log of an old one.
    for (const suffix of ['-wal', '-shm', '']) {
      const path = join(folder, `${storeFile}${suffix}`);
      if (existsSync(path)) renameSync(path, join(folder, `${aside}${suffix}`));
    }
    syncFolder(folder);
  });
  return aside;
}

/** `PRAGMA user_version` and `application_id` as they lie in the head of the file (sqlite.org/fileformat2.html, 1.3). */
function isForeign(path: string): boolean {
  const head = Buffer.alloc(100);
  translateErrors('the damaged job store', () => {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  });
  if (head.toString('latin1', 0, 16) !== 'SQLite format 3\0') return false;
  const [version, owner] = [head.readUInt32BE(60), head.readUInt32BE(68)];
  if (owner !== applicationId) return owner !== 0 || version === 0;
  return version > schemaVersion;
}

/** Whether a gateway has worked in this folder before. */
export function wasUsed(folder: string): boolean {
  const artifacts = join(folder, 'artifacts');
  const hasArtifacts =
    existsSync(artifacts) && translateErrors('the artifact folder', () => readdirSync(artifacts)).length > 0;
  return hasArtifacts || leftovers.some((name) => existsSync(join(folder, name)));
}
