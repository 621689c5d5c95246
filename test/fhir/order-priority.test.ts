import { afterEach, describe, expect, test } from '@jest/globals';
import { createOrderPriority } from '../../src/fhir/order-priority.ts';
import { makeStudyHeader } from '../support/readings.ts';
import { type Refuse, startMemoryServer } from './memory-server.ts';
import { accessions, mrn, openHttp, reportOptions } from './support.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const patient = { resourceType: 'Patient', id: '7', identifier: [{ system: mrn, value: 'PH-001' }] };
const order = (more: object = {}) => ({
  resourceType: 'ServiceRequest',
  id: '30',
  status: 'active',
  subject: { reference: 'Patient/7' },
  identifier: [{ system: accessions, value: 'ACC-001' }],
  priority: 'stat',
  ...more,
});

async function start(orders: readonly object[], refuse?: Refuse) {
  const server = await startMemoryServer(refuse);
  const http = openHttp(server.root);
  ends.push(
    () => http.close(),
    () => server.close(),
  );
  server.found['Patient'] = [patient];
  server.found['ServiceRequest'] = orders;
  const clock = { ms: 0 };
  const ask = createOrderPriority({ http, root: server.root, options: reportOptions, now: () => clock.ms });
  return { ask, server, clock };
}

describe("fault 17: the priority of the EHR's order", () => {
  test.each<[string, object, 'stat' | 'routine']>([
    ['stat', order(), 'stat'],
    ['asap', order({ priority: 'asap' }), 'stat'],
    ['urgent', order({ priority: 'urgent' }), 'stat'],
    ['routine', order({ priority: 'routine' }), 'routine'],
    ['of no priority', order({ priority: undefined }), 'routine'],
    ['of a priority that is no text', order({ priority: { stat: true } }), 'routine'],
    [
      'that names the patient by identifier',
      order({ subject: { identifier: { system: mrn, value: 'PH-001' } } }),
      'stat',
    ],
    ['of another patient', order({ subject: { reference: 'Patient/8' } }), 'routine'],
    ['of nobody', order({ subject: undefined }), 'routine'],
    ['struck out', order({ status: 'entered-in-error' }), 'routine'],
    ['with the number under another system', order({ identifier: [{ system: 'x:y', value: 'ACC-001' }] }), 'routine'],
  ])('an order %s counts only if accession and patient agree', async (_, found, expected) => {
    const { ask } = await start([found]);
    expect(await ask(makeStudyHeader())).toBe(expected);
  });

  test('two orders of one number are routine, because it is never the first of many', async () => {
    const { ask } = await start([order(), order({ id: '31' })]);
    expect(await ask(makeStudyHeader())).toBe('routine');
  });

  test.each([
    ['accession number', { AccessionNumber: null }],
    ['patient id', { PatientID: null }],
    ['known issuer', { IssuerOfPatientID: 'SOMEWHERE' }],
  ])('a study without %s is not asked for, because nothing could agree', async (_, header) => {
    const { ask, server } = await start([order()]);
    expect(await ask(makeStudyHeader(header))).toBe('routine');
    expect(server.requests).toEqual([]);
  });

  test.each<[string, Refuse]>([
    ['an error', () => ({ status: 500 })],
    ['a refusal', () => ({ status: 403 })],
    ['no FHIR', () => ({ status: 200, body: '{"resourceType":"Basic"}' })],
  ])('a server that answers %s leaves the study routine and is left alone for a minute', async (_, refuse) => {
    let isDown = true;
    const { ask, server, clock } = await start([order()], (...request) => (isDown ? refuse(...request) : null));
    expect(await ask(makeStudyHeader())).toBe('routine');
    isDown = false;
    const asked = server.requests.length;
    clock.ms = 59_999;
    expect(await ask(makeStudyHeader())).toBe('routine');
    expect(server.requests).toHaveLength(asked);
    clock.ms = 60_000;
    expect(await ask(makeStudyHeader())).toBe('stat');
  });

  test('a server that is not there leaves the study routine, because a hint is never a condition', async () => {
    const { ask, server } = await start([order()]);
    await server.close();
    ends.pop();
    expect(await ask(makeStudyHeader())).toBe('routine');
  });

  test('a server that does not answer is waited for no longer than the patience', async () => {
    const http = { ...openHttp('http://127.0.0.1:9/fhir'), request: () => new Promise<never>(() => {}) };
    ends.push(() => http.close());
    const given = { http, root: 'http://127.0.0.1:9/fhir', options: reportOptions, now: () => 0 };
    expect(await createOrderPriority({ ...given, patienceMs: 20 })(makeStudyHeader())).toBe('routine');
  });
});
