import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Destination } from '../../src/core/ports.ts';
import type { FhirOptions } from '../../src/fhir/options.ts';
import { createFhirDestination, type FhirNotice } from '../../src/fhir/server.ts';
import type { Http } from '../../src/net/http.ts';
import { type HapiServer, startHapi, whyNoHapi } from '../services/hapi.ts';
import { makeReading, model } from '../support/readings.ts';
import { errorsOf, type Found, results, search, versions } from './hapi-support.ts';
import { bundleArtifact, openHttp } from './support.ts';

/** Races, labels that stay, single writes and retractions on a real HAPI FHIR server that validates every write. */

const why = whyNoHapi();
if (why && process.env['CI']) throw new Error(`HAPI is needed in CI: ${why}`);
if (why) console.warn(`Skipped, the suite on a real HAPI FHIR server: ${why}.`);
const suite = why ? describe.skip : describe;

const result = 'urn:cxr-gateway:result';
const bears = ({ identifier }: Found) =>
  ((identifier ?? []) as readonly { readonly system?: string }[]).some(({ system }) => system === result);

suite('on a real server', () => {
  let hapi: HapiServer;
  let http: Http;
  const notices: FhirNotice[] = [];
  const destination = (options: Partial<FhirOptions> = {}, by: Http = http): Destination =>
    createFhirDestination({
      ...{ http: by, root: hapi.url, now: Date.now, onNotice: (notice) => notices.push(notice) },
      options: { ids: 'auto', onAmbiguousPatient: 'identifier', ...options },
    });
  beforeAll(async () => {
    hapi = await startHapi({ validate: true });
    http = openHttp(hapi.url);
  }, 250_000);
  beforeEach(() => hapi.clear(), 60_000);
  afterAll(async () => {
    await http?.close();
    await hapi?.stop();
  });

  test.each<[string, Partial<FhirOptions>]>([
    ['ids of ours', { ids: 'client' }],
    ['ids of the server', { ids: 'conditional' }],
    ['ids of the server and no transactions', { ids: 'conditional', transactions: 'never' }],
  ])(
    '32 gateways that deliver one report at once make one report, and no patient; %s (faults 49 and 51)',
    async (_, options) => {
      const clients = Array.from({ length: 32 }, () => openHttp(hapi.url));
      const attempts = await Promise.allSettled(
        clients.map((client) => destination(options, client).deliver([bundleArtifact()])),
      );
      // A job tries again; what it is told must be worth that.
      const failed = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
      expect(failed.filter(({ code }) => code !== 'fhir-conflict')).toEqual([]);
      const again = await Promise.allSettled(
        clients.map((client) => destination(options, client).deliver([bundleArtifact()])),
      );
      const notes = again.map((attempt) =>
        attempt.status === 'fulfilled' ? attempt.value[0]?.note : String(attempt.reason),
      );
      expect(new Set(notes.map((note) => note?.replace(/^.*: /, '')))).toEqual(new Set(['already there']));
      await Promise.all(clients.map((client) => client.close()));
      const ours = (await results(hapi.url)).filter(
        (resource) => resource.resourceType !== 'Provenance' && bears(resource),
      );
      expect(ours.map(({ resourceType }) => resourceType).sort()).toEqual([
        'Device',
        'Device',
        'DiagnosticReport',
        'Endpoint',
        'ImagingStudy',
        'Observation',
      ]);
      const standing = (await search(hapi.url, 'DiagnosticReport?_count=100')).filter(
        ({ status }) => status === 'preliminary',
      );
      expect(standing).toHaveLength(1);
      expect(await search(hapi.url, 'Patient')).toEqual([]);
    },
    300_000,
  );

  test('the label UNTRAINED goes when a trained model reads the study again, because HAPI keeps tags that an update leaves out', async () => {
    const tags = async () =>
      [...(await search(hapi.url, 'DiagnosticReport')), ...(await search(hapi.url, 'Observation'))].map(({ meta }) =>
        ((meta as { tag?: readonly { code: string }[] }).tag ?? []).map(({ code }) => code).sort(),
      );
    const untrained = makeReading({ model: { ...model, training: 'untrained' } });
    await destination().deliver([bundleArtifact(untrained)]);
    expect(await tags()).toEqual([
      ['ai-output-not-reviewed', 'untrained-model'],
      ['ai-output-not-reviewed', 'untrained-model'],
    ]);
    await destination().deliver([bundleArtifact(makeReading({ revision: 2 }))]);
    expect(await tags()).toEqual([['ai-output-not-reviewed'], ['ai-output-not-reviewed']]);
    expect((await search(hapi.url, 'DiagnosticReport'))[0]?.meta?.versionId).toBe('2');
  }, 60_000);

  test.each(['client', 'conditional'] as const)(
    'resources one by one are valid, once each, and the same again changes no version (fault 54; ids: %s)',
    async (ids) => {
      const fhir = destination({ ids, transactions: 'never' });
      await fhir.deliver([bundleArtifact()]);
      const stored = await results(hapi.url);
      expect(stored).toHaveLength(7);
      expect((await Promise.all(stored.map((resource) => errorsOf(hapi.url, resource)))).flat()).toEqual([]);
      const before = await versions(hapi.url);
      expect(new Set(Object.values(before))).toEqual(new Set(['1']));
      const [receipt] = await fhir.deliver([bundleArtifact(makeReading({ readAt: '2026-04-05T06:07:08.000Z' }))]);
      expect(receipt?.note).toContain('already there');
      expect(await versions(hapi.url)).toEqual(before);
    },
    120_000,
  );

  test.each<[string, Partial<FhirOptions>]>([
    ['a transaction', { ids: 'client' }],
    ['ids of the server', { ids: 'conditional' }],
    ['single writes', { transactions: 'never' }],
  ])(
    'a report that is taken back by %s is valid, in error, and once, and free for a later revision (fault 48)',
    async (_, options) => {
      const fhir = destination(options);
      await fhir.deliver([bundleArtifact()]);
      const retraction = { reason: 'wrong model', at: '2026-05-01T10:00:00+02:00' };
      await fhir.retract!([bundleArtifact()], retraction);
      const stored = await results(hapi.url);
      expect((await Promise.all(stored.map((resource) => errorsOf(hapi.url, resource)))).flat()).toEqual([]);
      const struck = stored.filter(({ resourceType }) => ['DiagnosticReport', 'Observation'].includes(resourceType));
      expect(struck.map(({ status }) => status)).toEqual(['entered-in-error', 'entered-in-error']);
      expect(stored.filter(({ resourceType }) => resourceType === 'Provenance')).toHaveLength(2);
      const before = await versions(hapi.url);
      const [receipt] = await fhir.retract!([bundleArtifact()], { ...retraction, at: '2026-06-01T00:00:00Z' });
      expect(receipt?.note).toBe('already retracted');
      expect(await versions(hapi.url)).toEqual(before);
      await fhir.deliver([bundleArtifact(makeReading({ revision: 2 }))]);
      const [again, ...others] = await search(hapi.url, 'DiagnosticReport');
      expect([again?.status, others]).toEqual(['preliminary', []]);
      expect(again && (await errorsOf(hapi.url, again))).toEqual([]);
    },
    120_000,
  );
});
