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

export function openArtifactFiles(folder: string): ArtifactFiles {
  translateErrors('the artifact folder', () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  return {
    write(digest, bytes) {
      if (sha256(bytes) !== digest) {
        throw new Failure('internal', { where: 'an artifact', expected: 'bytes of its own digest', got: 'others' });
      }
      translateErrors('an artifact file', () => writeDurably(folder, digest, bytes));
    },
    read(digest) {
      const bytes = translateErrors('an artifact file', () => readFileSync(join(folder, digest)));
      const got = sha256(bytes);
      if (got === digest) return bytes;
      throw new Failure('internal', { where: 'a recorded artifact file', expected: `SHA-256 ${digest}`, got });
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
