import { describe, expect, test } from '@jest/globals';
import { makeImageHeader, makeImageReading, makeReading } from '../support/readings.ts';
import { failureOf, type MemoryServer, startDestination } from './memory-server.ts';
import { bundleArtifact } from './support.ts';

describe('a report that others have touched', () => {
  const report = () =>
    JSON.parse(bundleArtifact().bytes.toString()).entry.find(
      (entry: { resource: { resourceType: string } }) => entry.resource.resourceType === 'DiagnosticReport',
    ).resource;
  const plant = (server: MemoryServer, change: object) => {
    const resource = { ...report(), ...change };
    server.stored.set(`DiagnosticReport/${resource.id}`, resource);
    return resource;
  };

  test("a signed report of this revision is left alone, because it is the signer's now (fault 59)", async () => {
    const { fhir, server } = await startDestination();
    const signed = plant(server, { status: 'final' });
    const [receipt] = await fhir.deliver([bundleArtifact()]);
    expect(receipt?.note).toContain('is final and was left alone');
    expect(server.stored.get(`DiagnosticReport/${signed.id}`)).toEqual(signed);
  });

  test('a signed report of an earlier revision is refused, because nobody signed the new one', async () => {
    const { fhir, server } = await startDestination();
    plant(server, { status: 'final' });
    expect(await failureOf(fhir, bundleArtifact(makeReading({ revision: 2 })))).toMatchObject({
      code: 'fhir-refused',
      detail: { where: 'DiagnosticReport.status of the report before', got: 'final' },
    });
  });

  test('a report of somebody else under our id is refused, because we touch only what is ours', async () => {
    const { fhir, server } = await startDestination();
    plant(server, { identifier: [{ system: 'http://ris.test', value: '1' }] });
    expect(await failureOf(fhir)).toMatchObject({
      code: 'fhir-refused',
      detail: { where: 'DiagnosticReport.identifier' },
    });
  });

  test('an observation that the new revision no longer names is struck out, because the image is not in the study', async () => {
    const { fhir, server } = await startDestination();
    const other = makeImageReading({ image: makeImageHeader({ SOPInstanceUID: '1.2.3.9' }) });
    await fhir.deliver([bundleArtifact(makeReading({ images: [makeImageReading(), other] }))]);
    const [receipt] = await fhir.deliver([bundleArtifact(makeReading({ revision: 2 }))]);
    expect(receipt?.note).toContain('observations withdrawn: 1');
    const statuses = [...server.stored.values()]
      .filter((r) => r.resourceType === 'Observation')
      .map((r) => r['status']);
    expect(statuses.sort()).toEqual(['entered-in-error', 'preliminary']);
  });
});
