import { describe, expect, test } from '@jest/globals';
import { makeImageReading, makeReading } from '../support/readings.ts';
import { openSimulated, versionsIn } from './simulated.ts';
import { bundleArtifact } from './support.ts';

describe.each([true, false])('a report that the server has already (fault 70), client ids %s', (clientIds) => {
  const again = () => bundleArtifact(makeReading({ readAt: '2026-03-15T10:00:00.000Z' }));

  test('is not written again when only its times differ, because a lost ledger makes no second version', async () => {
    const { fhir, store, writes } = await openSimulated({ clientIds });
    await fhir.deliver([bundleArtifact()]);
    const versions = versionsIn(store);
    writes();
    const [receipt] = await fhir.deliver([again()]);
    expect(receipt?.note).toMatch(/DiagnosticReport\/[\w-]+\/_history\/1: already there/);
    expect(writes()).toEqual([]);
    expect(versionsIn(store)).toEqual(versions);
  });

  test.each([
    ['another conclusion', makeReading({ images: [makeImageReading({ score: 0.2, decision: 'absent', zone: null })] })],
    ['another score', makeReading({ images: [makeImageReading({ score: 0.7 })] })],
  ])('is written when it has %s', async (_, reading) => {
    const { fhir, writes } = await openSimulated({ clientIds });
    await fhir.deliver([bundleArtifact()]);
    writes();
    const [receipt] = await fhir.deliver([bundleArtifact(reading)]);
    expect(receipt?.note).not.toContain('already there');
    expect(writes()).toContain('POST transaction');
  });
});
