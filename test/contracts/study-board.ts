import { beforeEach, describe, expect, test } from '@jest/globals';
import type { InstanceOutcome, StudyQuery } from '../../src/core/ports.ts';
import type { Store } from '../../src/jobs/index.ts';
import { event } from '../jobs/event.ts';
import { makeImageReading, makeReading, makeStudyHeader, model } from '../support/readings.ts';
import type { StoreBench } from './job-queue.ts';
import { makeArtifact, makeReceipt } from './ledger.ts';

/** Studies 1.1 to 1.5: scores 0.9, 0.2, 0.6, skipped without a score, waiting. */
async function fill(store: Store): Promise<void> {
  const scores = [0.9, 0.2, 0.6];
  for (const [index, score] of scores.entries()) {
    const uid = `1.${index + 1}`;
    await store.queue.announce(event(uid), index);
    const job = (await store.queue.claim(index))!;
    const images = [makeImageReading({ score })];
    const reading = makeReading({ images, study: makeStudyHeader({ StudyInstanceUID: uid }) });
    await store.ledger.record(job, reading, [makeArtifact(`2.25.${index}`, uid)]);
    await store.ledger.receive(reading, [makeReceipt('sr')]);
    await store.queue.settle(job, { state: 'done', partial: false }, 100 - index);
  }
  await store.queue.announce(event('1.4'), 10);
  const skipped = (await store.queue.claim(10))!;
  await store.ledger.recordOutcomes(skipped, [outcome]);
  await store.queue.settle(skipped, { state: 'skipped', code: 'no-eligible-image' }, 200);
  await store.queue.announce(event('1.5'), 11);
}

const outcome: InstanceOutcome = {
  key: '1.4.1',
  SOPInstanceUID: '1.4.1',
  outcome: 'skipped',
  reason: 'not-frontal',
  because: ['ViewPosition LL'],
  view: null,
  score: null,
  decision: null,
};

export function studyBoardContract(name: string, bench: StoreBench): void {
  describe(`${name} keeps the contract of a study board`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await bench.open();
      await fill(store);
    });
    const find = async (query: Partial<StudyQuery>) => {
      const page = await store.board.find({ sort: '-updatedAt', limit: 100, offset: 0, ...query });
      return { total: page.total, studies: page.studies.map(({ job }) => job.studyInstanceUid) };
    };

    test.each([
      ['-score', ['1.1', '1.3', '1.2', '1.5', '1.4']],
      ['score', ['1.2', '1.3', '1.1', '1.4', '1.5']],
      ['-updatedAt', ['1.4', '1.1', '1.2', '1.3', '1.5']],
      ['updatedAt', ['1.5', '1.3', '1.2', '1.1', '1.4']],
    ] as const)(
      'sort %s leaves studies without a score for the end of a triage list, because it begins with findings',
      async (sort, studies) => {
        expect(await find({ sort })).toEqual({ total: 5, studies });
      },
    );

    test('the filters narrow together and the total counts what they leave, because pages need it', async () => {
      expect(await find({ decision: 'present', sort: '-score' })).toEqual({ total: 2, studies: ['1.1', '1.3'] });
      expect(await find({ decision: 'present', sort: '-score', limit: 1, offset: 1 })).toEqual({
        total: 2,
        studies: ['1.3'],
      });
      expect(await find({ decision: 'present', state: 'skipped' })).toEqual({ total: 0, studies: [] });
      expect(await find({ state: 'announced' })).toEqual({ total: 1, studies: ['1.5'] });
    });

    test('a code finds the study by its job or by one of its images, because both are reasons', async () => {
      expect(await find({ code: 'no-eligible-image' })).toEqual({ total: 1, studies: ['1.4'] });
      expect(await find({ code: 'not-frontal' })).toEqual({ total: 1, studies: ['1.4'] });
      expect(await find({ code: "x' OR 1=1 --" })).toEqual({ total: 0, studies: [] });
    });

    test('a row tells result, artifacts and receipts, because that is what an operator asks for', async () => {
      expect(await store.board.get('1.1')).toMatchObject({
        job: { studyInstanceUid: '1.1', state: 'done' },
        modelId: model.id,
        decision: 'present',
        score: 0.9,
        readAt: '2026-03-14T09:20:00.000Z',
        artifacts: [{ name: 'sr', id: '2.25.0', kind: 'sr' }],
        receipts: [makeReceipt('sr')],
      });
      expect(await store.board.get('1.4')).toMatchObject({
        decision: null,
        score: null,
        instances: [outcome],
        artifacts: [],
      });
      expect(await store.board.get('1.99')).toBeNull();
    });

    test('what waits is told by lane with its oldest, because a backlog of routine work hides an urgent study', async () => {
      await store.queue.announce(event('1.6', { priority: 'stat' }), 300);
      await store.queue.announce(event('1.7'), 301);
      const settling = { count: 1, since: 302 };
      await store.queue.settle((await store.queue.claim(302))!, { state: 'settling', dueAt: 900, settling }, 302);
      const claimed = (await store.queue.claim(303))!;
      expect(claimed.studyInstanceUid).toBe('1.7');
      expect(await store.board.waiting()).toEqual({
        stat: { count: 1, oldestAt: 300 },
        routine: { count: 1, oldestAt: 11 },
      });
    });

    test('the counts by state add up to the studies, because a gauge that loses one is wrong', async () => {
      expect(await store.board.countsByState()).toEqual({ done: 3, skipped: 1, announced: 1 });
    });
  });
}
