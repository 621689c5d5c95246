import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Artifact } from '../../src/core/ports.ts';
import type { Stored } from '../../src/sandbox/fhir-tables.ts';
import { makeImageHeader, makeImageReading, makeReading } from '../support/readings.ts';
import { type Bench, startBench } from './store-support.ts';
import { bundleArtifact } from './support.ts';

const statuses = ['registered', 'partial', 'preliminary', 'final', 'amended', 'corrected', 'appended', 'cancelled'];
const all = [...statuses, 'entered-in-error', 'unknown'];
const other = makeImageReading({ image: makeImageHeader({ SOPInstanceUID: '1.2.3.9' }) });

/** What is delivered after a person was there: the same bytes, the same at another time, a new revision, a study that grew. */
const deliveries: Readonly<Record<string, Artifact>> = {
  same: bundleArtifact(),
  later: bundleArtifact(makeReading({ readAt: '2026-04-05T06:07:08.000Z' })),
  'another score': bundleArtifact(makeReading({ images: [makeImageReading({ score: 0.5 })] })),
  'next revision': bundleArtifact(makeReading({ revision: 2 })),
  'late image': bundleArtifact(makeReading({ revision: 2, images: [makeImageReading(), other] })),
};

const text = (bench: Bench): string =>
  JSON.stringify(['Observation', 'DiagnosticReport'].flatMap((type) => bench.store.resources(type)));

async function act(bench: Bench, artifact: Artifact, how: 'deliver' | 'retract'): Promise<void> {
  const done =
    how === 'deliver'
      ? bench.fhir.deliver([artifact])
      : bench.fhir.retract!([artifact], { reason: 'wrong model', at: '2026-05-01T00:00:00Z' });
  await done.catch(() => {});
}

describe('what a person has taken over is never touched (fault 59)', () => {
  test('whatever status the report or its observation has been given, and whatever is delivered or retracted then', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          clientIds: fc.boolean(),
          transactions: fc.constantFrom('auto' as const, 'never' as const),
          type: fc.constantFrom('DiagnosticReport', 'Observation'),
          status: fc.constantFrom(...all),
          signed: fc.boolean(),
          delivery: fc.constantFrom(...Object.keys(deliveries)),
          how: fc.constantFrom('deliver' as const, 'retract' as const),
        }),
        async ({ clientIds, transactions, type, status, signed, delivery, how }) => {
          const bench = await startBench({ clientIds }, { transactions });
          await bench.fhir.deliver([deliveries['same']!]);
          const [resource] = bench.store.resources(type) as [Stored & Record<string, unknown>];
          const interpreter = [{ display: 'a radiologist' }];
          const person = type === 'DiagnosticReport' ? { resultsInterpreter: interpreter } : { performer: interpreter };
          await bench.store.put({ ...resource, ...(signed ? person : {}), status } as never);
          const before = text(bench);
          await act(bench, deliveries[delivery]!, how);
          const ours = status === 'preliminary' || (how === 'retract' && status === 'entered-in-error');
          if (!ours) expect(text(bench)).toBe(before);
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);

  test('whatever identifiers the report under our id bears, unless ours is among them', async () => {
    const identifier = fc.record(
      {
        system: fc.constantFrom(
          'http://ris.test',
          'urn:dicom:uid',
          'urn:cxr-gateway:result',
          'urn:cxr-gateway:results',
        ),
        value: fc.string(),
      },
      { requiredKeys: [] },
    );
    const report = JSON.parse(Buffer.from(deliveries['same']!.bytes).toString())
      .entry.map(({ resource }: { resource: { resourceType: string; id: string } }) => resource)
      .find(({ resourceType }: { resourceType: string }) => resourceType === 'DiagnosticReport');
    await fc.assert(
      fc.asyncProperty(
        fc.array(identifier, { maxLength: 3 }),
        fc.constantFrom(...all),
        fc.boolean(),
        async (found, status, one) => {
          const bench = await startBench({}, { transactions: one ? 'auto' : 'never' });
          const { resourceType, id } = report;
          await bench.store.put({ resourceType, id, status, code: { text: 'x' }, identifier: found } as never);
          const before = text(bench);
          for (const how of ['deliver', 'retract'] as const) await act(bench, deliveries['same']!, how);
          expect(text(bench)).toBe(before);
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);
});
