import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from '@jest/globals';
import type { Store } from '../../src/jobs/index.ts';
import { model } from '../support/readings.ts';
import { acknowledgedReading, acknowledgedSr } from './acknowledged.ts';
import { makeFolder } from './bench.ts';

/** Stores as gateways of earlier schema versions left them, with a job in each condition. */

export const sqliteVersions = [1, 2, 3] as const;
/** Later versions, which no release has left anywhere: 0 at a release, with a store of that version beside the others. */
export const unreleased = 2;
export type SqliteVersion = (typeof sqliteVersions)[number];

const sqlOf = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

export const postgresV1 = (): string => sqlOf('store-postgres-v1.sql');

/** Recorded in all of them for the study 1.3, which was being delivered: the picture has its receipt, the report has none. */
export const recordedSr = acknowledgedSr('1.3');
const recordedHeatmap = acknowledgedSr('1.30');
export const recordedBytes = [
  { id: recordedSr.id, bytes: recordedSr.bytes, sha256: recordedSr.sha256 },
  { id: '2.25.1.30', bytes: recordedHeatmap.bytes, sha256: recordedHeatmap.sha256 },
] as const;

/** Version 1 had the same ledger as the next; its file is older than the others. */
function ledgerOfVersion1(): string {
  const rows = sqlOf('store-v2.sql').split('\n');
  const ledger = rows.filter((row) => /^INSERT INTO (reading|artifact|reading_artifact|receipt) /.test(row));
  return `${ledger.join('\n')}
    UPDATE job SET reading = 1, announced_again = 0 WHERE study = '1.3';
    INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at, claimed)
      VALUES ('1.6', 'qido-poll', 0, 'selected', 106, 106, 108, 1);`;
}

export function folderOfVersion(version: SqliteVersion): string {
  const folder = makeFolder();
  const database = new DatabaseSync(join(folder, 'store.sqlite'));
  database.exec(sqlOf(`store-v${version}.sql`) + (version === 1 ? ledgerOfVersion1() : ''));
  database.close();
  mkdirSync(join(folder, 'artifacts'));
  for (const { bytes, sha256 } of recordedBytes) writeFileSync(join(folder, 'artifacts', sha256), bytes);
  return folder;
}

/** Every job goes on where it was, to its end. */
export async function goOn({ queue, ledger, board }: Store): Promise<void> {
  await queue.recover(400);
  expect(await board.countsByState()).toEqual({ announced: 3, retrying: 1, settling: 1, done: 1 });
  expect(await board.waiting()).toEqual({ stat: { count: 1, oldestAt: 101 }, routine: { count: 4, oldestAt: 100 } });
  const delivering = (await queue.claimStudy('1.3', 500))!;
  const { reading, artifacts, receipts } = (await ledger.latest('1.3', model.id))!;
  expect(reading).toEqual(acknowledgedReading('1.3'));
  expect(artifacts.map(({ bytes }) => Buffer.compare(bytes, recordedSr.bytes))).toContain(0);
  expect(receipts.map(({ artifact }) => artifact)).toEqual(['heatmap-1']);
  await ledger.receive(reading, [{ artifact: 'sr', destination: 'pacs', storedAt: '', note: '' }]);
  await queue.settle(delivering, { state: 'done', partial: false }, 600);
  expect(await board.find({ sort: '-score', limit: 1, offset: 0 })).toMatchObject({
    total: 6,
    studies: [{ decision: reading.decision, score: reading.score }],
  });
  const due = [await queue.claim(700), await queue.claim(700)];
  expect(new Set(due.map((job) => job?.studyInstanceUid))).toEqual(new Set(['1.1', '1.6']));
  expect(await queue.claim(7_999)).toBeNull();
  const settling = { studyInstanceUid: '1.4', settling: { count: 4, since: 320 } };
  expect(await queue.claim(8_000)).toMatchObject(settling);
  const retrying = { studyInstanceUid: '1.2', priority: 'stat', attempt: 2, failingSince: 200, code: 'pacs-busy' };
  expect(await queue.claim(9_000)).toMatchObject(retrying);
}
