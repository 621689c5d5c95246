import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import { capabilityStatement } from '../../scripts/generate/capability.ts';
import { generated } from '../../scripts/generate.ts';
import { identify } from '../../src/core/ids.ts';
import type { Artifact } from '../../src/core/ports.ts';
import { createPacs, createPacsDestination } from '../../src/dicom/pacs.ts';
import { createStudySearch } from '../../src/dicom/qido.ts';
import { proceduresSchema } from '../../src/fhir/procedures.ts';
import { createFhirDestination } from '../../src/fhir/server.ts';
import { createHttp } from '../../src/net/client.ts';
import { createOutputs, parseCodes } from '../../src/outputs/index.ts';
import { startArchive } from '../../src/sandbox/archive.ts';
import { startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { makeImageHeader, makeImageReading, makePicture, makeReading, makeStudyHeader } from '../support/readings.ts';

const root = join(import.meta.dirname, '../..');
const mapping = (name: string): unknown => JSON.parse(readFileSync(join(root, 'mappings', `${name}.json`), 'utf8'));

test.each(Object.entries(generated()))(
  '%s is what the code says, because a statement that lags behind is a lie',
  (path, text) => {
    expect(readFileSync(join(root, path), 'utf8')).toBe(text);
  },
);

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Notes every request and lets it pass. */
function recorder(): { readonly asked: Asked[]; readonly before: RequestHandler } {
  const asked: Asked[] = [];
  const before: RequestHandler = (request, _response, next) => {
    const { pathname, searchParams } = new URL(request.url, 'http://server');
    asked.push({ method: request.method, path: pathname, query: searchParams });
    next();
  };
  return { asked, before };
}

function artifacts(number: number): readonly Artifact[] {
  const uid = testStudyUid(number);
  const image = makeImageHeader({ StudyInstanceUID: uid, SeriesInstanceUID: `${uid}.1`, SOPInstanceUID: `${uid}.1.1` });
  const study = makeStudyHeader({ StudyInstanceUID: uid, PatientID: `TEST-${number}`, IssuerOfPatientID: 'TESTS' });
  const reading = makeReading({ study, images: [makeImageReading({ image })], highestImage: image.SOPInstanceUID });
  const report = {
    issuers: { TESTS: 'http://hospital.example/mrn' },
    accessionSystem: 'http://hospital.example/acsn',
    aiSecurityLabel: false,
    wadoRoot: 'http://archive.example/dicom-web',
  };
  const procedures = proceduresSchema.parse(mapping('procedures'));
  return createOutputs({ fhirReport: { procedures, report } }).flatMap((output) =>
    output.compose({
      reading,
      identity: identify(reading, 'secret of the conformance test'),
      pictures: { [image.SOPInstanceUID]: makePicture() },
      codes: parseCodes(mapping('codes')),
      gateway: { manufacturer: 'cxr-gateway project', modelName: 'cxr-gateway', softwareVersion: '0' },
    }),
  );
}

const singular: Readonly<Record<string, string>> = { studies: 'study', series: 'series', instances: 'instance' };
/** `studies/1.2` → `studies/{study}`. */
const named = (_all: string, level: string): string => `${level}/{${singular[level]}}`;

const peer = { credentials: { kind: 'none' }, ca: null, timeoutMs: 10_000, maxBytes: 2 ** 26, maxInFlight: 2 } as const;

/** What two deliveries of the same report ask of a server. */
async function askedFor(
  bundles: readonly Artifact[],
  clientIds: boolean,
  transactions: 'auto' | 'never',
): Promise<readonly Asked[]> {
  const { asked, before } = recorder();
  const store = await startFhirStore({ before, clientIds });
  const http = createHttp({ ...peer, peer: 'fhir', roots: [store.url] });
  const options = { ids: 'auto', onAmbiguousPatient: 'identifier', transactions } as const;
  const destination = createFhirDestination({ http, root: store.url, options, now: Date.now });
  await destination.deliver(bundles);
  await destination.deliver(bundles);
  await http.close();
  await store.close();
  return asked;
}

describe('the FHIR CapabilityStatement', () => {
  interface Declared {
    readonly type: string;
    readonly interaction: readonly { readonly code: string }[];
    readonly searchParam?: readonly { readonly name: string }[];
  }
  const { rest } = capabilityStatement() as { readonly rest: readonly [{ readonly resource: readonly Declared[] }] };
  const declared = rest[0].resource;
  const having = (code: string) =>
    declared.filter(({ interaction }) => interaction.some((each) => each.code === code)).map(({ type }) => type);

  test('declares what a delivery asks of a server, and nothing that it never asks', async () => {
    const bundles = artifacts(95).filter(({ kind }) => kind === 'fhir-bundle');
    const asked: Asked[] = [];
    for (const clientIds of [true, false]) {
      for (const transactions of ['auto', 'never'] as const) {
        asked.push(...(await askedFor(bundles, clientIds, transactions)));
      }
    }
    const bundle = JSON.parse(Buffer.from(bundles[0]!.bytes).toString()) as {
      readonly entry: readonly { resource: { resourceType: string } }[];
    };
    expect(new Set(having('update'))).toEqual(new Set(bundle.entry.map(({ resource }) => resource.resourceType)));
    const typesOf = (asked: readonly Asked[]) => new Set(asked.map(({ path }) => path.split('/')[2]));
    const searches = asked.filter(({ method, path }) => method === 'GET' && /^\/fhir\/[A-Z]\w+$/.test(path));
    expect(typesOf(searches)).toEqual(new Set(having('search-type')));
    const reads = asked.filter(({ method, path }) => method === 'GET' && /^\/fhir\/[A-Z]\w+\/[\w-]+$/.test(path));
    expect(typesOf(reads)).toEqual(new Set(having('read')));
    const creates = asked.filter(({ method, path }) => method === 'POST' && /^\/fhir\/[A-Z]\w+$/.test(path));
    expect(typesOf(creates)).toEqual(new Set(having('create')));
    for (const { path, query } of searches) {
      const { searchParam = [] } = declared.find(({ type }) => path.endsWith(`/${type}`))!;
      const names = [...query.keys()].filter((key) => !key.startsWith('_'));
      expect(searchParam.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    }
  });
});

describe('the DICOM statement', () => {
  const text = readFileSync(join(root, 'conformance/dicom.md'), 'utf8');
  const section = (name: string): string => new RegExp(`generated: ${name} -->([\\s\\S]*?)<!-- end`).exec(text)![1]!;
  let spool = '';
  beforeAll(() => {
    spool = mkdtempSync(join(tmpdir(), 'cxr-gateway-conformance-'));
  });
  afterAll(() => rmSync(spool, { recursive: true, force: true }));

  test('names every resource and every key that is asked of an archive', async () => {
    const { asked, before } = recorder();
    const archive = await startArchive({ before });
    const http = createHttp({ ...peer, peer: 'pacs', roots: [archive.url] });
    const roots = { qidoUrl: archive.url, wadoUrl: archive.url, stowUrl: archive.url };
    const pacs = createPacs({ http, ...roots, spoolFolder: spool, timeoutMs: 10_000 });
    const destination = createPacsDestination({ http, ...roots, timeoutMs: 10_000 });
    await storeFilm(archive.url, makeSmallFilm(95));
    await createStudySearch({ http, qidoUrl: archive.url })({
      modality: 'CR',
      studyDate: '20260101-',
      studyTime: null,
      limit: 10,
      offset: 0,
    });
    const [film] = await pacs.list(testStudyUid(95));
    await pacs.release(await pacs.fetch(film!));
    await pacs.patients(testStudyUid(95));
    await destination.deliver(artifacts(95).filter(({ kind }) => kind !== 'fhir-bundle'));
    await http.close();
    await archive.close();
    expect(asked.length).toBeGreaterThan(6);
    for (const { method, path, query } of asked.slice(1)) {
      const resource = path.replace('/dicom-web', '').replace(/(studies|series|instances)\/[\d.]+/g, named);
      const table = method === 'POST' ? section('stow') : query.size > 0 ? section('qido') : section('wado');
      expect(table).toContain(`\`${resource}\``);
      for (const key of query.keys()) expect(section('qido')).toContain(key);
    }
  });
});
