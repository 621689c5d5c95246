import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** What the gateway relies on at a FHIR server, asked by plain fetch: one suite for the simulator and for a real one. */

export interface FhirBench {
  /** Base, no slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly [element: string]: unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly resourceType: string;
    readonly id?: string;
    readonly total?: number;
    readonly meta?: { readonly versionId?: string };
    readonly link?: readonly { readonly relation: string; readonly url: string }[];
    readonly entry?: readonly {
      readonly resource?: Resource;
      readonly response?: { readonly status: string; readonly location?: string; readonly etag?: string };
    }[];
    readonly [element: string]: unknown;
  };
}

const html = '<div xmlns="http://www.w3.org/1999/xhtml">AI output</div>';
const narrative = { text: { status: 'generated', div: html } };
const codeOf = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] });
const patient = {
  resourceType: 'Patient',
  id: 'contract-p',
  ...narrative,
  identifier: [{ system: 'urn:x-contract:mrn', value: 'C-1' }],
};
const observation = (id: string, subject = 'Patient/contract-p') => ({
  resourceType: 'Observation',
  id,
  ...narrative,
  identifier: [{ system: 'urn:x-contract:obs', value: id }],
  status: 'preliminary',
  code: codeOf('59776-5'),
  subject: { reference: subject },
  performer: [{ display: 'contract' }],
});
const report = (id: string, result: string, status = 'preliminary') => ({
  resourceType: 'DiagnosticReport',
  id,
  ...narrative,
  identifier: [{ system: 'urn:x-contract:report', value: id }],
  status,
  code: codeOf('36643-5'),
  subject: { reference: 'Patient/contract-p' },
  result: [{ reference: `Observation/${result}` }],
});

export function fhirServerContract(name: string, start: () => Promise<FhirBench>): void {
  describe(`${name} as a FHIR server`, () => {
    let bench: FhirBench;
    const call = async (method: string, path: string, body?: object): Promise<Answer> => {
      const answer = await fetch(path.startsWith('http') ? path : `${bench.url}${path}`, {
        method,
        headers: {
          accept: 'application/fhir+json',
          'content-type': 'application/fhir+json',
          'cache-control': 'no-cache',
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, body: JSON.parse(text) as Answer['body'] };
    };
    const put = (resource: Resource) => ({
      fullUrl: `${bench.url}/${resource.resourceType}/${resource.id}`,
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    });
    const transaction = (...resources: readonly Resource[]) =>
      call('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: resources.map(put) });
    const told = ({ body }: Answer) =>
      body.entry?.map(({ response }) => [response?.status.slice(0, 3), response?.location, response?.etag]);

    beforeAll(async () => {
      bench = await start();
      expect((await call('PUT', '/Patient/contract-p', patient)).status).toBe(201);
    }, 300_000);
    afterAll(() => bench?.stop(), 30_000);

    test('stores a transaction of PUTs under the client’s ids, in any order, and tells location and version', async () => {
      const first = await transaction(report('contract-r1', 'contract-o1'), observation('contract-o1'));
      expect(first.status).toBe(200);
      expect(first.body).toMatchObject({ resourceType: 'Bundle', type: 'transaction-response' });
      expect(told(first)).toEqual([
        ['201', 'DiagnosticReport/contract-r1/_history/1', '1'],
        ['201', 'Observation/contract-o1/_history/1', '1'],
      ]);
    });

    test('makes no new version of what is the same, and one of what changed; the old one stays to be read', async () => {
      const resources = [report('contract-r2', 'contract-o2'), observation('contract-o2')] as const;
      await transaction(...resources);
      expect(told(await transaction(...resources))?.map(([status, , version]) => [status, version])).toEqual([
        ['200', '1'],
        ['200', '1'],
      ]);
      const changed = await transaction(report('contract-r2', 'contract-o2', 'final'), resources[1]);
      expect(told(changed)?.map(([, , version]) => version)).toEqual(['2', '1']);
      const old = await call('GET', '/DiagnosticReport/contract-r2/_history/1');
      expect([old.body['status'], old.body.meta?.versionId]).toEqual(['preliminary', '1']);
      expect((await call('GET', '/DiagnosticReport/contract-r2')).body.meta?.versionId).toBe('2');
    });

    test('refuses everything for one reference to what is not there', async () => {
      const refused = await transaction(observation('contract-o3'), observation('contract-o4', 'Patient/nobody'));
      expect([refused.status, refused.body.resourceType]).toEqual([400, 'OperationOutcome']);
      expect((await call('GET', '/Observation/contract-o3')).status).toBe(404);
    });

    test('takes a reference by identifier alone', async () => {
      const subject = { type: 'Patient', identifier: { system: 'urn:x-contract:mrn', value: 'unknown' } };
      expect((await transaction({ ...observation('contract-o5'), subject })).status).toBe(200);
    });

    test('updates under a condition: creates once, updates the match, refuses to choose among several (412)', async () => {
      const { id: _, ...unnamed } = observation('contract-o6');
      const path = '/Observation?identifier=urn:x-contract:obs%7Ccontract-o6';
      const created = await call('PUT', path, unnamed);
      expect(created.status).toBe(201);
      const updated = await call('PUT', path, { ...unnamed, status: 'final' });
      expect([updated.status, updated.body.id, updated.body.meta?.versionId]).toEqual([200, created.body.id, '2']);
      expect((await call('POST', '/Observation', unnamed)).status).toBe(201);
      expect((await call('PUT', path, unnamed)).status).toBe(412);
    });

    test('finds by identifier, exactly, and says with a next link that a page is not all', async () => {
      const identifier = [{ system: 'urn:x-contract:shared', value: 'both' }];
      await transaction({ ...observation('contract-o7'), identifier }, { ...observation('contract-o8'), identifier });
      const find = (query: string) => call('GET', `/Observation?identifier=${query}`);
      const first = await find('urn:x-contract:shared%7Cboth&_count=1');
      expect(first.body.entry).toHaveLength(1);
      expect(first.body.link?.some(({ relation }) => relation === 'next')).toBe(true);
      const all = await find('urn:x-contract:shared%7Cboth&_count=20');
      expect(all.body.entry?.map(({ resource }) => resource?.id).sort()).toEqual(['contract-o7', 'contract-o8']);
      expect(all.body.link?.some(({ relation }) => relation === 'next')).toBe(false);
      for (const other of ['urn:x-contract:shared%7Cbot', 'urn:x-contract:other%7Cboth']) {
        const none = await find(other);
        expect([none.status, none.body.entry ?? []]).toEqual([200, []]);
      }
    });

    test('answers 404 with an OperationOutcome for what it has not, and 400 to an id of digits', async () => {
      const missing = await call('GET', '/DiagnosticReport/contract-none');
      expect([missing.status, missing.body.resourceType]).toEqual([404, 'OperationOutcome']);
      expect((await transaction(observation('12345'))).status).toBe(400);
    });

    test('keeps a tag that a later write leaves out', async () => {
      const tag = [{ system: 'urn:x-contract:tag', code: 'ai' }];
      await transaction({ ...observation('contract-o9'), meta: { tag } });
      await transaction(observation('contract-o9'));
      const { meta } = (await call('GET', '/Observation/contract-o9')).body;
      expect(meta).toMatchObject({ versionId: '1', tag });
    });
  });
}
