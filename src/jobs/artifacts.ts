import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';
import { sha256 } from '../core/ids.ts';
import { translateErrors } from './database.ts';
import { all, type Work } from './work.ts';

/**
 * Bytes of artifacts as files named by their own digest: no name comes from data, and a file that is there is whole.
 * Synchronous on purpose: between the file and the ledger's commit nothing else of this process may run, least of all a sweep.
 */
export interface ArtifactFiles {
  /** On the disk, file and folder entry, when it returns. */
  write(digest: string, bytes: Uint8Array): void;
  /** The very bytes, else a Failure. */
  read(digest: string): Uint8Array;
  /** Removes every file but those to keep, leftovers of a crash included; gives how many went. */
  sweep(keep: ReadonlySet<string>): number;
}

/** Where the ledger keeps the bytes of artifacts: files beside SQLite, rows in PostgreSQL. */
export interface ArtifactBytes {
  /** Of the artifact that the transaction has just entered. Raises `internal` for bytes that are not of their digest. */
  write(artifact: string, digest: string, bytes: Uint8Array): Work<void>;
  /** Gives the very bytes when it is called, else raises a Failure. */
  read(artifact: string, digest: string): Work<() => Uint8Array>;
  /** Removes the bytes of purged artifacts and of none; gives how many went. */
  sweep(): Work<number>;
}

/** Bytes go to disk before the commit and away after the ledger has forgotten them. */
export function bytesInFiles(files: ArtifactFiles): ArtifactBytes {
  return {
    // biome-ignore lint/correctness/useYield: a file is no statement
    *write(_artifact, digest, bytes) {
      files.write(digest, bytes);
    },
    *read(_artifact, digest) {
      return () => files.read(digest);
    },
    *sweep() {
      const kept = yield* all<{ readonly sha256: string }>('SELECT sha256 FROM artifact WHERE purged_at IS NULL');
      return files.sweep(new Set(kept.map((row) => row.sha256)));
    },
  };
}

export function mustMatch(digest: string, bytes: Uint8Array): void {
  if (sha256(bytes) === digest) return;
  throw new Failure('internal', { where: 'an artifact', expected: 'bytes of its own digest', got: 'others' });
}

/** Bytes that were recorded, if they still are what was recorded. */
export function verified(digest: string, bytes: Uint8Array): Uint8Array {
  const got = sha256(bytes);
  if (got === digest) return bytes;
  throw new Failure('internal', { where: 'the bytes of a recorded artifact', expected: `SHA-256 ${digest}`, got });
}

export function openArtifactFiles(folder: string): ArtifactFiles {
  translateErrors('the artifact folder', () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  return {
    write(digest, bytes) {
      mustMatch(digest, bytes);
      translateErrors('an artifact file', () => writeDurably(folder, digest, bytes));
    },
    read(digest) {
      return verified(
        digest,
        translateErrors('an artifact file', () => readFileSync(join(folder, digest))),
      );
    },
    sweep(keep) {
      return translateErrors('the artifact folder', () => {
        const leftovers = readdirSync(folder).filter((name) => !keep.has(name));
        for (const name of leftovers) rmSync(join(folder, name));
        return leftovers.length;
      });
    },
  };
}

/** A file of this name is whole or absent, even after a power cut: temp name, sync, rename, sync of the folder. */
export function writeDurably(folder: string, name: string, bytes: Uint8Array | string): void {
  const temporary = join(folder, `${name}.tmp`);
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, join(folder, name));
  syncFolder(folder);
}

/** Makes the names in a folder durable. */
export const syncFolder = (folder: string): void => syncFile(folder);

/** Makes the content of a file durable. */
export function syncFile(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
