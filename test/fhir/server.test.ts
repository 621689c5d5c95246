import { describe, expect, test } from '@jest/globals';
import { failureOf, type Refuse, startDestination } from './memory-server.ts';
import { type Answer, bundleArtifact } from './support.ts';

const onTransaction =
  (answer: Answer): Refuse =>
  (method) =>
    method === 'POST' ? answer : null;

const outcome = {
  resourceType: 'OperationOutcome',
  issue: [
    {
      severity: 'error',
      code: 'invalid',
      diagnostics: 'HAPI-1821: the value "Meier, Hans" is bad',
      expression: ['Patient Meier', 'Bundle.entry[5].resource.subject'],
    },
    { severity: 'warning', code: 'informational', expression: ['Bundle.entry[0]'] },
  ],
};

describe('what a server answers to the transaction', () => {
  test.each([
    [409, 'fhir-conflict', 'transient', 'fault 49: somebody else wrote at the same time'],
    [412, 'fhir-conflict', 'transient', 'fault 49: a precondition failed'],
    [422, 'fhir-refused', 'permanent', 'fault 50: a profile refuses it'],
    [400, 'fhir-refused', 'permanent', 'fault 50: it is not what the server takes'],
    [500, 'fhir-unavailable', 'transient', 'fault 57: the server is ill'],
    [503, 'fhir-busy', 'transient', 'fault 57: the server is down'],
    [401, 'fhir-unauthorized', 'transient', 'the credentials are refused'],
  ])('status %i is %s, which is %s, because %s', async (status, code, failureClass) => {
    const { fhir, server } = await startDestination(onTransaction({ status, body: JSON.stringify(outcome) }));
    const failure = await failureOf(fhir);
    expect([failure.code, failure.class]).toEqual([code, failureClass]);
    expect(server.stored.size).toBe(0);
  });

  test('a refusal names code, element and HAPI number and no value, because a value may be a patient (fault 50)', async () => {
    const { fhir } = await startDestination(onTransaction({ status: 422, body: JSON.stringify(outcome) }));
    const { message } = await failureOf(fhir);
    expect(message).toContain('status 422: error invalid Bundle.entry[5].resource.subject (HAPI-1821)');
    expect(message).not.toContain('Meier');
    expect(message).not.toContain('informational');
  });

  test.each<[string, Answer]>([
    ['an empty body', { status: 200, body: '' }],
    ['a login page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Please log in</html>' }],
    ['JSON that is no resource', { status: 200, body: '{}' }],
    ['another resource', { status: 200, body: '{"resourceType":"Patient"}' }],
    ['too few entries', { status: 200, body: '{"resourceType":"Bundle","type":"transaction-response","entry":[]}' }],
    ['201 and nothing', { status: 201, body: '' }],
  ])('%s is fhir-not-fhir, because nothing proves that anything was stored (fault 53)', async (_, answer) => {
    const { fhir } = await startDestination(onTransaction(answer));
    expect((await failureOf(fhir)).code).toBe('fhir-not-fhir');
  });

  test('an entry too many is fhir-not-fhir, because it is the answer to another transaction', async () => {
    const entry = Array.from({ length: 8 }, () => ({ response: { status: '201 Created' } }));
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response', entry });
    const { fhir } = await startDestination(onTransaction({ status: 200, body }));
    expect((await failureOf(fhir)).code).toBe('fhir-not-fhir');
  });

  test('an entry that failed inside a success is fhir-not-fhir, because a transaction is all or nothing', async () => {
    const entry = Array.from({ length: 7 }, (_, index) => ({ response: { status: index === 4 ? '400' : '201' } }));
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response', entry });
    const { fhir } = await startDestination(onTransaction({ status: 200, body }));
    expect((await failureOf(fhir)).code).toBe('fhir-not-fhir');
  });
});

describe('what is read back', () => {
  test('a report that cannot be read is fhir-unconfirmed, because a 200 is not proof', async () => {
    const entry = Array.from({ length: 7 }, () => ({ response: { status: '201 Created' } }));
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response', entry });
    const { fhir } = await startDestination(onTransaction({ status: 200, body }));
    const failure = await failureOf(fhir);
    expect([failure.code, failure.class]).toEqual(['fhir-unconfirmed', 'ambiguous']);
  });

  test.each(['conclusion', 'status', 'subject', 'identifier'])('a changed %s is fhir-unconfirmed', async (element) => {
    const { fhir, server } = await startDestination();
    const set = server.stored.set.bind(server.stored);
    server.stored.set = (key, value) =>
      set(key, key.startsWith('DiagnosticReport') ? { ...value, [element]: [] } : value);
    const failure = await failureOf(fhir);
    expect([failure.code, failure.detail.where]).toEqual(['fhir-unconfirmed', `DiagnosticReport.${element} read back`]);
  });

  test('the receipt names every stored version', async () => {
    const { fhir } = await startDestination();
    const [receipt] = await fhir.deliver([bundleArtifact()]);
    expect(receipt).toMatchObject({
      artifact: 'fhir-bundle',
      destination: 'fhir',
      storedAt: '1970-01-01T00:00:00.000Z',
    });
    expect(receipt?.note).toMatch(/DiagnosticReport\/cxr-[0-9a-f]{32}\/_history\/1; .*patient: by identifier/);
  });
});
