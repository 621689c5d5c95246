import { describe, expect, test } from '@jest/globals';
import { asFailure } from '../../src/core/failure.ts';
import { isTransaction } from '../simulators/requests.ts';
import { makeImageHeader, makeImageReading, makeReading } from '../support/readings.ts';
import { failureOf } from './memory-server.ts';
import { type Answer, startBench } from './store-support.ts';
import { bundleArtifact } from './support.ts';

const order = ['Device', 'Device', 'Endpoint', 'ImagingStudy', 'Observation', 'DiagnosticReport', 'Provenance'];
const refusal = (issue: string) => ({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: issue }] });

describe('that a server knows no transactions (fault 54)', () => {
  test.each<[string, Answer]>([
    ['404', { status: 404 }],
    ['405', { status: 405 }],
    ['501', { status: 501 }],
    ['400 not-supported', { status: 400, body: refusal('not-supported') }],
  ])('is told by a refusal with %s, and it is never asked for one again', async (_, answer) => {
    const bench = await startBench();
    bench.answer = (request) => (isTransaction(request) ? answer : null);
    await bench.fhir.deliver([bundleArtifact()]);
    expect(bench.arrived()).toEqual(['POST', ...order.map((type) => `PUT ${type}`)]);
    await bench.fhir.deliver([bundleArtifact(makeReading({ revision: 2 }))]);
    expect(bench.arrived()).toEqual(['PUT DiagnosticReport']);
  });

  test.each([
    [422, 'fhir-refused'],
    [400, 'fhir-refused'],
    [503, 'fhir-busy'],
  ])('is not told by status %i, which says that this transaction is not taken', async (status, code) => {
    const bench = await startBench();
    bench.answer = (request) => (isTransaction(request) ? { status, body: refusal('invalid') } : null);
    expect((await failureOf(bench.fhir)).code).toBe(code);
    expect(bench.arrived()).toEqual(['POST']);
  });

  test('is not told by what is refused after the transaction, because that was understood', async () => {
    const bench = await startBench({ clientIds: false });
    bench.answer = ({ method, path }) => (method === 'POST' && path.includes('Provenance') ? { status: 405 } : null);
    expect((await failureOf(bench.fhir)).code).toBe('fhir-refused');
    expect(bench.arrived()).toEqual(['POST', 'POST Provenance']);
    expect(bench.notices).toEqual([]);
  });

  test('is told by its statement, and then none is even tried', async () => {
    const rest = [{ interaction: [{ code: 'search-system' }] }];
    const bench = await startBench();
    bench.answer = ({ path }) =>
      path.endsWith('/metadata') ? { status: 200, body: { resourceType: 'CapabilityStatement', rest } } : null;
    await bench.fhir.deliver([bundleArtifact()]);
    expect(bench.arrived()).toEqual(order.map((type) => `PUT ${type}`));
  });
});

/** What a server may answer to one of the writes: code, and the seconds that it asks to wait. */
const faults: readonly (readonly [string, Answer, string, number | undefined])[] = [
  ['429 with Retry-After', { status: 429, headers: { 'retry-after': '17' } }, 'fhir-busy', 17],
  ['503 with Retry-After', { status: 503, headers: { 'retry-after': '40' } }, 'fhir-busy', 40],
  ['401', { status: 401 }, 'fhir-unauthorized', undefined],
  ['500', { status: 500 }, 'fhir-unavailable', undefined],
];

describe.each([true, false])('a delivery that is broken off (faults 54 and 55; client ids: %s)', (clientIds) => {
  test.each(faults)(
    'by %s, at each of its writes, leaves no report before its results, and goes on where it was',
    async (_, answer, code, retryAfterSeconds) => {
      for (const broken of order.keys()) {
        const bench = await startBench({ clientIds }, { transactions: 'never' });
        let count = 0;
        bench.answer = ({ method }) => (method !== 'GET' && count++ === broken ? answer : null);
        const failure = await failureOf(bench.fhir);
        expect([failure.code, failure.detail.retryAfterSeconds]).toEqual([code, retryAfterSeconds]);
        expect(Object.keys(bench.versions()).map((name) => name.split('/')[0])).toEqual(order.slice(0, broken));
        bench.answer = () => null;
        bench.arrived();
        await bench.restarted().deliver([bundleArtifact()]);
        expect(bench.arrived()).toEqual(order.slice(broken).map((type) => `${clientIds ? 'PUT' : 'POST'} ${type}`));
        expect(new Set(Object.values(bench.versions()))).toEqual(new Set(['1']));
      }
    },
    60_000,
  );

  test('strikes out what the new revision does not name before the report, so that the next try finds it again', async () => {
    const other = makeImageReading({ image: makeImageHeader({ SOPInstanceUID: '1.2.3.9' }) });
    const bench = await startBench({ clientIds }, { transactions: 'never' });
    await bench.fhir.deliver([bundleArtifact(makeReading({ images: [makeImageReading(), other] }))]);
    const next = bundleArtifact(makeReading({ revision: 2 }));
    bench.arrived();
    bench.answer = ({ method, path }) =>
      method === 'PUT' && path.includes('DiagnosticReport') ? { status: 503 } : null;
    expect((await failureOf(bench.fhir, next)).code).toBe('fhir-busy');
    expect(bench.arrived()).toEqual(['PUT Observation', 'PUT DiagnosticReport']);
    bench.answer = () => null;
    await bench.restarted().deliver([next]);
    expect(bench.store.resources('DiagnosticReport')[0]).toMatchObject({ result: [{}] });
    const statuses = bench.store.resources('Observation').map(({ status }) => status);
    expect(statuses.sort()).toEqual(['entered-in-error', 'preliminary']);
  });
});

test.each(faults)('%s to a transaction stores nothing and tells how long to wait (fault 55)', async (...fault) => {
  const [, answer, code, retryAfterSeconds] = fault;
  const bench = await startBench();
  bench.answer = (request) => (isTransaction(request) ? answer : null);
  const { detail, ...failure } = await failureOf(bench.fhir);
  expect([failure.code, failure.class, detail.retryAfterSeconds]).toEqual([code, 'transient', retryAfterSeconds]);
  expect(bench.versions()).toEqual({});
});

test.each([
  [true, 'auto'],
  [true, 'never'],
  [false, 'auto'],
  [false, 'never'],
] as const)(
  'a retraction that is broken off at any write is finished the next time (fault 48; client ids %s, transactions %s)',
  async (clientIds, transactions) => {
    const retraction = { reason: 'wrong model', at: '2026-05-01T00:00:00Z' };
    let whole = false;
    let broken = 0;
    for (; !whole; broken++) {
      const bench = await startBench({ clientIds }, { transactions });
      await bench.fhir.deliver([bundleArtifact()]);
      let count = 0;
      bench.answer = ({ method }) => (method !== 'GET' && count++ === broken ? { status: 503 } : null);
      const thrown: unknown = await bench.fhir.retract!([bundleArtifact()], retraction).then(
        () => null,
        (error: unknown) => error,
      );
      whole = thrown === null;
      if (thrown) expect(asFailure(thrown).code).toBe('fhir-busy');
      bench.answer = () => null;
      await bench.fhir.retract!([bundleArtifact()], retraction);
      for (const type of ['DiagnosticReport', 'Observation']) {
        expect(bench.store.resources(type).map(({ status }) => status)).toEqual(['entered-in-error']);
      }
      expect(bench.store.resources('Provenance')).toHaveLength(2);
    }
    expect(broken).toBe(1 + { autotrue: 1, nevertrue: 3, autofalse: 2, neverfalse: 3 }[`${transactions}${clientIds}`]!);
  },
);
