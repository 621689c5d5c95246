import { describe, expect, test } from '@jest/globals';
import type { Recorded } from '../../src/core/ports.ts';
import type { Demand } from '../../src/core/study.ts';
import type { Store } from '../../src/jobs/index.ts';
import { event } from '../jobs/event.ts';
import { makeReading, model, studyUid } from '../support/readings.ts';
import type { StoreBench } from './job-queue.ts';
import { claimStudy, makeArtifact, makeReceipt } from './ledger.ts';

const at = '2026-03-15T10:00:00.000Z';
const demand: Demand = { kind: 'retract', reason: 'read by the wrong model', by: 'test', id: 'one' };
const otherModel = { ...model, id: 'another-model', sha256: 'b'.repeat(64) };

const note = makeArtifact('2.25.9', 'the note', {
  kind: 'rejection-note',
  name: 'rejection-note',
  fileName: 'rejection-note.dcm',
});

/** A study with two revisions of one model, claimed. */
async function twoRevisions(store: Store) {
  const job = await claimStudy(store);
  await store.ledger.record(job, makeReading(), [makeArtifact('2.25.1', 'SR 1')]);
  await store.ledger.record(job, makeReading({ revision: 2 }), [makeArtifact('2.25.2', 'SR 2')]);
  return job;
}

const revisions = (recordings: readonly Recorded[]) => recordings.map(({ reading }) => reading.revision);

export function withdrawalsContract(name: string, bench: StoreBench): void {
  describe(`${name} keeps the contract of the record of withdrawals (fault 48)`, () => {
    describe('withdrawals', () => withdrawals(bench));
    describe('the past', () => past(bench));
  });
}

function withdrawals(bench: StoreBench): void {
  test('takes every revision that stands, oldest first, and stands no more after a restart', async () => {
    const store = await bench.open();
    const job = await twoRevisions(store);
    expect(revisions(await store.withdrawals.standing(studyUid))).toEqual([1, 2]);
    await store.withdrawals.record(job, { demand, at, note });
    const again = await bench.reopen(store);
    expect(await again.withdrawals.standing(studyUid)).toEqual([]);
    const kept = (await again.withdrawals.latest(studyUid))!;
    expect(kept).toMatchObject({ demand, at, code: null, receipts: [] });
    expect(revisions(kept.readings)).toEqual([1, 2]);
    expect(String(kept.note?.bytes)).toBe('the note');
    expect((await again.ledger.latest(studyUid, model.id))?.withdrawn).toEqual({ at, code: null });
  });

  test('leaves alone what was recorded after it, because that is the result which somebody wanted', async () => {
    const store = await bench.open();
    const job = await twoRevisions(store);
    await store.withdrawals.record(job, { demand, at, note: null });
    await store.ledger.record(job, makeReading({ revision: 3 }), [makeArtifact('2.25.3', 'SR 3')]);
    expect(revisions(await store.withdrawals.standing(studyUid))).toEqual([3]);
    const latest = (await store.ledger.latest(studyUid, model.id))!;
    expect([latest.reading.revision, latest.withdrawn]).toEqual([3, undefined]);
    expect((await store.withdrawals.latest(studyUid))?.note).toBeNull();
  });

  test('keeps the receipts of everybody who was told, and what could not be taken back', async () => {
    const store = await bench.open();
    const withdrawal = await store.withdrawals.record(await twoRevisions(store), { demand, at, note });
    await store.withdrawals.receive(withdrawal, [makeReceipt('2.25.9')], null);
    await store.withdrawals.receive(withdrawal, [{ ...makeReceipt('2.25.9'), note: 'again' }], 'fhir-refused');
    const kept = (await store.withdrawals.latest(studyUid))!;
    expect(kept.receipts).toEqual([{ ...makeReceipt('2.25.9'), note: 'again' }]);
    expect(kept.code).toBe('fhir-refused');
  });

  test('is refused to a run that lost its study, because whoever has it may have recorded something else', async () => {
    const store = await bench.open();
    const job = await twoRevisions(store);
    await store.queue.park(job, 5);
    await store.queue.claim(6);
    const late = store.withdrawals.record(job, { demand, at, note });
    await expect(late).rejects.toMatchObject({ code: 'claim-lost' });
    expect(revisions(await store.withdrawals.standing(studyUid))).toEqual([1, 2]);
  });

  test('the newest reading of any model is found, because a withdrawal is of the study', async () => {
    const store = await bench.open();
    const job = await twoRevisions(store);
    await store.ledger.record(job, makeReading({ model: otherModel }), [makeArtifact('2.25.4', 'another')]);
    expect((await store.ledger.latest(studyUid, null))?.reading.model.id).toBe(otherModel.id);
    expect((await store.ledger.latest(studyUid, model.id))?.reading.revision).toBe(2);
    expect(await store.ledger.latest('1.9', null)).toBeNull();
  });

  test('the bytes of a withdrawn study go with the others, because a retraction is an end too', async () => {
    const store = await bench.open();
    const job = await claimStudy(store);
    await store.ledger.record(job, makeReading(), [makeArtifact('2.25.1', 'SR 1')]);
    await store.ledger.receive(makeReading(), [makeReceipt('sr')]);
    await store.withdrawals.record(job, { demand, at, note });
    await store.queue.settle(job, { state: 'retracted', code: null }, 100);
    await store.purge(101, 200);
    const { readings, note: kept } = (await store.withdrawals.latest(studyUid))!;
    expect(() => readings[0]?.artifacts[0]?.bytes).toThrow('internal');
    expect(String(kept?.bytes)).toBe('the note');
  });
}

function past(bench: StoreBench): void {
  test('tells who asked for what, when and why, also of a study that waits or runs', async () => {
    const store = await bench.open();
    const replay: Demand = { kind: 'replay', reason: 'new threshold', by: 'a person', force: true };
    await store.queue.announce(event('1.2', { demand: replay }), 0);
    await store.queue.announce(event('1.2', { demand }), 10);
    await store.queue.settle((await store.queue.claim(20))!, { state: 'retracted', code: 'fhir-refused' }, 30);
    await store.queue.announce(event('1.2', { demand: replay }), 40);
    expect(await store.history('1.2')).toMatchObject([
      { at: 0, state: 'announced', demand: replay },
      { at: 10, state: 'announced', durationMs: 0, demand },
      { at: 30, state: 'retracted', code: 'fhir-refused', attempt: 0, demand: null },
      { at: 40, state: 'announced', demand: replay },
    ]);
  });

  test('keeps every revision with its model and threshold, and every withdrawal with its receipts', async () => {
    const store = await bench.open();
    const withdrawal = await store.withdrawals.record(await twoRevisions(store), { demand, at, note });
    await store.withdrawals.receive(withdrawal, [makeReceipt('2.25.9')], null);
    const { revisions, withdrawals } = await store.past(studyUid);
    const made = { modelId: model.id, modelSha256: model.sha256, operatingPoint: expect.any(Number), withdrawnAt: at };
    expect(revisions).toMatchObject([
      { revision: 1, ...made },
      { revision: 2, ...made },
    ]);
    expect(withdrawals).toEqual([
      { demand, at, code: null, rejectionNote: '2.25.9', receipts: [makeReceipt('2.25.9')] },
    ]);
    expect(await store.past('1.9')).toEqual({ revisions: [], withdrawals: [] });
  });
}
