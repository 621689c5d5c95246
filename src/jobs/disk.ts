import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../core/ports.ts';
import type { DurableQueue } from './store.ts';

/**
 * Room on the disk of the state folder (fault 68). Below the mark nothing new is taken in or begun; what is under way goes on. It
 * ends by itself when there is a quarter more room than the mark, so that a disk at the mark does not make it come and go.
 */
export interface DiskWatch {
  /** Asks the disk, at most once a second. */
  isLow(): boolean;
}

export interface DiskWatchOptions {
  readonly minFreeMiB: number;
  /** Bytes that this process may still write. */
  readonly freeBytes: () => number;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const MiB = 1024 * 1024;
const askEveryMs = 1_000;
const roomAgain = 1.25;
/** How soon a queue that was told to wait is asked again. */
export const pauseMs = 2_000;

/** Bytes that are free for this process on the disk of a folder, or of the folder that it will be made in. */
export function freeBytesOf(folder: string): number {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  const { bavail, bsize } = statfsSync(there);
  return bavail * bsize;
}

export function createDiskWatch({ minFreeMiB, freeBytes, log, now }: DiskWatchOptions): DiskWatch {
  let low = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  const ask = (): boolean => {
    const freeMiB = freeBytes() / MiB;
    return freeMiB < (low ? minFreeMiB * roomAgain : minFreeMiB);
  };
  return {
    isLow() {
      const since = now() - askedAt;
      if (since >= 0 && since < askEveryMs) return low;
      askedAt = now();
      const before = low;
      low = ask();
      const time = new Date(now()).toISOString();
      if (low && !before) log({ time, event: 'alert', code: 'disk-full', minFreeMiB });
      if (!low && before) log({ time, event: 'disk-has-room' });
      return low;
    },
  };
}

/** A queue that gives out no job while the disk is low; what was given out goes on. */
export function pausedByDisk(queue: DurableQueue, { isLow }: DiskWatch): DurableQueue {
  return {
    ...queue,
    claim: async (now) => (isLow() ? null : queue.claim(now)),
    claimStudy: async (studyInstanceUid, now) => (isLow() ? null : queue.claimStudy(studyInstanceUid, now)),
    async nextDueAt() {
      const due = await queue.nextDueAt();
      return due !== null && isLow() ? Math.max(due, Date.now() + pauseMs) : due;
    },
  };
}
