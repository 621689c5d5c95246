import { describe, expect, test } from '@jest/globals';
import { searchToken } from '../../src/fhir/search.ts';
import { makeReading, makeStudyHeader, studyUid } from '../support/readings.ts';
import { hostile } from './hostile.ts';
import { failureOf, type MemoryServer, startDestination } from './memory-server.ts';
import { accessions, bundleArtifact, mrn } from './support.ts';

const reportOf = (server: MemoryServer) =>
  [...server.stored.values()].find(({ resourceType }) => resourceType === 'DiagnosticReport')!;

describe('several patients under one identifier (fault 52)', () => {
  const patient = (id: string, system = mrn) => ({
    resourceType: 'Patient',
    id,
    identifier: [{ system, value: 'PH-001' }],
  });

  test.each<[string, string, object[]]>([
    ['none', 'by identifier', []],
    ['one', 'linked', [patient('7')]],
    ['two', 'by identifier', [patient('7'), patient('8')]],
    ['one of another hospital', 'by identifier', [patient('7', 'http://south.test/mrn')]],
    ['one that is no longer in use', 'by identifier', [{ ...patient('7'), active: false }]],
    ['one with an id that leads elsewhere', 'by identifier', [{ ...patient('7'), id: '../Patient/8' }]],
  ])('%s found: the report is %s, because it is never the first of many', async (_, link, found) => {
    const { fhir, server } = await startDestination();
    server.found['Patient'] = found;
    const [receipt] = await fhir.deliver([bundleArtifact()]);
    expect(receipt?.note).toContain(`patient: ${link}`);
    const report = reportOf(server);
    expect((report['subject'] as { readonly reference?: string }).reference).toBe(
      link === 'linked' ? 'Patient/7' : undefined,
    );
  });

  test('a site may stop the study for a person, and then nothing is written', async () => {
    const { fhir, server } = await startDestination(undefined, { onAmbiguousPatient: 'quarantine' });
    server.found['Patient'] = [patient('7'), patient('8')];
    expect((await failureOf(fhir)).code).toBe('patient-ambiguous');
    expect(server.stored.size).toBe(0);
  });

  test('a PatientID without a configured system is never looked up, because another hospital may use the same number', async () => {
    const { fhir, server } = await startDestination();
    const artifact = bundleArtifact(makeReading(), { patientIdentifierSystem: undefined });
    await fhir.deliver([artifact]);
    expect(server.requests.filter((request) => request.includes('/Patient'))).toEqual([]);
  });
});

describe('the order', () => {
  const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'ACSN' }] };
  const patient = { resourceType: 'Patient', id: '7', identifier: [{ system: mrn, value: 'PH-001' }] };
  const order = (subject: object, accession: object = { system: accessions, value: 'ACC-001' }) => ({
    resourceType: 'ServiceRequest',
    id: '30',
    status: 'active',
    subject,
    identifier: [accession],
  });
  const basedOn = (server: MemoryServer) => reportOf(server)['basedOn'] as readonly { readonly reference?: string }[];

  test.each<[string, object, string | undefined]>([
    ['of the same patient', order({ reference: 'Patient/7' }), 'ServiceRequest/30'],
    ['of the same identifier', order({ identifier: { system: mrn, value: 'PH-001' } }), 'ServiceRequest/30'],
    ['of another patient', order({ reference: 'Patient/8' }), undefined],
    ['struck out', { ...order({ reference: 'Patient/7' }), status: 'entered-in-error' }, undefined],
    [
      'with the number under another system',
      order({ reference: 'Patient/7' }, { system: 'x:y', value: 'ACC-001' }),
      undefined,
    ],
  ])('an order %s is linked only if accession and patient agree (fault 10)', async (_, found, expected) => {
    const { fhir, server } = await startDestination();
    server.found['Patient'] = [patient];
    server.found['ServiceRequest'] = [found];
    await fhir.deliver([bundleArtifact()]);
    expect(basedOn(server)[0]?.reference).toBe(expected);
  });

  test('without a configured system the order must call the number an accession, because lab orders count too', async () => {
    for (const [accession, expected] of [
      [{ value: 'ACC-001' }, undefined],
      [{ type, value: 'ACC-001' }, 'ServiceRequest/30'],
    ] as const) {
      const { fhir, server } = await startDestination();
      server.found['Patient'] = [patient];
      server.found['ServiceRequest'] = [order({ reference: 'Patient/7' }, accession)];
      await fhir.deliver([bundleArtifact(makeReading(), { accessionSystem: undefined })]);
      expect(basedOn(server)[0]?.reference).toBe(expected);
    }
  });
});

describe('the imaging study', () => {
  const theirs = (subject: string) => ({
    resourceType: 'ImagingStudy',
    id: '40',
    status: 'available',
    subject: { reference: subject },
    identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${studyUid}` }],
  });

  test('one that the EHR has is used as it is, and ours is not written', async () => {
    const { fhir, server } = await startDestination();
    server.found['ImagingStudy'] = [theirs('Patient/7')];
    await fhir.deliver([bundleArtifact()]);
    expect(reportOf(server)['imagingStudy']).toEqual([{ reference: 'ImagingStudy/40' }]);
    expect([...server.stored.keys()].filter((key) => /^(ImagingStudy|Endpoint)/.test(key))).toEqual([]);
    expect(JSON.stringify([...server.stored.values()])).not.toContain('ImagingStudy/cxr-');
  });

  test('one that names another patient is not used, because the two would contradict each other', async () => {
    const { fhir, server } = await startDestination();
    server.found['Patient'] = [{ resourceType: 'Patient', id: '7', identifier: [{ system: mrn, value: 'PH-001' }] }];
    server.found['ImagingStudy'] = [theirs('Patient/8')];
    const [receipt] = await fhir.deliver([bundleArtifact()]);
    expect(receipt?.note).toContain('imaging study: ours');
  });

  test('two of them are as good as none', async () => {
    const { fhir, server } = await startDestination();
    server.found['ImagingStudy'] = [theirs('Patient/7'), { ...theirs('Patient/7'), id: '41' }];
    const [receipt] = await fhir.deliver([bundleArtifact()]);
    expect(receipt?.note).toContain('imaging study: ours');
  });
});

describe('hostile search values (T35)', () => {
  test('what separates or escapes in a token is escaped, because it would ask for other patients', () => {
    expect(searchToken('http://a.test', 'x|y,z$\\w')).toBe('http://a.test|x\\|y\\,z\\$\\\\w');
    expect(searchToken(undefined, 'A,B')).toBe('A\\,B');
  });

  test.each(hostile)('the accession %j reaches the server as one value', async (value) => {
    const { fhir, server } = await startDestination();
    await fhir.deliver([
      bundleArtifact(makeReading({ study: makeStudyHeader({ AccessionNumber: value, PatientID: value }) })),
    ]);
    const asked = server.requests
      .map((request) => new URL(request.split(' ')[1]!, server.root))
      .filter(({ pathname }) => /Patient|ServiceRequest/.test(pathname));
    expect(asked).toHaveLength(2);
    for (const { searchParams } of asked) {
      expect([...searchParams.keys()].sort()).toEqual(['_count', 'identifier']);
      const [system, ...rest] = searchParams.get('identifier')!.split(/(?<!\\)(?:\\\\)*\|/);
      expect(rest).toHaveLength(1);
      expect([mrn, accessions]).toContain(system);
      expect(rest[0]!.replace(/\\(.)/g, '$1')).toBe(value);
      expect(rest[0]).not.toMatch(/(?<!\\)(?:\\\\)*[,$|]/);
    }
  });
});
