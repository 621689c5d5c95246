import { describe, expect, test } from '@jest/globals';
import { Failure } from '../src/core/failure.ts';
import type { Artifact, Destination, Job, Orders, Receipt } from '../src/core/ports.ts';
import type { Dataset, Priority } from '../src/core/study.ts';
import { createSteps, type World } from '../src/steps/index.ts';
import { makeJob } from './support/readings.ts';
import { destination, type FilmPlan, header, makeWorld, run } from './support/spine.ts';

describe('the spine', () => {
  test('reads each eligible film once and delivers one SR and one bundle, because that is the promise', async () => {
    const { world, ledger, pacs, fhir, reads } = makeWorld([
      { key: '1.1', score: 0.2 },
      { key: '1.2', score: 0.7 },
    ]);
    expect(await run(world)).toEqual({ state: 'done', partial: false });
    expect(reads).toEqual(['1.1', '1.2']);
    expect([pacs.stored.length, fhir.stored.length]).toEqual([1, 1]);
    expect(ledger.recordings[0]?.reading).toMatchObject({ decision: 'present', score: 0.7, highestImage: '1.2' });
  });

  test('never scores again when only a delivery failed: the same bytes go out under the same UID', async () => {
    const { world, pacs, reads } = makeWorld([{ key: '1.1' }]);
    const flaky = destination('fhir', ['fhir-bundle'], [new Failure('fhir-unavailable')]);
    const broken = { ...world, destinations: [pacs.port, flaky.port] };
    await expect(run(broken)).rejects.toMatchObject({ code: 'fhir-unavailable' });
    expect(pacs.stored).toHaveLength(1); // FHIR down holds nothing back from the PACS (fault 57)
    expect(await run(broken)).toEqual({ state: 'done', partial: false });
    expect(reads).toEqual(['1.1']);
    expect([pacs.stored.length, flaky.stored.length]).toEqual([1, 1]);
  });

  test('sends again only what a destination did not take, because the rest is delivered (fault 43)', async () => {
    const { world } = makeWorld([{ key: '1.1' }]);
    const asked: (readonly string[])[] = [];
    const receiptOf = ({ name }: Artifact): Receipt => ({
      artifact: name,
      destination: 'one',
      storedAt: 't',
      note: '',
    });
    const one: Destination = {
      name: 'one',
      kinds: ['sr', 'fhir-bundle'],
      async deliver(artifacts, keep) {
        asked.push(artifacts.map(({ name }) => name));
        if (asked.length > 1) return artifacts.map(receiptOf);
        await keep?.(artifacts.slice(0, 1).map(receiptOf));
        throw new Failure('pacs-store-failed');
      },
    };
    const halves = { ...world, destinations: [one] };
    await expect(run(halves)).rejects.toMatchObject({ code: 'pacs-store-failed' });
    expect(await run(halves)).toEqual({ state: 'done', partial: false });
    expect(asked).toEqual([['sr', 'fhir-bundle'], ['fhir-bundle']]);
  });

  test('tells of a film that was acquired after it was read, because a viewer shows the result before it (fault 102)', async () => {
    const alerts: string[] = [];
    const alert = (code: string) => alerts.push(code);
    const early = makeWorld([{ key: '1.1' }], { alert, now: () => Date.parse('2026-03-14T08:00:00Z') });
    await run(early.world);
    expect(alerts).toEqual(['clock-behind']);
    expect(early.ledger.recordings[0]?.reading.images[0]?.flags).toContain('read-before-acquisition');
    await run(makeWorld([{ key: '1.1' }], { alert }).world);
    expect(alerts).toHaveLength(1);
  });

  test('delivers nothing new when a finished study is announced again (fault 2)', async () => {
    const { world, pacs, fhir, reads } = makeWorld([{ key: '1.1' }]);
    for (let round = 0; round < 3; round++) await run(world);
    expect([reads.length, pacs.stored.length, fhir.stored.length]).toEqual([1, 1, 1]);
  });

  test('makes the same objects whatever ran the network, because a second gateway may have another card', async () => {
    const identities: string[][] = [];
    for (const provider of [
      { asked: 'cuda', used: 'cuda' },
      { asked: 'cuda', used: 'cpu' },
    ] as const) {
      const { world, pacs, fhir, ledger } = makeWorld([{ key: '1.1', provider }]);
      await run(world);
      expect(ledger.recordings[0]?.reading.images[0]?.provider).toEqual(provider);
      identities.push([...pacs.stored, ...fhir.stored].map(({ id }) => id));
    }
    expect(identities[0]).toHaveLength(2);
    expect(identities[1]).toEqual(identities[0]);
  });

  test('does not read a recorded study again when another provider came into use', async () => {
    const plans: FilmPlan[] = [{ key: '1.1', provider: { asked: 'auto', used: 'webgpu' } }];
    const { world, reads, pacs } = makeWorld(plans);
    await run(world);
    plans[0] = { key: '1.1', provider: { asked: 'auto', used: 'cpu' } };
    await run(world);
    expect([reads.length, pacs.stored.length]).toEqual([1, 1]);
  });

  test('brings a report without a receipt to its end before the next revision, because it may be stored all the same (fault 42)', async () => {
    const plans: FilmPlan[] = [{ key: '1.1' }];
    const { world, ledger, fhir } = makeWorld(plans);
    const silent = destination('pacs', ['sr'], [new Failure('pacs-unconfirmed')]);
    const unsure = { ...world, destinations: [silent.port, fhir.port] };
    await expect(run(unsure)).rejects.toMatchObject({ code: 'pacs-unconfirmed' });
    plans.push({ key: '1.2' });
    await run(unsure);
    const [first, second] = ledger.recordings;
    expect(silent.stored.map(({ id }) => id)).toEqual(
      [first, second].map((each) => each?.artifacts.find(({ kind }) => kind === 'sr')?.id),
    );
    expect(second?.reading.predecessor?.SOPInstanceUID).toBe(silent.stored[0]?.id);
  });

  test('goes on without a report that the archive refuses, because it is not there to be followed', async () => {
    const plans: FilmPlan[] = [{ key: '1.1' }];
    const { world, ledger } = makeWorld(plans);
    const refusing = destination(
      'pacs',
      ['sr'],
      [new Failure('pacs-store-refused'), new Failure('pacs-store-refused')],
    );
    const strict = { ...world, destinations: [refusing.port] };
    await expect(run(strict)).rejects.toMatchObject({ code: 'pacs-store-refused' });
    plans.push({ key: '1.2' });
    await run(strict);
    expect(ledger.recordings[1]?.reading).toMatchObject({ revision: 2, predecessor: null });
    expect(refusing.stored).toHaveLength(1);
  });

  test('makes a new revision that names its predecessor when a late image arrives (fault 1)', async () => {
    const plans: FilmPlan[] = [{ key: '1.1' }];
    const { world, ledger, pacs } = makeWorld(plans);
    await run(world);
    plans.push({ key: '1.2' });
    await run(world);
    const [first, second] = ledger.recordings;
    expect(second?.reading.revision).toBe(2);
    expect(second?.reading.predecessor?.SOPInstanceUID).toBe(first?.artifacts[0]?.id);
    expect(new Set(pacs.stored.map(({ id }) => id)).size).toBe(2);
  });

  test('writes nothing when the patient of the study changed meanwhile (fault 5, T19)', async () => {
    const { world, patients, pacs, fhir } = makeWorld([{ key: '1.1' }]);
    patients[0] = { PatientID: 'PH-002', IssuerOfPatientID: null };
    await expect(run(world)).rejects.toMatchObject({ code: 'identity-changed', class: 'transient' });
    patients.push({ PatientID: 'PH-001', IssuerOfPatientID: null });
    await expect(run(world)).rejects.toMatchObject({ code: 'identity-conflict', class: 'quarantine' });
    expect([pacs.stored.length, fhir.stored.length]).toEqual([0, 0]);
  });

  test('writes where the archive does not tell the patient, because silence contradicts nothing', async () => {
    const { world, patients, pacs } = makeWorld([{ key: '1.1' }]);
    patients[0] = { PatientID: null, IssuerOfPatientID: null };
    expect(await run(world)).toEqual({ state: 'done', partial: false });
    expect(pacs.stored).toHaveLength(1);
  });

  test('quarantines a study whose films name two patients (fault 8)', async () => {
    const { world, pacs } = makeWorld([{ key: '1.1' }, { key: '1.2', patient: 'PH-002' }]);
    await expect(run(world)).rejects.toMatchObject({ code: 'identity-conflict' });
    expect(pacs.stored).toHaveLength(0);
  });

  test('names a film that could not be read and reports the others', async () => {
    const { world, ledger } = makeWorld([{ key: '1.1', fails: new Failure('decode-failed') }, { key: '1.2' }]);
    expect(await run(world)).toEqual({ state: 'done', partial: true });
    expect(ledger.recordings[0]?.reading.failures).toMatchObject([
      { SOPInstanceUID: '1.1', failure: { code: 'decode-failed' } },
    ]);
    expect(ledger.outcomes.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['quarantined', 'decode-failed'],
      ['reported', null],
    ]);
  });

  test('quarantines a study with no film read, and reports the failure only where the site wants it', async () => {
    const plans = [{ key: '1.1', fails: new Failure('truncated') }];
    const silent = makeWorld(plans);
    expect(await run(silent.world)).toEqual({ state: 'quarantined', code: 'truncated' });
    expect(silent.pacs.stored).toHaveLength(0);
    const telling = makeWorld(plans, { reportFailures: true });
    expect(await run(telling.world)).toEqual({ state: 'quarantined', code: 'truncated' });
    expect(telling.ledger.recordings[0]?.reading.decision).toBe('undetermined');
    expect(telling.pacs.stored).toHaveLength(1);
  });

  test('skips a study with the one reason that all its images share', async () => {
    const { world } = makeWorld([
      { key: '1.1', skip: 'not-chest' },
      { key: '1.2', skip: 'own-output' },
    ]);
    expect(await run(world)).toEqual({ state: 'skipped', code: 'not-chest' });
  });

  test('enters two files of one UID once when their pixels agree, and quarantines the second when they do not', async () => {
    const agree = makeWorld([
      { key: 'a', uid: '1.1', digest: 'x' },
      { key: 'b', uid: '1.1', digest: 'x' },
    ]);
    await run(agree.world);
    expect(agree.ledger.recordings[0]?.reading.images).toHaveLength(1);
    expect(agree.ledger.outcomes.map(({ outcome }) => outcome)).toEqual(['reported', 'reported']);
    const differ = makeWorld([
      { key: 'a', uid: '1.1', digest: 'x' },
      { key: 'b', uid: '1.1', digest: 'y' },
    ]);
    await run(differ.world);
    expect(differ.ledger.outcomes[1]).toMatchObject({ outcome: 'quarantined', reason: 'uid-conflict', score: 0.9 });
  });

  test('a transient failure of the archive stops the run and records nothing, so that the retry starts clean', async () => {
    const { world, ledger } = makeWorld([{ key: '1.1', fails: new Failure('pacs-unavailable') }]);
    await expect(run(world)).rejects.toMatchObject({ code: 'pacs-unavailable' });
    expect(ledger.recordings).toHaveLength(0);
  });
});

describe('settling', () => {
  const plans: FilmPlan[] = [{ key: '1.1' }, { key: '1.9', skip: 'own-output' }];
  const at = (now: number, job: Partial<Job>, overrides: Partial<World> = {}) => {
    const settle = { quietSeconds: 5, maxSeconds: 900 };
    const { world } = makeWorld(plans, { settle, now: () => now, ...overrides });
    return createSteps(world).settle(
      makeJob(job),
      world.select(
        plans.map((plan) => ({ key: plan.key, header: header(plan), failure: null })),
        now,
      ),
    );
  };

  test('waits until the count stood still for the quiet time; our own objects do not count (fault 1)', async () => {
    const counted = (count: number) => ({ settling: { count, since: 1000 } });
    expect(await at(1000, {})).toEqual({ state: 'settling', dueAt: 6000, settling: { count: 1, since: 1000 } });
    expect(await at(5999, counted(1))).toMatchObject({ dueAt: 6000 });
    expect(await at(6000, counted(1))).toBeNull();
    expect(await at(6000, counted(3))).toMatchObject({ dueAt: 11_000, settling: { count: 1, since: 6000 } });
  });

  test('ends after the longest time although the study still grows, so that no study waits for ever', async () => {
    expect(await at(900_000, { settling: { count: 7, since: 899_999 } })).toBeNull();
  });

  describe('fault 17: the priority of the order', () => {
    function ordersOf(priority: Priority) {
      const asked: (readonly Dataset[])[] = [];
      const orders: Orders = {
        async priority(headers) {
          asked.push(headers);
          return priority;
        },
      };
      return { orders, asked };
    }

    test("raises the job at the first listing, by the films alone, because our own objects are nobody's order", async () => {
      const { orders, asked } = ordersOf('stat');
      expect(await at(1000, {}, { orders })).toMatchObject({ state: 'settling', priority: 'stat' });
      expect(asked).toEqual([[header({ key: '1.1' })]]);
    });

    test('that is routine raises nothing', async () => {
      const settled = await at(1000, {}, { orders: ordersOf('routine').orders });
      expect(settled).toEqual({ state: 'settling', dueAt: 6000, settling: { count: 1, since: 1000 } });
    });

    test.each<[string, Partial<Job>, Partial<World>]>([
      ['at a later listing, because the EHR is asked once a study', { settling: { count: 3, since: 500 } }, {}],
      ['of a study that is urgent already', { priority: 'stat' }, {}],
      ['of a study that is read at once', {}, { settle: { quietSeconds: 0, maxSeconds: 900 } }],
      ['of a study with nothing to read', {}, { select: () => [] }],
    ])('is not asked for %s', async (_, job, overrides) => {
      const { orders, asked } = ordersOf('stat');
      await at(1000, job, { orders, ...overrides });
      expect(asked).toEqual([]);
    });
  });
});
