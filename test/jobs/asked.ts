import type { Store } from '../../src/jobs/index.ts';
import { queueStatements } from '../../src/jobs/queue-statements.ts';
import { makeArtifact, makeReceipt } from '../contracts/ledger.ts';
import { makeImageReading, makeReading, makeStudyHeader, model } from '../support/readings.ts';
import { event } from './event.ts';

/** Asked after a connection that broke, and so by no run of this. */
export const askedRarely: readonly string[] = [queueStatements({ lock: '', lockFree: '', orphaned: 'TRUE' }).heldBy];

/** Everything that a gateway asks of its store, once, so that the statements can be looked at. */
export async function askEverything(store: Store): Promise<void> {
  await workOn(store);
  await readBoard(store);
  await store.forgetReceipts([{ artifactId: '2.25.7', destination: 'pacs' }]);
  await store.purge(1_000, 1_001);
  await store.check();
}

async function workOn({ queue, ledger, memory }: Store): Promise<void> {
  await queue.recover(0);
  for (const uid of ['7.1', '7.2', '7.3']) await queue.announce(event(uid, { priority: 'stat' }), 5);
  await queue.announce(event('7.1'), 6);
  const job = (await queue.claimStudy('7.1', 7))!;
  await queue.advance(job, 'selected', 8);
  const images = [makeImageReading({ score: 0.7 })];
  const reading = makeReading({ images, study: makeStudyHeader({ StudyInstanceUID: '7.1' }) });
  await ledger.record(job, reading, [makeArtifact('2.25.7', 'bytes')]);
  await ledger.receive(reading, [makeReceipt('sr')]);
  await ledger.latest('7.1', model.id);
  await ledger.recordOutcomes(job, [
    {
      ...{ key: '7', SOPInstanceUID: '7', outcome: 'skipped', reason: 'not-frontal', because: [] },
      ...{ view: null, score: null, decision: null },
    },
  ]);
  await queue.settle(job, { state: 'done', partial: false }, 9);
  await queue.park((await queue.claim(10))!, 11);
  await queue.nextDueAt();
  await queue.setBack(10_000);
  await memory('test').set('key', 1);
  await memory('test').get('key');
}

async function readBoard({ board, history }: Store): Promise<void> {
  await board.get('7.1');
  await board.countsByState();
  await board.waiting();
  await history('7.1');
  for (const sort of ['score', '-score', 'updatedAt', '-updatedAt'] as const)
    await board.find({ sort, limit: 100, offset: 0 });
  for (const filter of [{ state: 'done' }, { code: 'not-frontal' }] as const)
    await board.find({ sort: '-updatedAt', limit: 100, offset: 0, ...filter });
  await board.find({ sort: '-score', limit: 100, offset: 0, decision: 'present' });
}
