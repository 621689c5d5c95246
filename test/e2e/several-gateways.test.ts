import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { describePostgres } from '../jobs/postgres-bench.ts';
import { type PostgresServer, startPostgres } from '../services/postgres.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/** Several real gateways at one PACS: on one database, and each with a store of its own. */

const studies = 30;

describePostgres('fault 62: several gateways on one PACS', () => {
  let archive: RunningArchive;
  let fhir: RunningFhirStore;
  let server: PostgresServer;
  const folders: GatewayFolder[] = [];
  const running: RunningGateway[] = [];

  beforeAll(async () => {
    [archive, fhir, server] = await Promise.all([startArchive(), startFhirStore(), startPostgres()]);
  }, 120_000);

  afterEach(async () => {
    await Promise.all(running.splice(0).map((gateway) => gateway.stop('SIGKILL')));
    for (const folder of folders.splice(0)) folder.remove();
  });

  afterAll(async () => {
    await Promise.all([archive.close(), fhir.close(), server.stop()]);
  });

  async function start(settings: Readonly<Record<string, unknown>>): Promise<RunningGateway> {
    const folder = makeGatewayFolder({});
    folders.push(folder);
    const peers = { pacs: { url: archive.url }, fhir: { url: fhir.url } };
    const jobs = { stateFolder: `${folder.path}/state`, ...(settings.jobs as object) };
    folder.configure({ ...peers, settle: { quietSeconds: 0 }, ...settings, jobs });
    const gateway = await startGateway(folder);
    running.push(gateway);
    return gateway;
  }

  const numbers = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

  async function announceAll(gateways: readonly RunningGateway[], studyNumbers: readonly number[]): Promise<void> {
    for (const number of studyNumbers) {
      await storeFilm(archive.url, makeSmallFilm(number));
      const body = JSON.stringify({ studyInstanceUid: testStudyUid(number) });
      const headers = { 'content-type': 'application/json' };
      for (const gateway of gateways) await gateway.api('/api/v1/studies', { method: 'POST', headers, body });
    }
  }

  async function allDone(gateway: RunningGateway, count: number): Promise<void> {
    await poll('every study is done', 1_200_000, async () => {
      const answer = await gateway.api('/api/v1/studies?state=done&limit=1').catch(() => null);
      return answer && ((await answer.json()) as { readonly total: number }).total >= count ? true : null;
    });
  }

  /** A film, an SR and a heat-map in the archive; one report on the FHIR server. */
  function expectOnce(studyNumbers: readonly number[], reportsBefore: number): void {
    for (const number of studyNumbers) {
      const study = archive.studies().find(({ StudyInstanceUID }) => StudyInstanceUID === testStudyUid(number))!;
      expect(study.instances).toHaveLength(3);
    }
    const reports = fhir.resources('DiagnosticReport').slice(reportsBefore);
    expect(reports).toHaveLength(studyNumbers.length);
  }

  const webhookOnly = { sources: { qidoPoll: { enabled: false } } };

  test('three processes on one database, one of them killed, report every study once, because the others go on with its work', async () => {
    const before = fhir.resources('DiagnosticReport').length;
    const jobs = { kind: 'postgres', url: await server.createDatabase() };
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => start({ ...webhookOnly, jobs })));
    const all = numbers(400, studies);
    const doomed = second!.killAt('"state":"delivering"');
    await announceAll([first!], all);
    await doomed;
    await allDone(third!, studies);
    expectOnce(all, before);
    // Whoever took over sent the bytes that were recorded: no report was written a second time.
    expect(fhir.resources('DiagnosticReport').every(({ meta }) => meta.versionId === '1')).toBe(true);
    expect(first!.log()).toContain('"state":"done"');
    expect(third!.log()).toContain('"state":"done"');
    expect(second!.log()).toContain('"state":"delivering"');
  }, 1_300_000);

  test('two with stores of their own and one site secret give one result for a study, because identities hang on it alone', async () => {
    const before = fhir.resources('DiagnosticReport').length;
    const settings = { ...webhookOnly, siteSecret: 'a secret that both gateways have' };
    const pair = await Promise.all([start(settings), start(settings)]);
    const all = numbers(500, 10);
    await announceAll(pair, all);
    await Promise.all(pair.map((gateway) => allDone(gateway, all.length)));
    expectOnce(all, before);
  }, 1_300_000);
});
