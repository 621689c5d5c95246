import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asFailure } from '../../src/core/failure.ts';
import { versionConflict } from '../simulators/fhir-misbehaviours.ts';
import { isTransaction } from '../simulators/requests.ts';
import { scripted } from '../simulators/script.ts';
import { makeImageReading, makeReading } from '../support/readings.ts';
import { failureOf } from './memory-server.ts';
import { openSimulated, versionsIn, withoutTransactions } from './simulated.ts';
import { bundleArtifact } from './support.ts';

describe('somebody else writes at the same time (fault 49)', () => {
  test.each([409, 412] as const)(
    '%i twice and then success is one delivery, because all is read anew',
    async (status) => {
      const script = scripted({ misbehaviour: versionConflict(status), on: isTransaction, times: 2 });
      const { fhir, store, waits, writes } = await openSimulated({ script });
      const [receipt] = await fhir.deliver([bundleArtifact()]);
      expect(receipt?.note).toMatch(/DiagnosticReport\/cxr-\w+\/_history\/1;/);
      expect(waits).toEqual([75, 150]);
      expect(writes()).toEqual(['POST transaction']);
      expect(store.resources('DiagnosticReport')).toHaveLength(1);
    },
  );

  test('after the fifth try the conflict is told, because the job can wait longer than a delivery', async () => {
    const script = scripted({ misbehaviour: versionConflict(409), on: isTransaction, times: 100 });
    const { fhir, store } = await openSimulated({ script });
    expect((await failureOf(fhir)).code).toBe('fhir-conflict');
    expect(store.requests.filter(({ status }) => status === 409)).toHaveLength(5);
  });

  test('an update goes against the version that was looked at, because what came between must not be lost', async () => {
    const { fhir, store, waits } = await openSimulated();
    await fhir.deliver([bundleArtifact()]);
    let isFirst = true;
    store.setObserver({
      async before(_, request) {
        if (!isTransaction(request) || !isFirst) return;
        isFirst = false;
        const report = store.resources('DiagnosticReport')[0]!;
        await store.put({ ...report, conclusion: 'noted by another program' });
      },
    });
    await fhir.deliver([revised()]);
    expect(waits).toHaveLength(1);
    expect(store.resources('DiagnosticReport')[0]!.meta.versionId).toBe('3');
  });
});

const revised = () =>
  bundleArtifact(makeReading({ revision: 2, images: [makeImageReading({ score: 0.21, revision: 2 })] }));

test('what a person has signed is never written again, whenever they sign it (fault 59)', async () => {
  const signing = fc.record({
    status: fc.constantFrom('final', 'amended', 'corrected', 'appended', 'cancelled'),
    type: fc.constantFrom('DiagnosticReport', 'Observation'),
    /** Before which request of the delivery. */
    moment: fc.nat({ max: 14 }),
    clientIds: fc.boolean(),
    transactions: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(signing, async ({ status, type, moment, clientIds, transactions }) => {
      const script = transactions ? {} : { script: withoutTransactions };
      const { fhir, store } = await openSimulated({ clientIds, ...script });
      await fhir.deliver([bundleArtifact()]);
      let [count, signed] = [0, ''];
      store.setObserver({
        async before() {
          if (count++ !== moment) return;
          await store.put({ ...store.resources(type)[0]!, status });
          signed = JSON.stringify(store.resources(type)[0]);
        },
      });
      await fhir.deliver([revised()]).catch((thrown: unknown) => {
        expect(['fhir-refused', 'fhir-conflict', 'fhir-unconfirmed']).toContain(asFailure(thrown).code);
      });
      await fhir.deliver([revised()]).catch(() => {});
      if (signed !== '') expect(JSON.stringify(store.resources(type)[0])).toBe(signed);
      expect(versionsIn(store).filter((line) => line.startsWith('DiagnosticReport'))).toHaveLength(1);
    }),
    { numRuns: 60, seed: 59 },
  );
}, 120_000);
