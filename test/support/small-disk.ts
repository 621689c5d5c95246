import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, ftruncateSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from '@jest/globals';

/** A disk of a few megabytes, to be filled: a tmpfs, which only root can mount. */

export interface SmallDisk {
  readonly path: string;
  freeBytes(): number;
  /** Leaves so many bytes free, whole pages; what was filled before is freed first. */
  leave(bytes: number): void;
}

/** Makes a folder read-only for whoever writes into it from now on, until the function that is given back is called. */
export function makeReadOnly(folder: string): () => void {
  execFileSync('mount', ['--bind', folder, folder]);
  execFileSync('mount', ['-o', 'remount,ro,bind', folder]);
  return () => void execFileSync('umount', ['-l', folder]);
}

/** Why there is none here; null when there is one. */
export function whyNoSmallDisk(): string | null {
  try {
    makeSmallDisk('64k').unmount();
    return null;
  } catch {
    return 'a tmpfs cannot be mounted here: it takes root';
  }
}

/** `test`, or `test.skip` with the reason on stderr; in CI nothing is skipped. */
export function testOnSmallDisk(): typeof test | typeof test.skip {
  const why = process.env['CI'] ? null : whyNoSmallDisk();
  if (why === null) return test;
  process.stderr.write(`skipped: ${why}\n`);
  return test.skip;
}

const pageBytes = 4_096;
const open: (() => void)[] = [];
afterAll(() => {
  for (const unmount of open.splice(0)) unmount();
});

export function makeSmallDisk(size: string): SmallDisk & { unmount(): void } {
  const path = mkdtempSync(join(tmpdir(), 'cxr-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    rmSync(path, { recursive: true });
    throw error;
  }
  let mounted = true;
  const unmount = () => {
    if (!mounted) return;
    mounted = false;
    execFileSync('umount', ['-l', path]);
    rmSync(path, { recursive: true, force: true });
  };
  open.push(unmount);
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    freeBytes,
    unmount,
    leave(bytes) {
      const file = openSync(join(path, 'filling'), 'w');
      try {
        ftruncateSync(file, 0);
        const page = Buffer.alloc(pageBytes, 1);
        // The file's own pages alone count; a tmpfs gives them out one by one.
        for (let left = freeBytes() - bytes; left >= pageBytes; left -= pageBytes) {
          if (!wrotePage(file, page)) break;
        }
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    },
  };
}

/** False when somebody else took the last room meanwhile: then it is full too. */
function wrotePage(file: number, page: Buffer): boolean {
  try {
    writeSync(file, page);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
