import { describe, expect, test } from '@jest/globals';
import { createFhirClient } from '../../src/fhir/client.ts';
import { failureOf } from './memory-server.ts';
import { type Answer, startBench } from './store-support.ts';
import { openHttp } from './support.ts';

/** Answers to one PUT of a server without transactions; a transaction's are in server.test.ts. */
describe('what proves that a resource was stored (fault 53)', () => {
  const at = (version: string) => ({ location: `http://elsewhere.test/fhir/Device/cxr-1${version}` });

  test.each<[string, Answer]>([
    ['200 and an empty body', { status: 200 }],
    ['201 without a location', { status: 201 }],
    ['204', { status: 204 }],
    ['a location of another type', { status: 201, headers: { location: 'http://elsewhere.test/fhir/Patient/7' } }],
    ['a location of nothing', { status: 201, headers: { location: 'http://elsewhere.test/login' } }],
    ['a login page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Please log in</html>' }],
    [
      'a login page with a location',
      { status: 200, headers: { 'content-type': 'text/html', ...at('') }, body: '<html>' },
    ],
    ['JSON that is no resource', { status: 200, headers: at(''), body: '{}' }],
    ['an outcome without a location', { status: 200, body: { resourceType: 'OperationOutcome', issue: [] } }],
    ['another resource', { status: 200, body: { resourceType: 'Patient', id: '7' } }],
    ['the resource without an id', { status: 201, body: { resourceType: 'Device' } }],
  ])('not %s', async (_, answer) => {
    const bench = await startBench({}, { transactions: 'never' });
    bench.answer = ({ method, path }) => (method === 'PUT' && path.includes('/Device/') ? answer : null);
    expect((await failureOf(bench.fhir)).code).toBe('fhir-not-fhir');
    expect(bench.arrived()).toEqual(['PUT Device']);
  });

  test.each<[string, Answer, string | undefined]>([
    ['a location with a version', { status: 201, headers: { location: 'Device/d-1/_history/3' } }, '3'],
    ['a location and an ETag', { status: 201, headers: { location: '/fhir/Device/d-1', etag: 'W/"4"' } }, '4'],
    [
      'a content location, as HAPI gives',
      { status: 200, headers: { 'content-location': 'Device/d-1/_history/5' } },
      '5',
    ],
    [
      'an outcome with a location',
      {
        status: 201,
        headers: { location: 'Device/d-1/_history/6' },
        body: { resourceType: 'OperationOutcome', issue: [] },
      },
      '6',
    ],
    ['a location without a version', { status: 201, headers: { location: 'Device/d-1' } }, undefined],
    [
      'the resource itself',
      { status: 200, body: { resourceType: 'Device', id: 'd-1', meta: { versionId: '7' } } },
      '7',
    ],
  ])('but %s does, and says which version', async (_, answer, version) => {
    const bench = await startBench();
    bench.answer = () => answer;
    const http = openHttp(bench.store.url);
    const client = createFhirClient(http, bench.store.url);
    const stored = await client.update({
      resourceType: 'Device',
      id: 'd-1',
      body: { resourceType: 'Device', id: 'd-1' },
    });
    await http.close();
    expect(stored).toMatchObject({ resourceType: 'Device', id: 'd-1' });
    expect((stored as { meta?: { versionId?: string } }).meta?.versionId).toBe(version);
  });
});
