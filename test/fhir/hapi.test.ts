import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Reading } from '../../src/core/reading.ts';
import { createFhirClient } from '../../src/fhir/client.ts';
import { createFhirResolver } from '../../src/fhir/resolver.ts';
import type { Http } from '../../src/net/http.ts';
import { type HapiServer, startHapi, whyNoHapi } from '../services/hapi.ts';
import {
  makeImageHeader,
  makeImageReading,
  makeReading,
  makeStudyHeader,
  model,
  studyUid,
} from '../support/readings.ts';
import {
  deliver,
  errorsOf,
  type Found,
  get,
  put,
  putAll,
  refusal,
  remove,
  results,
  search,
  versions,
} from './hapi-support.ts';
import { hostile } from './hostile.ts';
import { accessions, mrn, openHttp } from './support.ts';

/** The report on a real HAPI FHIR server that validates every write. */

const why = whyNoHapi();
if (why && process.env['CI']) throw new Error(`HAPI is needed in CI: ${why}`);
if (why) console.warn(`Skipped, the suite on a real HAPI FHIR server: ${why}.`);
const suite = why ? describe.skip : describe;

const patient = (id: string, value = 'PH-001'): Found => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: mrn, value }],
});
const order = (subject: string): Found => ({
  resourceType: 'ServiceRequest',
  id: 'order',
  status: 'active',
  intent: 'order',
  subject: { reference: subject },
  identifier: [{ system: accessions, value: 'ACC-001' }],
});
const failure = {
  StudyInstanceUID: studyUid,
  SeriesInstanceUID: `${studyUid}.2`,
  SOPInstanceUID: `${studyUid}.2.1`,
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.1',
  failure: { code: 'truncated', detail: '' },
} as const;
const second = makeImageReading({
  score: 0.21,
  view: 'AP',
  image: makeImageHeader({
    SOPInstanceUID: `${studyUid}.1.2`,
    Modality: 'CR',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1',
  }),
});

const variants: Readonly<Record<string, Reading>> = {
  positive: makeReading(),
  negative: makeReading({ images: [makeImageReading({ score: 0.0000004 })] }),
  'two images and one that failed, an issuer named by OID': makeReading({
    study: makeStudyHeader({ IssuerOfPatientID: 'EAST' }),
    images: [makeImageReading(), second],
    failures: [failure],
  }),
  failed: makeReading({ images: [], failures: [failure] }),
  untrained: makeReading({ model: { ...model, training: 'untrained' } }),
  'a Japanese name, no identifier': makeReading({
    study: makeStudyHeader({ PatientID: null, PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' }),
  }),
  'a patient who is not named': makeReading({
    study: makeStudyHeader({ PatientID: null, PatientName: null, PatientBirthDate: null, PatientSex: null }),
  }),
  'an issuer without system, no date, no order': makeReading({
    study: makeStudyHeader({ IssuerOfPatientID: 'SOUTH', StudyDate: null, StudyTime: null, AccessionNumber: null }),
  }),
};

suite('on a real server', () => {
  let hapi: HapiServer;
  let http: Http;
  beforeAll(async () => {
    hapi = await startHapi({ validate: true });
    http = openHttp(hapi.url);
  }, 250_000);
  beforeEach(() => hapi.clear(), 60_000);
  afterAll(async () => {
    await http?.close();
    await hapi?.stop();
  });

  test.each(Object.keys(variants))(
    '%s: the transaction is taken, each resource is valid as stored, and a second delivery changes no version',
    async (name) => {
      expect(await deliver(hapi.url, http, variants[name]!)).toMatch(/DiagnosticReport\/[^;]*\/_history\/1;/);
      const stored = await results(hapi.url);
      const errors = (await Promise.all(stored.map((resource) => errorsOf(hapi.url, resource)))).flat();
      expect(errors).toEqual([]);
      const before = await versions(hapi.url);
      expect(await deliver(hapi.url, http, variants[name]!)).toMatch(/_history\/1: already there$/);
      expect(await versions(hapi.url)).toEqual(before);
      expect(new Set(Object.values(before))).toEqual(new Set(['1']));
    },
    120_000,
  );

  test('a server that gives ids itself holds one of each, because we update by our own identifiers', async () => {
    await deliver(hapi.url, http, makeReading(), { ids: 'conditional' });
    const before = await versions(hapi.url);
    expect(Object.keys(before).map((name) => name.split('/')[0])).toEqual([
      'Device',
      'Device',
      'Endpoint',
      'ImagingStudy',
      'Observation',
      'DiagnosticReport',
      'Provenance',
    ]);
    expect(JSON.stringify(await results(hapi.url))).not.toMatch(/"reference":"(urn:|[A-Za-z]+\/cxr-)/);
    await deliver(hapi.url, http, makeReading(), { ids: 'conditional' });
    expect(await versions(hapi.url)).toEqual(before);
  }, 60_000);

  test('a late image updates the one report and its SR identifier, because the EHR keeps one report a study', async () => {
    await deliver(hapi.url, http, makeReading());
    await deliver(hapi.url, http, makeReading({ revision: 2, images: [makeImageReading(), second] }));
    const reports = await search(hapi.url, 'DiagnosticReport');
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ meta: { versionId: '2' }, result: [{}, {}] });
  }, 60_000);

  test('a failed study that is read later leaves no undetermined result behind', async () => {
    await deliver(hapi.url, http, variants['failed']!);
    const note = await deliver(hapi.url, http, makeReading({ revision: 2 }));
    expect(note).toContain('observations withdrawn: 1');
    const statuses = (await search(hapi.url, 'Observation')).map((observation) => observation['status']);
    expect(statuses.sort()).toEqual(['entered-in-error', 'preliminary']);
  }, 60_000);

  test('an EHR finds the report by patient and by order, with results and imaging study', async () => {
    await put(hapi.url, patient('pat-1'));
    await put(hapi.url, order('Patient/pat-1'));
    const note = await deliver(hapi.url, http, makeReading());
    expect(note).toContain('patient: linked; order: linked');
    const includes = '_include=DiagnosticReport:result&_include:iterate=Observation:derived-from';
    for (const by of ['subject=Patient/pat-1', `based-on.identifier=${accessions}|ACC-001`]) {
      const found = await search(hapi.url, `DiagnosticReport?${by}&${includes}`);
      expect(found.map(({ resourceType }) => resourceType).sort()).toEqual([
        'DiagnosticReport',
        'ImagingStudy',
        'Observation',
      ]);
    }
    const [study] = await search(
      hapi.url,
      `ImagingStudy?identifier=urn:dicom:uid|urn:oid:${studyUid}&_include=ImagingStudy:endpoint`,
    );
    expect(study).toMatchObject({ subject: { reference: 'Patient/pat-1' }, endpoint: [{}] });
  }, 60_000);

  test('a patient who appears later is linked by the next delivery of the same bytes', async () => {
    expect(await deliver(hapi.url, http, makeReading())).toContain('patient: by identifier');
    await put(hapi.url, patient('pat-1'));
    expect(await deliver(hapi.url, http, makeReading())).toContain('patient: linked');
    expect(await search(hapi.url, 'DiagnosticReport?subject=Patient/pat-1')).toHaveLength(1);
  }, 60_000);

  test('with two patients under one number the report goes to neither (fault 52)', async () => {
    await put(hapi.url, patient('pat-1'));
    await put(hapi.url, patient('pat-2'));
    expect(await deliver(hapi.url, http, makeReading())).toContain('patient: by identifier');
    expect(await search(hapi.url, 'DiagnosticReport?subject=Patient/pat-1,Patient/pat-2')).toEqual([]);
  }, 60_000);

  test('an order of another patient is not linked, because accession and patient must agree', async () => {
    await put(hapi.url, patient('pat-1'));
    await put(hapi.url, patient('pat-2', 'PH-002'));
    await put(hapi.url, order('Patient/pat-2'));
    expect(await deliver(hapi.url, http, makeReading())).toContain('patient: linked; order: by identifier');
  }, 60_000);

  test('a patient who vanishes during the delivery: nothing is half-written, and it goes on without him (fault 49)', async () => {
    await put(hapi.url, patient('pat-1'));
    const standing: (readonly Found[])[] = [];
    const vanishing: Http = {
      ...http,
      async request(request) {
        if (request.method !== 'POST') return http.request(request);
        if (standing.length === 0) await remove(hapi.url, 'Patient/pat-1');
        standing.push(await results(hapi.url));
        return http.request(request);
      },
    };
    expect(await deliver(hapi.url, vanishing, makeReading())).toContain('patient: by identifier');
    expect(standing).toEqual([[], []]);
  }, 60_000);

  test("the EHR's own imaging study is used and stays untouched", async () => {
    const theirs: Found = {
      resourceType: 'ImagingStudy',
      id: 'theirs',
      status: 'available',
      subject: { display: 'somebody' },
      identifier: [{ system: 'urn:dicom:uid', value: `urn:oid:${studyUid}` }],
    };
    await put(hapi.url, theirs);
    expect(await deliver(hapi.url, http, makeReading())).toContain('imaging study: of the EHR');
    expect(await get(hapi.url, 'ImagingStudy/theirs')).toMatchObject({ meta: { versionId: '1' } });
    expect(await search(hapi.url, 'ImagingStudy')).toHaveLength(1);
  }, 60_000);

  test('a hostile patient number finds exactly its own patient (T35)', async () => {
    const values = hostile.filter((value) => value.trim() === value);
    await putAll(
      hapi.url,
      values.map((value, index) => patient(`pat-${index}`, value)),
    );
    const resolver = createFhirResolver({
      client: createFhirClient(http, hapi.url),
      onAmbiguousPatient: 'quarantine',
    });
    const own = { value: 'ours' };
    for (const [index, value] of values.entries()) {
      const keys = {
        patient: { system: mrn, value },
        accession: null,
        studyInstanceUid: studyUid,
        ownImagingStudy: own,
      };
      expect((await resolver.resolve(keys)).patient).toBe(`Patient/pat-${index}`);
    }
  }, 120_000);

  test('the security label is refused by a strict R4 server, and the failure names the element (fault 50)', async () => {
    const failed = await refusal(deliver(hapi.url, http, makeReading(), { report: { aiSecurityLabel: true } }));
    expect(failed.code).toBe('fhir-refused');
    expect(failed.message).toContain('meta.security');
    expect(await results(hapi.url)).toEqual([]);
  }, 60_000);
});
