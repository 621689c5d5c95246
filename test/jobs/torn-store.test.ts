import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import { openDatabase } from '../../src/jobs/database.ts';
import { openStore } from '../../src/jobs/index.ts';
import { closeTracked, makeFolder, openTracked } from './bench.ts';
import { event } from './event.ts';
import { seeded } from './seeded.ts';

/** Fault 67: the power goes. The files are cut and garbled where a disk may have left them, and opened again. */

/** Where there is one, the hundreds of copies lie in memory: only their content is asked about, not their fsync. */
const memoryFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const walHeaderBytes = 32;
const frameBytes = 24 + 4_096;

/** A store with 20 announcements in its write-ahead log, and how long the log was when each was acknowledged. */
async function announceTwenty() {
  const folder = makeFolder();
  const { queue } = openTracked(folder);
  const acknowledged: { readonly uid: string; readonly walBytes: number }[] = [];
  for (let index = 1; index <= 20; index++) {
    await queue.announce(event(`1.${index}`), index);
    acknowledged.push({ uid: `1.${index}`, walBytes: statSync(join(folder, 'store.sqlite-wal')).size });
  }
  return { folder, acknowledged, wal: readFileSync(join(folder, 'store.sqlite-wal')) };
}

/** Opens a copy with another log and gives the studies in it. */
async function openWithWal(from: string, folder: string, wal: Uint8Array): Promise<readonly string[]> {
  copyFileSync(join(from, 'store.sqlite'), join(folder, 'store.sqlite'));
  writeFileSync(join(folder, 'store.sqlite-wal'), wal);
  const store = openStore(folder);
  try {
    const { studies } = await store.board.find({ sort: 'updatedAt', limit: 500, offset: 0 });
    return studies.map(({ job }) => job.studyInstanceUid);
  } finally {
    store.close();
  }
}

describe('fault 67: a torn write-ahead log', () => {
  test('cut at every frame and one byte off, what was acknowledged before the cut is there, in order and whole', async () => {
    const { folder, acknowledged, wal } = await announceTwenty();
    const frames = Math.floor((wal.length - walHeaderBytes) / frameBytes);
    expect(frames).toBeGreaterThan(40);
    const copy = makeFolder(memoryFolder);
    for (let frame = 0; frame <= frames; frame++) {
      for (const offset of [-1, 0, 1]) {
        const bytes = Math.max(0, walHeaderBytes + frame * frameBytes + offset);
        const found = await openWithWal(folder, copy, wal.subarray(0, bytes));
        const expected = acknowledged.filter(({ walBytes }) => walBytes <= bytes).map(({ uid }) => uid);
        expect(found).toEqual(acknowledged.slice(0, found.length).map(({ uid }) => uid));
        expect(found.length).toBeGreaterThanOrEqual(expected.length);
      }
    }
  });

  test('with a byte flipped anywhere, what stands before it survives, because each frame has its checksum', async () => {
    const { folder, acknowledged, wal } = await announceTwenty();
    const copy = makeFolder(memoryFolder);
    for (const offset of seeded(67, wal.length).take(200)) {
      const garbled = Buffer.from(wal);
      garbled[offset]! ^= 0x5a;
      const found = await openWithWal(folder, copy, garbled);
      const safe = acknowledged.filter(({ walBytes }) => walBytes <= offset).length;
      expect(found).toEqual(acknowledged.slice(0, found.length).map(({ uid }) => uid));
      expect(found.length).toBeGreaterThanOrEqual(safe);
    }
  });
});

describe('fault 67: a damaged database file', () => {
  test('a page of rubbish or a missing tail is found at the start, because half a queue must not look like a whole one', async () => {
    const folder = makeFolder();
    const store = openTracked(folder);
    for (let index = 1; index <= 200; index++) await store.queue.announce(event(`1.${index}`), index);
    closeTracked(store);
    const path = join(folder, 'store.sqlite');
    const sound = readFileSync(path);
    const damaged = [
      ...Array.from({ length: sound.length / 4_096 }, (_, page) => withRubbish(sound, page * 4_096)),
      sound.subarray(0, sound.length - 4_096),
      sound.subarray(0, 5_000),
    ];
    for (const bytes of damaged) {
      writeFileSync(path, bytes);
      expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'store-failed' }));
    }
    writeFileSync(path, sound);
    const again = openTracked(folder);
    expect((await again.board.find({ sort: 'score', limit: 1, offset: 0 })).total).toBe(200);
  });

  test('every commit waits for the disk, because a write-ahead log alone loses the last ones with the power', () => {
    const database = openDatabase(join(makeFolder(), 'store.sqlite'));
    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    database.close();
  });

  test('a failure of the store names no file of the machine and carries its cause, because a person must mend it', () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'store.sqlite'), 'this is no database, but it is long enough to look like one');
    let thrown: unknown;
    try {
      openStore(folder);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({ code: 'store-failed', message: expect.stringContaining('not a database') });
    expect(String(thrown)).not.toContain(folder);
  });
});

function withRubbish(sound: Uint8Array, start: number): Uint8Array {
  const bytes = Buffer.from(sound);
  return bytes.fill(0xff, start, start + 4_096);
}
