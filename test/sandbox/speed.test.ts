import { describe, expect, test } from '@jest/globals';
import { startArchive } from '../../src/sandbox/archive.ts';
import { memoryStore, type ObjectStore, readObject } from '../../src/sandbox/archive-store.ts';
import { startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { smallFilm } from './objects.ts';

/** A hospital of 10,000 studies: what was a walk through everything for each request would be hours for a run. */

const studies = 10_000;
/** A tenth of what a walk took is far from it; 3 ms were measured. */
const mostMeanMs = 30;

async function meanMs(times: number, work: (index: number) => Promise<unknown>): Promise<number> {
  await work(0);
  const start = performance.now();
  for (let index = 1; index <= times; index++) await work(index * 37);
  const mean = (performance.now() - start) / times;
  return mean;
}

function bigStore(): ObjectStore {
  const store = memoryStore();
  const film = readObject(smallFilm({ image: '1.1.1.1' }))!;
  for (let index = 0; index < studies; index++) {
    const uid = `1.2.${index}`;
    const value = (Value: string) => ({ vr: 'UI', Value: [Value] });
    const header = {
      ...film.header,
      '0020000D': value(uid),
      '0020000E': value(`${uid}.1`),
      '00080018': value(`${uid}.1.1`),
    };
    store.add({ ...film, header, StudyInstanceUID: uid, SeriesInstanceUID: `${uid}.1`, SOPInstanceUID: `${uid}.1.1` });
  }
  return store;
}

describe(`with ${studies} studies`, () => {
  test('the archive finds one of them, its metadata and a page of all at once', async () => {
    const archive = await startArchive({ store: bigStore() });
    const get = async (path: string) => (await fetch(`${archive.url}${path}`)).json() as Promise<unknown[]>;
    expect(await get('/studies?StudyInstanceUID=1.2.777')).toHaveLength(1);
    expect(await get('/studies?limit=100&offset=9990')).toHaveLength(10);
    expect(await meanMs(100, (index) => get(`/studies?StudyInstanceUID=1.2.${index}`))).toBeLessThan(mostMeanMs);
    expect(await meanMs(100, (index) => get(`/studies/1.2.${index}/metadata`))).toBeLessThan(mostMeanMs);
    expect(await meanMs(100, (index) => get(`/instances?SOPInstanceUID=1.2.${index}.1.1`))).toBeLessThan(mostMeanMs);
    const page = (index: number) =>
      get(`/studies?StudyDate=20260101-20260103&ModalitiesInStudy=DX&limit=100&offset=${index}`);
    expect(await meanMs(10, page)).toBeLessThan(10 * mostMeanMs);
    await archive.close();
  }, 120_000);

  test('the FHIR store writes and finds a report, because it copies and walks no table', async () => {
    const report = (index: number) =>
      ['DiagnosticReport', 'Observation', 'ImagingStudy', 'Device', 'Provenance'].map((resourceType) => ({
        resourceType,
        id: `r-${index}`,
        identifier: [{ system: 'urn:r', value: `${resourceType}-${index}` }],
      }));
    const store = await startFhirStore({ seed: Array.from({ length: studies }, (_, index) => report(index)).flat() });
    const send = async (index: number) => {
      const entry = report(studies + index).map((resource) => ({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      }));
      const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
      const answer = await fetch(store.url, {
        method: 'POST',
        headers: { 'content-type': 'application/fhir+json' },
        body,
      });
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    };
    const find = async (index: number) => {
      const answer = await fetch(`${store.url}/DiagnosticReport?identifier=urn:r%7CDiagnosticReport-${index}`);
      expect(((await answer.json()) as { total: number }).total).toBe(1);
    };
    expect(await meanMs(100, send)).toBeLessThan(mostMeanMs);
    expect(await meanMs(100, find)).toBeLessThan(mostMeanMs);
    await store.close();
  }, 120_000);
});
