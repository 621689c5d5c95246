import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../src/core/ids.ts';
import type { Artifact, Receipt } from '../src/core/ports.ts';
import { openStore, type Store } from '../src/jobs/index.ts';
import { openPostgresStore } from '../src/jobs/postgres.ts';
import { startPostgres, whyNoPostgres } from '../test/services/postgres.ts';
import { makeReading, makeStudyHeader } from '../test/support/readings.ts';
import { median } from './measure.ts';

/** What one study costs the job store while many wait: the real store, each commit synced, without reading a film. */

export const depths = [100, 1_000, 10_000, 100_000] as const;
export const costs = ['announce', 'claim', 'record', 'settle', 'board', 'restart'] as const;
export type Cost = (typeof costs)[number];

export interface DepthCost {
  readonly engine: 'SQLite' | 'PostgreSQL';
  readonly depth: number;
  /** Milliseconds, the median. */
  readonly ms: Readonly<Record<Cost, number>>;
}

/** Studies that go through the store at each depth; each that ends is followed by one that comes. */
const window = 200;
const boardReadings = 20;
const restarts = 5;
const page = 250;

interface Engine {
  readonly name: DepthCost['engine'];
  /** The store of that depth, empty at first. */
  open(depth: number): Promise<Store>;
}

const eventOf = (number: number) =>
  ({ studyInstanceUid: `2.25.${number}`, source: 'bench', priority: 'routine' }) as const;

function reportOf(uid: string): Artifact {
  const bytes = Buffer.from(uid);
  const kind = { kind: 'sr', name: 'sr', fileName: 'sr.dcm', mediaType: 'application/dicom' } as const;
  return { ...kind, id: `${uid}.1`, SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.34', bytes, sha256: sha256(bytes) };
}

const receipt: Receipt = { artifact: 'sr', destination: 'pacs', storedAt: '2026-03-14T09:21:00.000Z', note: 'stored' };

async function timed<T>(into: number[], work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  into.push(performance.now() - began);
  return result;
}

/** From `from` waiting studies to `to`. */
export async function fill({ queue }: Store, from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += page) {
    const numbers = Array.from({ length: Math.min(page, to - first) }, (_, index) => first + index);
    await Promise.all(numbers.map((number) => queue.announce(eventOf(number), number)));
  }
}

async function goThrough({ queue, ledger }: Store, next: number, taken: Record<Cost, number[]>): Promise<void> {
  await timed(taken.announce, () => queue.announce(eventOf(next), next));
  const job = (await timed(taken.claim, () => queue.claim(next)))!;
  const uid = job.studyInstanceUid;
  const reading = makeReading({ study: makeStudyHeader({ StudyInstanceUID: uid }) });
  await timed(taken.record, async () => {
    await ledger.record(job, reading, [reportOf(uid)]);
    await ledger.receive(reading, [receipt]);
  });
  await timed(taken.settle, () => queue.settle(job, { state: 'done', partial: false }, next));
}

async function readBoard({ board }: Store): Promise<void> {
  await board.countsByState();
  await board.waiting();
  await board.find({ sort: '-updatedAt', limit: 100, offset: 0 });
}

interface Measured {
  readonly depth: number;
  readonly taken: Record<Cost, number[]>;
  store: Store;
  /** Number of the next study. */
  next: number;
}

/** The depths take turns, study by study: whatever else the machine does meets all of them alike. */
export async function measureDepths({ name, open }: Engine): Promise<readonly DepthCost[]> {
  const all: Measured[] = [];
  for (const depth of depths) {
    const store = await open(depth);
    await fill(store, 0, depth);
    const taken = Object.fromEntries(costs.map((cost) => [cost, [] as number[]])) as Record<Cost, number[]>;
    all.push({ depth, taken, store, next: depth });
  }
  for (let study = 0; study < window; study++)
    for (const each of all) await goThrough(each.store, each.next++, each.taken);
  for (let time = 0; time < boardReadings; time++)
    for (const { store, taken } of all) await timed(taken.board, () => readBoard(store));
  for (let time = 0; time < restarts; time++) for (const each of all) await restart(each, () => open(each.depth));
  for (const { store } of all) await store.close();
  return all.map(({ depth, taken }) => {
    const ms = Object.fromEntries(costs.map((cost) => [cost, median(taken[cost])])) as Record<Cost, number>;
    return { engine: name, depth, ms };
  });
}

async function restart(measured: Measured, open: () => Promise<Store>): Promise<void> {
  const { taken, next } = measured;
  await measured.store.close();
  measured.store = await timed(taken.restart, async () => {
    const again = await open();
    await again.queue.recover(next);
    await again.queue.park((await again.queue.claim(next))!, next);
    return again;
  });
}

/** On SQLite, and on PostgreSQL where its server is installed. */
export async function measureEngines(): Promise<readonly DepthCost[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-'));
  try {
    const sqlite = await measureDepths({
      name: 'SQLite',
      open: async (depth) => openStore(join(folder, `sqlite-${depth}`)),
    });
    if (whyNoPostgres() !== null) return sqlite;
    const server = await startPostgres();
    try {
      const urls = new Map<number, string>();
      for (const depth of depths) urls.set(depth, await server.createDatabase());
      const open = (depth: number) =>
        openPostgresStore({ url: urls.get(depth)!, stateFolder: join(folder, `postgres-${depth}`) });
      return [...sqlite, ...(await measureDepths({ name: 'PostgreSQL', open }))];
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
