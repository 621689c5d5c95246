import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { jobsOptionsSchema, openStore, type Store } from '../../src/jobs/index.ts';
import { claimStudy, makeArtifact, makeReceipt } from '../contracts/ledger.ts';
import { makeReading, model, studyUid } from '../support/readings.ts';
import { closeTracked, makeFolder, openTracked } from './bench.ts';
import { event } from './event.ts';

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('the state folder', () => {
  test('is its owner alone, with all that is in it, because it holds patient data', async () => {
    const folder = join(makeFolder(), 'deep', 'state');
    const store = openTracked(folder);
    await store.secret();
    await store.ledger.record(await claimStudy(store), makeReading(), [makeArtifact('2.25.1', 'x')]);
    expect(mode(folder)).toBe('700');
    expect(mode(join(folder, 'artifacts'))).toBe('700');
    const [file] = readdirSync(join(folder, 'artifacts'));
    expect(mode(join(folder, 'artifacts', file!))).toBe('600');
    expect(mode(join(folder, 'site-secret'))).toBe('600');
  });

  test('that stood open is closed to others, because a careless mkdir must not publish films', () => {
    const folder = join(makeFolder(), 'state');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    openTracked(folder);
    expect(mode(folder)).toBe('700');
  });

  test('names no file by data, because a UID may be a path', async () => {
    const store = openTracked(makeFolder());
    await store.ledger.record(await claimStudy(store), makeReading(), [
      makeArtifact('../../evil', 'x', { name: '../name', fileName: '/etc/passwd' }),
    ]);
    const folder = closeTracked(store);
    expect(readdirSync(join(folder, 'artifacts'))).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
});

describe('the site secret', () => {
  test('is made once and outlives the database, because a lost store must not double the results', async () => {
    const store = openTracked(makeFolder());
    const secret = await store.secret();
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    const folder = closeTracked(store);
    rmSync(join(folder, 'store.sqlite'));
    const again = openTracked(folder);
    expect(await again.secret()).toBe(secret);
    expect(await openTracked(makeFolder()).secret()).not.toBe(secret);
    closeTracked(again);
    expect(readFileSync(join(folder, 'store.sqlite'), 'latin1')).not.toContain(secret);
  });

  test('that is empty or cut is refused and not replaced, because a new one would change every identity', async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'site-secret'), '');
    await expect(openTracked(folder).secret()).rejects.toThrow(expect.objectContaining({ code: 'store-failed' }));
    expect(readFileSync(join(folder, 'site-secret'), 'utf8')).toBe('');
  });
});

describe('the schema', () => {
  test('of a newer gateway is refused untouched, because an older one would lose what it does not know', () => {
    const folder = closeTracked(openTracked(makeFolder()));
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    database.exec('PRAGMA user_version = 999');
    database.close();
    const before = readFileSync(join(folder, 'store.sqlite'));
    expect(() => openStore(folder)).toThrow(
      expect.objectContaining({ code: 'store-failed', message: expect.stringContaining('999, of a newer gateway') }),
    );
    expect(readFileSync(join(folder, 'store.sqlite')).equals(before)).toBe(true);
  });

  test('of another program is refused, because the file is not ours to change', () => {
    const folder = makeFolder();
    const database = new DatabaseSync(join(folder, 'store.sqlite'));
    database.exec('CREATE TABLE theirs (x)');
    database.close();
    expect(() => openStore(folder)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('another program') }),
    );
  });

  test('that was refused leaves the folder unlocked, because the operator will try again', () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'store.sqlite'), 'rubbish that is no database at all');
    expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'store-failed' }));
    rmSync(join(folder, 'store.sqlite'));
    expect(() => openTracked(folder)).not.toThrow();
  });
});

describe('artifact files', () => {
  async function recorded(): Promise<{ store: Store; path: string }> {
    const folder = makeFolder();
    const store = openTracked(folder);
    const artifact = makeArtifact('2.25.1', 'the SR');
    await store.ledger.record(await claimStudy(store), makeReading(), [artifact]);
    return { store, path: join(folder, 'artifacts', artifact.sha256) };
  }

  test.each([
    ['altered', (path: string) => writeFileSync(path, 'the SX'), 'internal'],
    ['cut', (path: string) => writeFileSync(path, 'the'), 'internal'],
    ['missing', (path: string) => rmSync(path), 'store-failed'],
  ])('%s bytes are never handed out, because they would go to a PACS', async (_, damage, code) => {
    const { store, path } = await recorded();
    damage(path);
    const { artifacts } = (await store.ledger.latest(studyUid, model.id))!;
    expect(() => artifacts[0]!.bytes).toThrow(expect.objectContaining({ code }));
  });
});

describe('the purge', () => {
  async function delivered(settledAt: number) {
    const folder = makeFolder();
    const store = openTracked(folder);
    const job = await claimStudy(store);
    await store.ledger.record(job, makeReading(), [
      makeArtifact('2.25.1', 'SR'),
      makeArtifact('2.25.2', 'map', { name: 'map' }),
    ]);
    await store.ledger.receive(makeReading(), [makeReceipt('sr')]);
    await store.queue.settle(job, { state: 'done', partial: false }, settledAt);
    return { store, folder, files: () => readdirSync(join(folder, 'artifacts')).length };
  }

  test('removes what was delivered and keeps what was not, because only the second is still needed', async () => {
    const { store, files } = await delivered(1_000);
    expect(await store.purge(1_000, 5_000)).toBe(0);
    expect(await store.purge(1_001, 5_000)).toBe(1);
    expect(files()).toBe(1);
    const { artifacts, receipts } = (await store.ledger.latest(studyUid, model.id))!;
    expect(artifacts.map(({ name }) => name)).toEqual(['sr', 'map']);
    expect(receipts).toEqual([makeReceipt('sr')]);
    expect(() => artifacts[0]!.bytes).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(String(artifacts[1]!.bytes)).toBe('map');
  });

  test('leaves a study alone that runs again or is dead, because a person or a retry may still deliver it', async () => {
    const { store, files } = await delivered(1_000);
    await store.queue.announce(event(studyUid), 2_000);
    await store.purge(9_000, 9_000);
    expect(files()).toBe(2);
    await store.queue.settle((await store.queue.claim(2_000))!, { state: 'dead', code: 'pacs-refused' }, 2_001);
    await store.purge(9_000, 9_000);
    expect(files()).toBe(2);
  });

  test('sweeps what a crash left, because a file without an entry is never asked for', async () => {
    const { store, folder, files } = await delivered(1_000);
    writeFileSync(join(folder, 'artifacts', 'abc.tmp'), 'half');
    writeFileSync(join(folder, 'artifacts', 'f'.repeat(64)), 'written, but never committed');
    expect(await store.purge(0, 5_000)).toBe(2);
    expect(files()).toBe(2);
  });
});

test('each source remembers for itself and over a restart, because a cursor that is lost rereads an archive', async () => {
  const store = openTracked(makeFolder());
  await store.memory('qido-poll').set('cursor', { last: 7, seen: ['1.2'] });
  await store.memory('orthanc-changes').set('cursor', 12);
  await store.memory('orthanc-changes').set('cursor', 13);
  const again = openTracked(closeTracked(store));
  expect(await again.memory('qido-poll').get('cursor')).toEqual({ last: 7, seen: ['1.2'] });
  expect(await again.memory('orthanc-changes').get('cursor')).toBe(13);
  expect(await again.memory('webhook').get('cursor')).toBeUndefined();
});

test('a store closed twice stays closed, because a stop may come twice', () => {
  const folder = makeFolder();
  const store = openStore(folder);
  store.close();
  store.close();
  expect(existsSync(join(folder, 'lock.pid'))).toBe(false);
});

test('10,000 announcements of a backlog take seconds, because they share their commits', async () => {
  const { queue, board } = openTracked(makeFolder());
  const page = (now: number) =>
    Promise.all(Array.from({ length: 10_000 }, (_, index) => queue.announce(event(`1.${index}`), now)));
  const began = performance.now();
  await page(1);
  const announced = performance.now();
  await page(2);
  const repeated = performance.now();
  for (let index = 0; index < 50; index++) expect(await queue.claim(3)).not.toBeNull();
  const claimed = performance.now();
  const ms = (from: number, to: number) => (to - from).toFixed(0);
  console.info(
    `10,000 announced in ${ms(began, announced)} ms, again in ${ms(announced, repeated)} ms; 50 claims in ${ms(repeated, claimed)} ms`,
  );
  expect(await board.countsByState()).toEqual({ announced: 10_000 });
  expect(repeated - began).toBeLessThan(20_000);
});

describe('the options', () => {
  test('have safe defaults and refuse unknown keys by name, because a typo must not pass', () => {
    expect(jobsOptionsSchema.parse({})).toEqual({
      kind: 'sqlite',
      stateFolder: 'cxr-gateway-state',
      concurrency: 2,
      orderPriority: true,
      retryHours: 72,
      longestPauseSeconds: 600,
      retentionDays: 7,
      minFreeMiB: 512,
      onDamage: 'recover',
    });
    expect(() => jobsOptionsSchema.parse({ retryHour: 1 })).toThrow('retryHour');
    expect(jobsOptionsSchema.safeParse({ concurrency: 0 }).success).toBe(false);
  });

  test('ask for the address of the database where one is wanted, because a gateway must not start on another store', () => {
    expect(() => jobsOptionsSchema.parse({ kind: 'postgres' })).toThrow('the URL of the database');
    expect(() => jobsOptionsSchema.parse({ kind: 'postgres', url: 'http://db/cxr' })).toThrow('url');
    expect(jobsOptionsSchema.parse({ kind: 'postgres', url: 'postgresql://cxr@db/cxr' }).kind).toBe('postgres');
  });
});
