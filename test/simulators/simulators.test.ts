import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { smallFilm, stow } from '../sandbox/objects.ts';
import { type SimulatedArchive, startSimulatedArchive } from './archive.ts';
import { type SimulatedFhir, startSimulatedFhir } from './fhir.ts';
import { idsRewritten, lostTransaction, withoutLocation } from './fhir-misbehaviours.ts';
import {
  busy,
  cutBody,
  drip,
  emptyAfterWork,
  loginPage,
  type Misbehaviour,
  resetAfter,
  resetBefore,
  stalled,
} from './misbehaviour.ts';
import { includefieldIgnored, offsetIgnored, shiftingPages, silentCap } from './pacs-habits.ts';
import {
  coercedPatient,
  conflict409,
  notStoredBut200,
  partialStow,
  storedBut400,
  storedLater,
  tooLarge,
  wrongObject,
} from './pacs-misbehaviours.ts';
import { scripted } from './script.ts';

/** The simulators do what their names say: a test that rests on one rests on this. */

const open: (SimulatedArchive | SimulatedFhir)[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function archiveWith(misbehaviour?: Misbehaviour, films = 1): Promise<SimulatedArchive> {
  const archive = await startSimulatedArchive();
  open.push(archive);
  for (let index = 1; index <= films; index++)
    archive.addInstance(smallFilm({ study: `1.2.${index}`, image: `1.2.${index}.1.1` }));
  if (misbehaviour) archive.setScript(scripted({ misbehaviour, times: Number.POSITIVE_INFINITY }));
  return archive;
}

async function fhirWith(misbehaviour: Misbehaviour): Promise<SimulatedFhir> {
  const fhir = await startSimulatedFhir({ script: scripted({ misbehaviour, times: Number.POSITIVE_INFINITY }) });
  open.push(fhir);
  return fhir;
}

const film = (image: string) => smallFilm({ study: '1.9', image: `1.9.1.${image}` });
const studiesIn = async (archive: SimulatedArchive, query = '') =>
  ((await (await fetch(`${archive.url}/studies${query}`)).json()) as Record<string, { Value: string[] }>[]).map(
    (row) => row['0020000D']!.Value[0],
  );

describe('a simulated archive', () => {
  test('answers in the place of the handler, and the next request is served', async () => {
    const archive = await archiveWith();
    archive.setScript(scripted({ misbehaviour: busy(503, 7) }, { misbehaviour: loginPage, after: 1 }));
    const first = await fetch(`${archive.url}/studies`);
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '7']);
    expect((await fetch(`${archive.url}/studies`)).headers.get('content-type')).toBe(
      'application/dicom+json; charset=utf-8',
    );
    expect(await (await fetch(`${archive.url}/studies`)).text()).toContain('<title>Sign in');
    expect(archive.requests.map(({ shape, status, misbehaviour }) => [shape, status, misbehaviour])).toEqual([
      ['GET /dicom-web/studies', 503, '503 with Retry-After 7'],
      ['GET /dicom-web/studies', 200, null],
      ['GET /dicom-web/studies', 200, 'an HTML login page with 200'],
    ]);
  });

  test.each([
    [resetBefore, 0],
    [resetAfter, 1],
    [cutBody(true), 1],
    [cutBody(false), 1],
  ])('cuts the connection, with the work done or not: %#', async (misbehaviour, stored) => {
    const archive = await archiveWith(misbehaviour, 0);
    await expect(stow(`${archive.url}/studies`, [film('1')]).then((answer) => answer.text())).rejects.toThrow();
    expect(archive.studies()).toHaveLength(stored);
    expect(archive.requests[0]?.status).toBe('cut');
  });

  test('drips and stalls until the peer has enough, and does the work all the same', async () => {
    for (const misbehaviour of [drip(20), stalled(null)]) {
      const archive = await archiveWith(misbehaviour);
      const answer = fetch(`${archive.url}/studies`, { signal: AbortSignal.timeout(150) });
      await expect(answer.then((each) => each.text())).rejects.toThrow();
    }
  });

  test.each<[Misbehaviour, number, number]>([
    [partialStow, 202, 1],
    [storedBut400, 400, 2],
    [notStoredBut200, 200, 0],
    [conflict409, 409, 0],
    [tooLarge(10), 413, 0],
    [tooLarge(1e6), 200, 2],
    [emptyAfterWork, 200, 2],
  ])('tells of a store one thing and does another: %#', async (misbehaviour, status, stored) => {
    const archive = await archiveWith(misbehaviour, 0);
    const answer = await stow(`${archive.url}/studies`, [film('1'), film('2')]);
    const text = await answer.text();
    expect([answer.status, archive.store.all().length]).toEqual([status, stored]);
    if (misbehaviour === partialStow)
      expect(JSON.parse(text)['00081198'].Value[0]['00081155'].Value).toEqual(['1.9.1.2']);
  });

  test('stores later, or under another patient, or gives another object', async () => {
    const archive = await archiveWith(undefined, 0);
    archive.setScript(
      scripted({ misbehaviour: storedLater(archive.store, 30) }, { misbehaviour: coercedPatient('X') }),
    );
    expect((await stow(`${archive.url}/studies`, [film('1')])).status).toBe(202);
    expect(archive.studies()).toEqual([]);
    while (archive.studies().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    archive.setScript(scripted({ misbehaviour: coercedPatient('X') }, { misbehaviour: wrongObject }));
    expect((await stow(`${archive.url}/studies`, [film('2')])).status).toBe(200);
    const [row] = (await (
      await fetch(`${archive.url}/studies/1.9/series/1.9.1/instances/1.9.1.2/metadata`)
    ).json()) as Record<string, { Value: string[] }>[];
    expect(row!['00100020']!.Value).toEqual(['X']);
    const headers = { accept: 'multipart/related; type="application/dicom"' };
    const body = await (await fetch(`${archive.url}/studies/1.9/series/1.9.1/instances/1.9.1.1`, { headers })).text();
    expect(body).toContain('2.25.404');
    expect(body).not.toContain('1.9.1.1');
  });

  test('has the habits of archives that page badly', async () => {
    const capped = await archiveWith(silentCap(2), 5);
    const page = await fetch(`${capped.url}/studies?limit=4`);
    expect([page.headers.get('warning'), await studiesIn(capped, '?limit=4')]).toEqual([null, ['1.2.1', '1.2.2']]);
    expect(await studiesIn(await archiveWith(offsetIgnored, 3), '?limit=2&offset=2')).toEqual(['1.2.1', '1.2.2']);
    const shifting = await archiveWith(undefined, 4);
    const next = () => smallFilm({ study: '1.2.77', image: '1.2.77.1.1' });
    shifting.setScript(
      scripted({ misbehaviour: shiftingPages(shifting.store, next), times: Number.POSITIVE_INFINITY }),
    );
    expect(await studiesIn(shifting, '?limit=2')).toEqual(['1.2.4', '1.2.3']);
    expect(await studiesIn(shifting, '?limit=2&offset=2')).toEqual(['1.2.3', '1.2.2']);
    const bare = await archiveWith(includefieldIgnored);
    const [row] = (await (await fetch(`${bare.url}/studies?includefield=00280010`)).json()) as object[];
    expect(Object.keys(row!)).not.toContain('00280010');
  });

  test('changes its world under a reader: merge, move, other pixels, deletion; and gives the changes like an Orthanc', async () => {
    const archive = await archiveWith(undefined, 2);
    archive.mergePatient('1.2.1', 'MERGED-22');
    archive.moveStudy('1.2.2', '1.2.333');
    archive.replacePixels('1.2.1.1.1', smallFilm({ study: '1.2.1', image: '1.2.1.1.1', pixel: 200 }));
    expect(archive.store.ofStudy('1.2.333').map(({ SOPInstanceUID }) => SOPInstanceUID)).toEqual(['1.2.2.1.1']);
    const changes = async () => (await (await fetch(`${archive.restUrl}/changes?since=0`)).json()) as { Last: number };
    expect((await changes()).Last).toBe(5);
    archive.resetChanges();
    archive.remove('1.2.1');
    expect([(await changes()).Last, await studiesIn(archive)]).toEqual([0, ['1.2.333']]);
  });

  test('lets an observer stop the world before and after the work, and counts what is in flight', async () => {
    const archive = await archiveWith(undefined, 0);
    const seen: [string, number][] = [];
    archive.setObserver({
      before: () => void seen.push(['before', archive.store.all().length]),
      after: () => void seen.push(['after', archive.store.all().length]),
    });
    await stow(`${archive.url}/studies`, [film('1')]);
    expect(seen).toEqual([
      ['before', 0],
      ['after', 1],
    ]);
    archive.setObserver({});
    archive.setScript(scripted({ misbehaviour: stalled(100), times: 3 }));
    await Promise.all([1, 2, 3].map(() => fetch(`${archive.url}/studies`)));
    expect(archive.highestInFlight()).toBe(3);
  });

  test('dumps every object as it lies, for an auditor that shares no code', async () => {
    const archive = await archiveWith(undefined, 2);
    const folder = mkdtempSync(join(tmpdir(), 'dump-'));
    expect(archive.dump(folder)).toBe(2);
    expect(readdirSync(folder)).toEqual(['00000.dcm', '00001.dcm']);
    expect(readFileSync(join(folder, '00000.dcm')).equals(archive.store.get('1.2.1.1.1')!.bytes)).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

const device = { resourceType: 'Device', id: 'dev-a', identifier: [{ system: 'urn:d', value: '1' }] };
const bundle = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [{ fullUrl: 'http://x/Device/dev-a', resource: device, request: { method: 'PUT', url: 'Device/dev-a' } }],
};
const post = (fhir: SimulatedFhir) =>
  fetch(fhir.url, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(bundle),
  }).then(async (answer) => ({ status: answer.status, body: await answer.json() }));

describe('a simulated FHIR server', () => {
  test.each<[Misbehaviour, readonly string[]]>([
    [lostTransaction, []],
    [withoutLocation, ['dev-a']],
    [idsRewritten, ['1']],
  ])('answers 200 to a transaction, whatever it did with it: %#', async (misbehaviour, ids) => {
    const fhir = await fhirWith(misbehaviour);
    const { status, body } = await post(fhir);
    expect(status).toBe(200);
    expect(body).toMatchObject({ type: 'transaction-response', entry: [{ response: { etag: '1' } }] });
    expect(JSON.stringify(body).includes('location')).toBe(misbehaviour !== withoutLocation);
    expect(fhir.resources('Device').map(({ id }) => id)).toEqual(ids);
  });

  test('dumps all versions, and takes what others write without a script', async () => {
    const fhir = await fhirWith(resetBefore);
    await fhir.put(device);
    await fhir.put({ ...device, status: 'active' });
    const folder = mkdtempSync(join(tmpdir(), 'dump-'));
    fhir.dump(folder);
    const [[first, second]] = JSON.parse(readFileSync(join(folder, 'fhir.json'), 'utf8'));
    expect([first.meta.versionId, second.status, fhir.requests]).toEqual(['1', 'active', []]);
    rmSync(folder, { recursive: true });
  });
});
