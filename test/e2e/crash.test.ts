import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { type GatewayFolder, makeGatewayFolder, poll, startGateway } from './support.ts';

/** A gateway that is killed in the middle of a study, at each state that it goes through (fault 66). */

const states = ['announced', 'selected', 'read', 'delivering'] as const;

describe('a gateway that is killed with SIGKILL', () => {
  let archive: RunningArchive;
  let fhir: RunningFhirStore;
  let folder: GatewayFolder;

  beforeAll(async () => {
    archive = await startArchive();
    fhir = await startFhirStore();
    const peers = { pacs: { url: archive.url }, fhir: { url: fhir.url } };
    folder = makeGatewayFolder({ ...peers, sources: { qidoPoll: { enabled: false } }, settle: { quietSeconds: 0 } });
  });

  afterAll(async () => {
    await Promise.all([archive.close(), fhir.close()]);
    folder.remove();
  });

  test.each(states)(
    'at "%s" goes on after its restart and reports the study once, because nothing may be lost or doubled',
    async (state) => {
      const number = 200 + states.indexOf(state);
      const uid = testStudyUid(number);
      const reportsBefore = fhir.resources('DiagnosticReport').length;
      await storeFilm(archive.url, makeSmallFilm(number));
      const doomed = await startGateway(folder);
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ studyInstanceUid: uid });
      const killed = doomed.killAt(`"state":"${state}"`);
      const announcement = doomed.api('/api/v1/studies', { method: 'POST', headers, body });
      // It may die before it has answered, but not before the announcement is on the disk.
      await Promise.all([killed, announcement.catch(() => {})]);
      expect(doomed.log()).not.toContain('"state":"done"');

      const restarted = await startGateway(folder);
      await poll('the study is done', 60_000, async () => {
        const response = await restarted.api(`/api/v1/studies/${uid}`);
        return ((await response.json()) as { readonly state: string }).state === 'done' ? true : null;
      });
      await restarted.stop();
      const stored = archive.studies().find(({ StudyInstanceUID }) => StudyInstanceUID === uid)!.instances;
      expect(stored).toHaveLength(3);
      const reports = fhir.resources('DiagnosticReport');
      expect(reports).toHaveLength(reportsBefore + 1);
      expect(reports.at(-1)!.meta.versionId).toBe('1');
    },
    120_000,
  );
});
