import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { startOrthanc, whyNoOrthanc } from '../../src/sandbox/orthanc.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { storedStudy } from './hospital.ts';
import { makeGatewayFolder, poll, startGateway } from './support.ts';

const why = whyNoOrthanc();
if (why && process.env['CI']) throw new Error(`Orthanc is needed in CI: ${why}`);
if (why) console.warn(`Skipped, the end-to-end test with authentication: ${why}.`);
const suite = why ? describe.skip : describe;

const user = { name: 'gateway', password: 'canary-password-91' };

suite('an Orthanc that asks for a password', () => {
  test('gets it from a file, stores the results, and the password stands in no log', async () => {
    const orthanc = await startOrthanc({ user });
    const fhir = await startFhirStore();
    const folder = makeGatewayFolder({});
    const passwordFile = join(folder.path, 'password');
    writeFileSync(passwordFile, `${user.password}\n`);
    const pacs = { url: orthanc.dicomwebUrl, username: user.name, passwordFile };
    const orthancChanges = { orthancUrl: orthanc.url, everySeconds: 1, startFrom: 'everything' };
    folder.configure({ pacs, fhir: { url: fhir.url }, sources: { orthancChanges, qidoPoll: { enabled: false } } });
    const gateway = await startGateway(folder);
    try {
      expect(await orthanc.send(makeSmallFilm(70))).toBe(200);
      await poll('the study is done', 60_000, async () => {
        const response = await gateway.api(`/api/v1/studies/${testStudyUid(70)}`);
        return response.ok && ((await response.json()) as { state: string }).state === 'done' ? true : null;
      });
      const { sr, heatmaps } = await storedStudy(orthanc, testStudyUid(70));
      expect([sr.length, heatmaps.length]).toEqual([1, 1]);
      expect(gateway.log()).not.toContain(user.password);
    } finally {
      await gateway.stop();
      await fhir.close();
      await orthanc.stop();
      folder.remove();
    }
  }, 120_000);

  test('refuses a wrong one: the study is retried with the reason, not lost', async () => {
    const orthanc = await startOrthanc({ user });
    const fhir = await startFhirStore();
    const folder = makeGatewayFolder({});
    const pacs = { url: orthanc.dicomwebUrl, username: user.name, password: 'wrong' };
    folder.configure({ pacs, fhir: { url: fhir.url }, sources: { qidoPoll: { enabled: false } } });
    const gateway = await startGateway(folder);
    try {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ studyInstanceUid: testStudyUid(71) });
      await gateway.api('/api/v1/studies', { method: 'POST', headers, body });
      const code = await poll('the study is retried', 60_000, async () => {
        const response = await gateway.api(`/api/v1/studies/${testStudyUid(71)}`);
        const row = (await response.json()) as { readonly state: string; readonly code: string };
        return row.state === 'retrying' ? row.code : null;
      });
      expect(code).toBe('pacs-unauthorized');
    } finally {
      await gateway.stop();
      await fhir.close();
      await orthanc.stop();
      folder.remove();
    }
  }, 120_000);
});
