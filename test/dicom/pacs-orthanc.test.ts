import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPacs, createPacsDestination } from '../../src/dicom/pacs.ts';
import { createStudySearch } from '../../src/dicom/qido.ts';
import type { Http, HttpRequest } from '../../src/net/http.ts';
import type { Credentials } from '../../src/net/options.ts';
import { type Orthanc, type OrthancOptions, startOrthanc, whyNoOrthanc } from '../../src/sandbox/orthanc.ts';
import { failureOf, makeHttp } from '../net/peer.ts';
import { filmUid, makeArtifact, makeFile, studyUid } from './objects.ts';
import { artifactsOf, readings } from './results.ts';

/** A real Orthanc, as it was seen to behave (1.10.1, DICOMweb 1.7). */

const why = whyNoOrthanc();
if (why && !process.env['CI']) console.warn(`Tests on a real Orthanc are skipped: ${why}`);
const maybe = why === null || process.env['CI'] ? describe : describe.skip;

const data = new URL('../../../shared/data/dicom/', import.meta.url);
const hasData = existsSync(data);
if (!hasData && !process.env['CI']) console.warn('Tests on real films are skipped: ../shared/data is not there');
const maybeOnData = hasData || process.env['CI'] ? test : test.skip;

interface World {
  readonly orthanc: Orthanc;
  readonly http: Http;
  readonly folder: string;
  end(): Promise<void>;
}

async function begin(options: OrthancOptions = {}, credentials: Credentials = { kind: 'none' }): Promise<World> {
  const orthanc = await startOrthanc(options);
  const folder = await mkdtemp(join(tmpdir(), 'spool-'));
  const http = makeHttp(orthanc.dicomwebUrl, { credentials, maxBytes: 100_000_000 });
  return {
    orthanc,
    http,
    folder,
    async end() {
      await http.close();
      await orthanc.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function archiveOf({ orthanc, folder }: World, http: Http) {
  const { dicomwebUrl } = orthanc;
  return createPacs({ http, qidoUrl: dicomwebUrl, wadoUrl: dicomwebUrl, spoolFolder: folder, timeoutMs: 5000 });
}

function destinationOf({ orthanc: { dicomwebUrl } }: World, http: Http, confirmWithinMs = 300) {
  const urls = { qidoUrl: dicomwebUrl, wadoUrl: dicomwebUrl, stowUrl: dicomwebUrl };
  return createPacsDestination({ http, ...urls, timeoutMs: 5000, confirmWithinMs });
}

/** The same client with the bytes of each POST changed on the way; `statuses` keeps what was answered. */
function changing(http: Http, change: (body: Buffer) => Buffer, statuses: number[] = []): Http {
  const send = async (request: HttpRequest) => {
    if (request.method !== 'POST') return http.request(request);
    const pieces: Uint8Array[] = [];
    for await (const piece of request.body as AsyncIterable<Uint8Array>) pieces.push(piece);
    const body = change(Buffer.concat(pieces));
    const headers = { ...request.headers, 'content-length': String(body.length) };
    const answer = await http.request({ ...request, body, headers });
    statuses.push(answer.status);
    return answer;
  };
  return { request: send, close: () => http.close() };
}

maybe('an Orthanc as the archive', () => {
  let world: World;
  beforeAll(async () => {
    world = await begin();
  });
  afterAll(() => world?.end());

  const film = makeFile();

  test('gives back the very bytes that it was sent, with their header and patient', async () => {
    expect(await world.orthanc.send(film)).toBe(200);
    const pacs = archiveOf(world, world.http);
    const [instance, ...more] = await pacs.list(studyUid);
    expect([instance?.key, instance?.failure, more]).toEqual([filmUid, null, []]);
    expect(await pacs.patients(studyUid)).toEqual([{ PatientID: 'PH-7', IssuerOfPatientID: null }]);
    const path = await pacs.fetch(instance!);
    expect((await readFile(path)).equals(Buffer.from(film))).toBe(true);
    await pacs.release(path);
  });

  maybeOnData.each(['chest/gdcm-CR-MONO1-10-chest.dcm', 'nema-wg04/RG1/RG1_J2KI.dcm', 'nema-wg04/RG2/RG2_JLSN.dcm'])(
    'gives a real film as it was stored, not recompressed: %s',
    async (name) => {
      const bytes = readFileSync(new URL(name, data));
      expect(await world.orthanc.send(bytes)).toBe(200);
      const rows = await createStudySearch({ http: world.http, qidoUrl: world.orthanc.dicomwebUrl })({
        modality: 'CR',
        studyDate: null,
        studyTime: null,
        limit: 100,
        offset: 0,
      });
      const pacs = archiveOf(world, world.http);
      const fetched: Buffer[] = [];
      for (const { studyInstanceUid } of rows) {
        for (const instance of await pacs.list(studyInstanceUid!)) {
          const path = await pacs.fetch(instance);
          fetched.push(await readFile(path));
          await pacs.release(path);
        }
      }
      expect(fetched.some((file) => file.equals(bytes))).toBe(true);
    },
  );

  test('says what a search by date, modality and page needs', async () => {
    const search = createStudySearch({ http: world.http, qidoUrl: world.orthanc.dicomwebUrl });
    const keys = {
      modality: 'CR',
      studyDate: '20260313-20260315',
      studyTime: '100000-105959.999999',
      limit: 10,
      offset: 0,
    };
    const row = { studyInstanceUid: studyUid, studyDate: '20260314', instances: 1, modalities: ['CR'] };
    expect(await search(keys)).toEqual([row]);
    expect(await search({ ...keys, modality: 'DX' })).toEqual([]);
    expect(await search({ ...keys, studyDate: '20260315' })).toEqual([]);
    expect(await search({ ...keys, studyTime: '110000-115959.999999' })).toEqual([]);
    expect(await search({ ...keys, offset: 1 })).toEqual([]);
  });

  test('does not have a study that was never sent (fault 4)', async () => {
    expect((await failureOf(archiveOf(world, world.http).list('2.25.77'))).code).toBe('source-gone');
  });

  test('hides a study that stands under two patients, and is found out (fault 8, T20)', async () => {
    const shared = { StudyInstanceUID: '2.25.600', SeriesInstanceUID: '2.25.601', SOPInstanceUID: '2.25.602' };
    await world.orthanc.send(makeFile(shared));
    await world.orthanc.send(makeFile({ ...shared, PatientID: 'PH-8' }));
    const pacs = archiveOf(world, world.http);
    expect(await pacs.patients('2.25.600')).toHaveLength(2);
    expect((await failureOf(pacs.list('2.25.600'))).code).toBe('identity-conflict');
  });
});

maybe('an Orthanc as the destination', () => {
  let world: World;
  beforeAll(async () => {
    world = await begin();
    await world.orthanc.send(makeFile());
  });
  afterAll(() => world?.end());

  const countOf = async (studyInstanceUid: string) =>
    (await archiveOf(world, world.http).list(studyInstanceUid)).length;

  test('holds picture and report once, however often they are sent (fault 42)', async () => {
    const both = [makeArtifact('sr'), makeArtifact('heatmap')];
    for (let time = 0; time < 2; time++) {
      const receipts = await destinationOf(world, world.http).deliver(both);
      expect(receipts.map(({ artifact, note }) => [artifact, note])).toEqual([
        ['heatmap-1', 'stored'],
        ['sr', 'stored'],
      ]);
    }
    expect(await countOf(studyUid)).toBe(3);
  });

  const own = (name: string) => ({ StudyInstanceUID: `2.25.${name}1`, SOPInstanceUID: `2.25.${name}2` });

  test('answers 200 to a body without its closing boundary and stores nothing: not done (fault 40)', async () => {
    const cutting = changing(world.http, (body) => body.subarray(0, body.lastIndexOf('\r\n--')));
    const failure = await failureOf(destinationOf(world, cutting).deliver([makeArtifact('sr', own('70'))]));
    expect(failure.code).toBe('pacs-unconfirmed');
  });

  test('answers 400 to a body with a part that is no DICOM, and stores the good one: done (fault 39)', async () => {
    const statuses: number[] = [];
    const add = (body: Buffer) => {
      const close = body.lastIndexOf('--cxr-gateway');
      const boundary = body.subarray(0, body.indexOf('\r\n'));
      const bad = Buffer.concat([boundary, Buffer.from('\r\nContent-Type: application/dicom\r\n\r\nnonsense\r\n')]);
      return Buffer.concat([body.subarray(0, close), bad, body.subarray(close)]);
    };
    const adding = changing(world.http, add, statuses);
    const [receipt] = await destinationOf(world, adding).deliver([makeArtifact('sr', own('71'))]);
    expect(statuses).toEqual([400]);
    expect(receipt?.artifact).toBe('sr');
    expect(await countOf('2.25.711')).toBe(1);
  });

  test('keeps an object under our UID that it holds for another study, and is found out (fault 44, T21)', async () => {
    const artifact = makeArtifact('heatmap', own('72'));
    const cutting = changing(world.http, (body) => body.subarray(0, body.lastIndexOf('\r\n--')));
    await world.orthanc.send(makeFile({ ...own('72'), StudyInstanceUID: '2.25.729' }));
    expect((await failureOf(destinationOf(world, cutting).deliver([artifact]))).code).toBe('pacs-altered');
  });

  test.each(Object.entries(readings))('shows a result of kind "%s" as it was sent (T21)', async (_name, reading) => {
    const artifacts = artifactsOf(reading, `secret of ${_name}`);
    expect(await destinationOf(world, world.http).deliver(artifacts)).toHaveLength(artifacts.length);
  });

  test('keeps what was stored first under our UID, and is found out when that states something else (T21)', async () => {
    const positive = readings['positive']!;
    const other = { ...positive, images: positive.images.map((image) => ({ ...image, score: 0.61 })) };
    await destinationOf(world, world.http).deliver(artifactsOf(other));
    const failure = await failureOf(destinationOf(world, world.http).deliver(artifactsOf(positive)));
    expect([failure.code, failure.detail.expected]).toEqual(['pacs-altered', 'DerivationDescription as sent']);
  });
});

maybe('an Orthanc with authentication', () => {
  const user = { name: 'gateway', password: 'correct horse: ü' };
  let world: World;
  beforeAll(async () => {
    world = await begin({ user }, { kind: 'basic', username: user.name, password: user.password });
    await world.orthanc.send(makeFile());
  });
  afterAll(() => world?.end());

  test('takes the right credentials, for reading and for storing', async () => {
    expect(await archiveOf(world, world.http).list(studyUid)).toHaveLength(1);
    expect(await destinationOf(world, world.http).deliver([makeArtifact('sr')])).toHaveLength(1);
  });

  test.each<[string, Credentials]>([
    ['wrong credentials', { kind: 'basic', username: user.name, password: 'canary' }],
    ['a token it does not know', { kind: 'bearer', token: 'canary' }],
    ['no credentials', { kind: 'none' }],
  ])('refuses %s, and the site is told so (fault 25)', async (_name, credentials) => {
    const http = makeHttp(world.orthanc.dicomwebUrl, { credentials });
    for (const work of [
      archiveOf(world, http).list(studyUid),
      destinationOf(world, http).deliver([makeArtifact('sr')]),
    ]) {
      const failure = await failureOf(work);
      expect(failure.code).toBe('pacs-unauthorized');
      expect(failure.message).not.toContain('canary');
    }
    await http.close();
  });
});
