import { describe, expect, test } from '@jest/globals';
import { jsonAnswer } from '../simulators/exchange.ts';
import { busy, type Misbehaviour, passing, unauthorized } from '../simulators/misbehaviour.ts';
import type { isTransaction } from '../simulators/requests.ts';
import { makeReading } from '../support/readings.ts';
import { failureOf } from './memory-server.ts';
import { openSimulated, versionsIn, withoutTransactions } from './simulated.ts';
import { bundleArtifact } from './support.ts';

const order = ['Device', 'Endpoint', 'ImagingStudy', 'Observation', 'DiagnosticReport', 'Provenance'];
const typesOf = (writes: readonly string[]) => writes.map((write) => write.split(' ')[1]!);

describe('a server that refuses transactions', () => {
  test.each([true, false])(
    'gets a report after what it rests on, once, client ids %s (fault 54)',
    async (clientIds) => {
      const { fhir, store, notices, writes } = await openSimulated({ script: withoutTransactions, clientIds });
      await fhir.deliver([bundleArtifact()]);
      const types = typesOf(writes());
      expect(types).toEqual([...types].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
      expect(new Set(types)).toEqual(new Set(order));
      expect(notices.map(({ kind }) => kind)).toEqual(['sequence']);
      const versions = versionsIn(store);
      await fhir.deliver([bundleArtifact()]);
      expect(writes()).toEqual([]);
      expect(versionsIn(store)).toEqual(versions);
      await fhir.deliver([bundleArtifact(makeReading({ revision: 2 }))]);
      const asked = store.requests.filter(({ misbehaviour }) => misbehaviour !== null);
      expect(asked).toHaveLength(1);
      expect(store.resources('DiagnosticReport').map(({ meta }) => meta.versionId)).toEqual(['2']);
    },
  );

  test.each<[string, string, Misbehaviour]>([
    ['fhir-busy', '503', busy(503, 1)],
    ['fhir-busy', '429', busy(429, 1)],
    ['fhir-unauthorized', '401', unauthorized()],
  ])(
    '%s after %s at the report is gone on with, because what stands is not written again (faults 54 and 55)',
    async (code, _, misbehaviour) => {
      let isRefusing = true;
      const { fhir, restarted, store, writes } = await openSimulated({
        script: (request) =>
          isRefusing && request.method === 'PUT' && request.path.includes('/DiagnosticReport')
            ? misbehaviour
            : withoutTransactions(request),
      });
      expect((await failureOf(fhir)).code).toBe(code);
      expect(typesOf(writes())).not.toContain('Provenance');
      isRefusing = false;
      await restarted().deliver([bundleArtifact()]);
      expect(writes()).toEqual(['PUT DiagnosticReport', 'PUT Provenance']);
      expect(versionsIn(store).every((line) => line.endsWith(' 1'))).toBe(true);
    },
  );

  test('is asked for a transaction all the same when the site says always', async () => {
    const { fhir, store } = await openSimulated({ script: withoutTransactions }, { transactions: 'always' });
    expect((await failureOf(fhir)).code).toBe('fhir-refused');
    expect(store.history()).toEqual([]);
  });
});

describe('the answer to a single write (fault 53)', () => {
  const answering = (change: (answer: { headers: Readonly<Record<string, string>>; body: Buffer }) => object) =>
    passing('another answer', async ({ serve, send }) => {
      const answer = await serve();
      send({ ...answer, ...change(answer) });
    });
  const isPut = (request: { readonly method: string }) => request.method === 'PUT';
  const nowhere = ({ headers: { location: _, ...headers } }: { headers: Readonly<Record<string, string>> }) => headers;

  test.each<[string, Misbehaviour]>([
    ['nothing', answering((answer) => ({ headers: nowhere(answer), body: Buffer.alloc(0) }))],
    ['HTML', passing('HTML', ({ send }) => send({ ...jsonAnswer(200, 'text/html', ''), body: Buffer.from('<html>') }))],
    ['{}', passing('{}', ({ send }) => send(jsonAnswer(201, 'application/fhir+json', {})))],
  ])('%s without a location is no success, because nothing says that it is stored', async (_, misbehaviour) => {
    const script = (request: Parameters<typeof isTransaction>[0]) =>
      isPut(request) ? misbehaviour : withoutTransactions(request);
    const { fhir } = await openSimulated({ script });
    expect((await failureOf(fhir)).code).toBe('fhir-not-fhir');
  });

  test('nothing but the location is success, because Prefer: return=minimal asks for that', async () => {
    const empty = answering(() => ({ body: Buffer.alloc(0) }));
    const script = (request: Parameters<typeof isTransaction>[0]) =>
      isPut(request) ? empty : withoutTransactions(request);
    const { fhir } = await openSimulated({ script });
    const [receipt] = await fhir.deliver([bundleArtifact()]);
    expect(receipt?.note).toMatch(/DiagnosticReport\/cxr-\w+\/_history\/1;/);
  });
});
