import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { demoResources } from '../../src/sandbox/demo-world.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';

interface Entry {
  response: { status: string; location: string; etag: string };
  resource: { resourceType: string; id: string };
  search: { mode: string };
}
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly resourceType: string;
    readonly id: string;
    readonly total: number;
    readonly entry: readonly Entry[];
    readonly meta: { readonly versionId: string; readonly tag: readonly object[] };
    readonly issue: readonly { readonly severity: string; readonly code: string }[];
  };
}

let store: RunningFhirStore;
const patient = { resourceType: 'Patient', id: 'p', identifier: [{ system: 'urn:mrn', value: '1' }] };
const order = {
  resourceType: 'ServiceRequest',
  id: 'order',
  identifier: [{ system: 'urn:acc', value: 'A1' }],
  subject: { reference: 'Patient/p' },
};
beforeEach(async () => {
  store = await startFhirStore({ seed: [patient, order] });
});
afterEach(() => store.close());

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  base = store.url,
) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { 'content-type': 'application/fhir+json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() } as Answer;
}

const put = (resource: { resourceType: string; id: string }, request: object = {}) => ({
  fullUrl: `urn:uuid:${resource.id}`,
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ...request },
});
const transaction = (...entry: object[]) => ({ resourceType: 'Bundle', type: 'transaction', entry });

const observation = {
  resourceType: 'Observation',
  id: 'obs-a',
  subject: { reference: 'Patient/p' },
  status: 'preliminary',
};
const imagingStudy = {
  resourceType: 'ImagingStudy',
  id: 'img-a',
  identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:1.2.3' }],
  subject: { reference: 'Patient/p' },
};
const html = '<h1>AI output, not reviewed</h1><script>alert(1)</script>';
const report = {
  resourceType: 'DiagnosticReport',
  id: 'rep-a',
  identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:1.2.3.4' }],
  status: 'preliminary',
  conclusion: 'Airspace <opacity>',
  subject: { reference: 'Patient/p' },
  basedOn: [{ reference: 'ServiceRequest/order' }],
  result: [{ reference: 'urn:uuid:obs-a' }],
  imagingStudy: [{ reference: 'ImagingStudy/img-a' }],
  presentedForm: [{ contentType: 'text/html', data: Buffer.from(html).toString('base64') }],
};
const bundle = transaction(put(report), put(observation), put(imagingStudy));

describe('a transaction', () => {
  test('stores all entries in any order, and tells location and version of each as HAPI does', async () => {
    const { status, body } = await call('POST', '', bundle);
    expect(status).toBe(200);
    expect(body.entry.map(({ response }) => [response.status, response.location, response.etag])).toEqual([
      ['201 Created', 'DiagnosticReport/rep-a/_history/1', '1'],
      ['201 Created', 'Observation/obs-a/_history/1', '1'],
      ['201 Created', 'ImagingStudy/img-a/_history/1', '1'],
    ]);
    const stored = await call('GET', '/DiagnosticReport/rep-a');
    expect(stored.body).toMatchObject({ result: [{ reference: 'Observation/obs-a' }] });
  });

  test('sent twice changes nothing, and only what changed gets a new version', async () => {
    await call('POST', '', bundle);
    const again = await call('POST', '', bundle);
    expect(again.body.entry.map(({ response }) => [response.status, response.etag])).toEqual([
      ['200 OK', '1'],
      ['200 OK', '1'],
      ['200 OK', '1'],
    ]);
    const changed = transaction(put({ ...report, status: 'final' } as never), put(observation), put(imagingStudy));
    const third = await call('POST', '', changed);
    expect(third.body.entry.map(({ response }) => response.etag)).toEqual(['2', '1', '1']);
    const old = await call('GET', '/DiagnosticReport/rep-a/_history/1');
    expect(old.body).toMatchObject({ status: 'preliminary', meta: { versionId: '1' } });
    expect(store.resources('DiagnosticReport')).toHaveLength(1);
  });

  test('a reference to what is not there is 400 and stores none of the entries', async () => {
    const broken = { ...observation, subject: { reference: 'Patient/nobody' } };
    const { status, body } = await call('POST', '', transaction(put(imagingStudy), put(broken)));
    expect([status, body.resourceType, body.issue[0]!.severity]).toEqual([400, 'OperationOutcome', 'error']);
    expect(store.resources('ImagingStudy')).toEqual([]);
  });

  test('a reference by identifier alone needs no target, because a patient may appear later', async () => {
    const logical = { ...observation, subject: { type: 'Patient', identifier: { system: 'urn:mrn', value: 'x' } } };
    expect((await call('POST', '', transaction(put(logical)))).status).toBe(200);
  });

  test('a conditional reference becomes the one match, 404 without and 412 with several', async () => {
    const by = (value: string) => ({ ...observation, subject: { reference: `Patient?identifier=urn:mrn|${value}` } });
    expect((await call('POST', '', transaction(put(by('1'))))).status).toBe(200);
    expect((await call('GET', '/Observation/obs-a')).body).toMatchObject({ subject: { reference: 'Patient/p' } });
    expect((await call('POST', '', transaction(put(by('2'))))).status).toBe(404);
    await call('PUT', '/Patient/twin', { ...patient, id: 'twin' });
    expect((await call('POST', '', transaction(put(by('1'))))).status).toBe(412);
  });

  test('an id of digits only is refused, because those are the server’s own', async () => {
    const { status, body } = await call('POST', '', transaction(put({ ...observation, id: '123' })));
    expect([status, body.resourceType]).toEqual([400, 'OperationOutcome']);
  });

  test('two entries for one resource are refused', async () => {
    expect((await call('POST', '', transaction(put(observation), put(observation)))).status).toBe(400);
  });
});

describe('a single write', () => {
  test('a conditional update creates once, then updates the match, and refuses to choose among several', async () => {
    const device = { resourceType: 'Device', identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:2.25.1' }] };
    const path = '/Device?identifier=urn:dicom:uid%7Curn:oid:2.25.1';
    const created = await call('PUT', path, device);
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`${store.url}/Device/${created.body.id}/_history/1`);
    expect(created.headers.get('etag')).toBe('W/"1"');
    const updated = await call('PUT', path, { ...device, status: 'active' });
    expect([updated.status, updated.body.id, updated.body.meta.versionId]).toEqual([200, created.body.id, '2']);
    await call('POST', '/Device', device);
    expect((await call('PUT', path, device)).status).toBe(412);
  });

  test('a stale If-Match is 409, as HAPI answers where FHIR says 412', async () => {
    await call('PUT', '/Observation/obs-a', observation);
    const stale = await call('PUT', '/Observation/obs-a', { ...observation, status: 'final' }, { 'if-match': 'W/"9"' });
    expect(stale.status).toBe(409);
  });

  test('tags stay when a later write leaves them out, because HAPI keeps them', async () => {
    const tagged = { ...observation, meta: { tag: [{ system: 'urn:t', code: 'ai' }] } };
    await call('PUT', '/Observation/obs-a', tagged);
    const later = await call('PUT', '/Observation/obs-a', observation);
    expect([later.body.meta.versionId, later.body.meta.tag]).toEqual(['1', [{ system: 'urn:t', code: 'ai' }]]);
  });

  test('a server without client ids refuses a new one and still takes conditional updates', async () => {
    const strict = await startFhirStore({ clientIds: false, seed: [patient] });
    expect((await call('PUT', '/Observation/obs-a', observation, {}, strict.url)).status).toBe(400);
    const { id: _, ...unnamed } = imagingStudy;
    const path = '/ImagingStudy?identifier=urn:dicom:uid%7Curn:oid:1.2.3';
    expect((await call('PUT', path, unnamed, {}, strict.url)).status).toBe(201);
    await strict.close();
  });

  test('text that is no JSON is an OperationOutcome', async () => {
    const response = await fetch(`${store.url}/Patient`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: '{',
    });
    expect([response.status, ((await response.json()) as { resourceType: string }).resourceType]).toEqual([
      400,
      'OperationOutcome',
    ]);
  });
});

describe('search, as an EHR looks for reports', () => {
  beforeEach(async () => {
    await call('POST', '', bundle);
  });
  const ids = async (query: string) =>
    (await call('GET', `/${query}`)).body.entry.map(({ resource }) => `${resource.resourceType}/${resource.id}`);

  test.each([
    'patient=p',
    'patient=Patient/p',
    'subject=Patient/p',
    'patient.identifier=urn:mrn%7C1',
    'based-on=ServiceRequest/order',
    'based-on.identifier=urn:acc%7CA1',
    'identifier=urn:dicom:uid%7Curn:oid:1.2.3.4',
    'identifier=urn:oid:1.2.3.4',
    'status=final,preliminary&patient=p',
  ])('finds the report by %s', async (query) => {
    expect(await ids(`DiagnosticReport?${query}`)).toEqual(['DiagnosticReport/rep-a']);
  });

  test.each([
    'patient=q',
    'identifier=urn:other%7Curn:oid:1.2.3.4',
    'based-on.identifier=urn:acc%7CA2',
    'status=final',
  ])('does not find it by %s', async (query) => {
    expect(await ids(`DiagnosticReport?${query}`)).toEqual([]);
  });

  test('_include brings results and the imaging study along', async () => {
    expect(await ids('DiagnosticReport?patient=p&_include=DiagnosticReport:result')).toEqual([
      'DiagnosticReport/rep-a',
      'Observation/obs-a',
    ]);
    expect(
      await ids('DiagnosticReport?_include=DiagnosticReport:result&_include=DiagnosticReport:imagingStudy'),
    ).toEqual(['DiagnosticReport/rep-a', 'Observation/obs-a', 'ImagingStudy/img-a']);
    expect((await ids('DiagnosticReport?_include=DiagnosticReport:*')).sort()).toEqual([
      'DiagnosticReport/rep-a',
      'ImagingStudy/img-a',
      'Observation/obs-a',
      'Patient/p',
      'ServiceRequest/order',
    ]);
  });

  test('an unknown parameter or include is refused, because silence would match everything', async () => {
    expect((await call('GET', '/DiagnosticReport?nonsense=1')).status).toBe(400);
    expect((await call('GET', '/Patient?patient=p')).status).toBe(400);
    expect((await call('GET', '/DiagnosticReport?_include=DiagnosticReport:imaging-study')).status).toBe(400);
  });

  test('pages carry a next link until the last', async () => {
    await call('PUT', '/Observation/obs-b', { ...observation, id: 'obs-b' });
    const first = await fetch(`${store.url}/Observation?_count=1`);
    const { total, link } = (await first.json()) as { total: number; link: { relation: string; url: string }[] };
    const next = link.find(({ relation }) => relation === 'next')!.url;
    const second = (await (await fetch(next)).json()) as typeof link & { entry: Entry[]; link: { relation: string }[] };
    expect([total, second.entry[0]!.resource.id]).toEqual([2, 'obs-b']);
    expect(second.link.some(({ relation }) => relation === 'next')).toBe(false);
  });

  test('what is not there is 404 with an OperationOutcome', async () => {
    const { status, body } = await call('GET', '/DiagnosticReport/nothing');
    expect([status, body.resourceType]).toEqual([404, 'OperationOutcome']);
  });
});

describe('what a person and a client see first', () => {
  test('the CapabilityStatement names R4, transactions, conditional update and client ids', async () => {
    const { body } = await call('GET', '/metadata');
    expect(body).toMatchObject({
      resourceType: 'CapabilityStatement',
      fhirVersion: '4.0.1',
      rest: [{ mode: 'server', interaction: [{ code: 'transaction' }] }],
    });
    const { resource } = (body as unknown as { rest: { resource: { type: string }[] }[] }).rest[0]!;
    expect(resource.find(({ type }) => type === 'DiagnosticReport')).toMatchObject({
      updateCreate: true,
      conditionalUpdate: true,
    });
  });

  test('the page of a report shows its html in a frame that may run no script', async () => {
    await call('POST', '', bundle);
    const response = await fetch(store.reportUrl('rep-a'));
    const page = await response.text();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page).toContain('sandbox srcdoc="&lt;h1&gt;AI output, not reviewed');
    expect(page).toContain('Airspace &lt;opacity&gt;');
    expect(page).not.toContain('<script>');
    expect((await fetch(store.reportUrl('none'))).status).toBe(404);
  });

  test('the seed of the demo is there: three patients, each with an order', async () => {
    const demo = await startFhirStore({ seed: demoResources() });
    expect(demo.resources('Patient')).toHaveLength(3);
    const orders = demo.resources('ServiceRequest').map((request) => request['subject']);
    expect(orders).toEqual(demo.resources('Patient').map(({ id }) => ({ reference: `Patient/${id}` })));
    await demo.close();
  });
});
