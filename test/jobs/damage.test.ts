import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { openStore, type Store } from '../../src/jobs/index.ts';
import { closeTracked, makeFolder, openTracked } from './bench.ts';
import { event } from './event.ts';
import { seeded } from './seeded.ts';

/** A store whose database is damaged or gone begins anew by itself and says so (faults 67 and 70). */

const memoryFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const recover = { onDamage: 'recover', now: () => Date.parse('2026-03-14T09:20:00.123Z') } as const;
const pageBytes = 4_096;
const studies = 60;

const open = (folder: string): Store => openStore(folder, () => {}, recover);
const asideIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('store.sqlite.damaged-'));

async function filled(): Promise<{ folder: string; sound: Buffer }> {
  const folder = makeFolder(memoryFolder);
  const store = openTracked(folder);
  store.secret();
  for (let index = 1; index <= studies; index++) await store.queue.announce(event(`1.${index}`), index);
  closeTracked(store);
  return { folder, sound: readFileSync(join(folder, 'store.sqlite')) };
}

/** Puts bytes in place of the database, opens, asks and works, closes, and clears away what was set aside. */
async function openDamaged(folder: string, bytes: Uint8Array) {
  for (const name of readdirSync(folder).filter((name) => /^store\.sqlite/.test(name))) rmSync(join(folder, name));
  writeFileSync(join(folder, 'store.sqlite'), bytes);
  const store = open(folder);
  try {
    const { start, recovering, setAsideAs } = store;
    const { total } = await store.board.find({ sort: 'score', limit: 1, offset: 0 });
    await store.queue.announce(event('1.9999'), 1);
    const aside = asideIn(folder).find((name) => name === setAsideAs);
    return { start, recovering, total, kept: aside ? readFileSync(join(folder, aside)) : null };
  } finally {
    store.close();
  }
}

describe('faults 67 and 70: a damaged database', () => {
  test('cut at each page and one byte off is set aside whole and begun anew, because half a queue is no queue', async () => {
    const { folder, sound } = await filled();
    const offsets = Array.from({ length: sound.length / pageBytes }, (_, page) => page * pageBytes);
    expect(offsets.length).toBeGreaterThan(8);
    for (const offset of offsets.flatMap((start) => [start - 1, start, start + 1])) {
      const bytes = sound.subarray(0, Math.max(0, offset));
      const { start, recovering, total, kept } = await openDamaged(folder, bytes);
      // SQLite takes a file of a byte or none for a new one: so does a lost one look.
      expect({ offset, start, recovering, total }).toEqual({
        offset,
        start: bytes.length < 2 ? 'lost' : 'damaged',
        recovering: true,
        total: 0,
      });
      if (start === 'damaged') expect(Buffer.compare(kept!, bytes)).toBe(0);
    }
  });

  test('garbled at 200 places either is as it was or is set aside: it never opens with fewer studies', async () => {
    const { folder, sound } = await filled();
    const starts = new Map<string, number>();
    for (const offset of seeded(70, sound.length).take(200)) {
      const bytes = Buffer.from(sound).fill(0xa5, offset, Math.min(sound.length, offset + 64));
      const { start, recovering, total } = await openDamaged(folder, bytes);
      starts.set(start, (starts.get(start) ?? 0) + 1);
      expect([start, recovering, total]).toEqual(start === 'kept' ? ['kept', false, studies] : ['damaged', true, 0]);
    }
    expect(starts.get('damaged')).toBeGreaterThan(20);
  });

  test('stays as it is where the site wants to look first: the start is refused', async () => {
    const { folder, sound } = await filled();
    writeFileSync(join(folder, 'store.sqlite'), sound.subarray(0, pageBytes * 2));
    expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'store-failed' }));
    expect(asideIn(folder)).toEqual([]);
  });

  test('is named by the time at which it was set aside, because somebody may want to look into it', async () => {
    const { folder, sound } = await filled();
    writeFileSync(join(folder, 'store.sqlite'), sound.subarray(0, pageBytes * 2));
    const store = open(folder);
    expect(store.setAsideAs).toBe('store.sqlite.damaged-20260314T092000123Z');
    expect(asideIn(folder)).toEqual([store.setAsideAs]);
    store.close();
  });

  test('of a newer gateway or another program stays where it is, damaged or not, because it is not ours to move', async () => {
    const { folder, sound } = await filled();
    const newer = Buffer.from(sound.subarray(0, pageBytes * 2));
    newer.writeUInt32BE(999, 60);
    const theirs = Buffer.from(sound.subarray(0, pageBytes * 2));
    theirs.writeUInt32BE(0x12345678, 68);
    for (const bytes of [newer, theirs]) {
      writeFileSync(join(folder, 'store.sqlite'), bytes);
      expect(() => open(folder)).toThrow(expect.objectContaining({ code: 'store-failed' }));
      expect(asideIn(folder)).toEqual([]);
    }
  });

  test('of another program that is sound is refused and not moved', () => {
    const folder = makeFolder();
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    database.exec('CREATE TABLE theirs (x)');
    database.close();
    expect(() => open(folder)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('another program') }),
    );
    expect(asideIn(folder)).toEqual([]);
  });

  test('is not touched while another process holds the folder', async () => {
    const { folder, sound } = await filled();
    const store = openTracked(folder);
    expect(() => open(folder)).toThrow(expect.objectContaining({ code: 'store-locked' }));
    closeTracked(store);
    expect(readFileSync(join(folder, 'store.sqlite')).length).toBe(sound.length);
  });
});

describe('fault 70: a database that is gone', () => {
  test('is told from a first start by what lies beside it, and the look-back outlives a crash in the middle of it', () => {
    const folder = makeFolder();
    const first = openTracked(folder);
    expect([first.start, first.recovering]).toEqual(['first', false]);
    first.secret();
    closeTracked(first);
    rmSync(join(folder, 'store.sqlite'));
    const lost = openTracked(folder);
    expect([lost.start, lost.recovering]).toEqual(['lost', true]);
    closeTracked(lost);
    const next = openTracked(folder);
    expect([next.start, next.recovering]).toEqual(['kept', true]);
  });
});
