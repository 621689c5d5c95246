import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { run, runBeside } from '../commands/cli.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/** What people ask of a running gateway about results that stand: replays and retractions, by API and command line. */

interface Row {
  readonly state: string;
  readonly code: string | null;
  readonly demand: string | null;
  readonly history: readonly { readonly state: string; readonly demand: Record<string, unknown> | null }[];
  readonly revisions: readonly {
    readonly revision: number;
    readonly operatingPoint: number;
    readonly withdrawnAt: string;
  }[];
  readonly withdrawals: readonly { readonly rejectionNote: string; readonly demand: Record<string, unknown> }[];
}

const json = { 'content-type': 'application/json' };

describe('a gateway that is asked again', () => {
  let archive: RunningArchive;
  let fhir: RunningFhirStore;
  let folder: GatewayFolder;
  let gateway: RunningGateway;
  const settings = () => ({
    pacs: { url: archive.url },
    fhir: { url: fhir.url },
    sources: { qidoPoll: { enabled: false } },
    settle: { quietSeconds: 0 },
  });

  beforeAll(async () => {
    archive = await startArchive();
    fhir = await startFhirStore();
    folder = makeGatewayFolder(settings());
    gateway = await startGateway(folder);
  }, 120_000);

  afterAll(async () => {
    await gateway?.stop();
    await archive?.close();
    await fhir?.close();
    folder?.remove();
  }, 60_000);

  const post = (path: string, body: object) =>
    gateway.api(`/api/v1/studies${path}`, { method: 'POST', headers: json, body: JSON.stringify(body) });
  const row = async (number: number) =>
    (await (await gateway.api(`/api/v1/studies/${testStudyUid(number)}`)).json()) as Row;
  const reaches = (number: number, state: string) =>
    poll(`study ${number} is ${state}`, 60_000, async () => {
      const found = await row(number);
      return found.state === state && found.demand === null ? found : null;
    });
  const readOne = async (number: number) => {
    await storeFilm(archive.url, makeSmallFilm(number));
    expect((await post('', { studyInstanceUid: testStudyUid(number) })).status).toBe(202);
    return reaches(number, 'done');
  };
  /** With a log of its own. */
  const restart = async () => {
    await gateway.stop();
    gateway = await startGateway(folder);
  };
  const objects = (number: number, modality: string) =>
    archive
      .studies()
      .filter(({ StudyInstanceUID }) => StudyInstanceUID === testStudyUid(number))
      .flatMap(({ instances }) => instances)
      .map(({ bytes }) => parsePart10(bytes).header)
      .filter((header) => header['00080060']?.Value?.[0] === modality);
  const report = (number: number) =>
    fhir
      .resources('DiagnosticReport')
      .find((found) => JSON.stringify(found).includes(testStudyUid(number))) as unknown as { readonly status: string };

  test('fault 64: replay pressed ten times gives one result, and by force a new version with its reason', async () => {
    await readOne(300);
    const uid = testStudyUid(300);
    for (let press = 0; press < 10; press++)
      expect((await post(`/${uid}/replay`, { reason: 'is it stuck?' })).status).toBe(202);
    await reaches(300, 'done');
    expect(objects(300, 'SR')).toHaveLength(1);
    expect((await post(`/${uid}/replay`, { reason: 'the picture was dark', force: true, by: 'alice' })).status).toBe(
      202,
    );
    const { revisions, history } = await poll('a second revision', 60_000, async () => {
      const found = await row(300);
      return found.revisions.length === 2 && found.state === 'done' ? found : null;
    });
    expect(revisions.map(({ revision }) => revision)).toEqual([1, 2]);
    expect(objects(300, 'SR')).toHaveLength(2);
    expect(objects(300, 'OT')).toHaveLength(1);
    expect(history.map(({ demand }) => demand?.['by'])).toContain('alice');
    expect(gateway.log()).toMatch(/"demand":"replay"/);
    expect(gateway.log()).not.toContain('the picture was dark');
  }, 120_000);

  test.each([
    [{}],
    [{ reason: 'no' }],
    [{ reason: ' x ' }],
    [{ reason: 'two\nlines' }],
    [{ reason: 'x'.repeat(201) }],
    [{ reason: 'good enough', by: 'no spaces here' }],
    [{ reason: 'good enough', why: 'unknown' }],
  ])('a demand without a proper reason is refused: %j', async (body) => {
    expect((await post(`/${testStudyUid(300)}/retract`, body)).status).toBe(400);
    expect((await post(`/${testStudyUid(300)}/replay`, body)).status).toBe(400);
  });

  test('fault 48: what is retracted is told to archive and EHR, stays so, and comes back by a replay alone', async () => {
    await readOne(310);
    const uid = testStudyUid(310);
    const reason = 'read by a wrong model';
    const args = ['retract', uid, '--reason', reason, '--config', folder.config];
    const { status, stdout } = await runBeside(args);
    expect([status, stdout.trim()]).toEqual([0, 'retracted']);
    expect(report(310).status).toBe('entered-in-error');
    const [note, ...more] = objects(310, 'KO');
    expect(more).toEqual([]);
    expect(JSON.stringify(note)).toContain(`AI result withdrawn: ${reason}`);
    expect(JSON.stringify(note)).toContain('"113037"');
    const [sr] = objects(310, 'SR');
    expect(JSON.stringify(note)).toContain(JSON.stringify(sr!['00080018']!.Value![0]));
    expect((await row(310)).withdrawals).toMatchObject([
      { demand: { reason, by: expect.stringMatching(/^command/) }, rejectionNote: note!['00080018']!.Value![0] },
    ]);

    await post('', { studyInstanceUid: uid });
    await reaches(310, 'retracted');
    expect((await runBeside(args)).stdout.trim()).toBe('retracted');
    expect([objects(310, 'KO').length, objects(310, 'SR').length]).toEqual([1, 1]);

    const again = await runBeside(['replay', uid, '--reason', 'the right model now', '--config', folder.config]);
    expect([again.status, again.stdout]).toEqual([0, expect.stringMatching(/^done: /)]);
    expect([objects(310, 'SR').length, objects(310, 'OT').length]).toEqual([2, 2]);
    expect(report(310).status).toBe('preliminary');
  }, 120_000);

  test('nothing is retracted where nothing was reported, and the caller is told', async () => {
    expect((await post(`/${testStudyUid(399)}/retract`, { reason: 'never seen' })).status).toBe(404);
    const { status, stderr } = await runBeside([
      ...['retract', testStudyUid(399), '--reason', 'never seen', '--config', folder.config],
    ]);
    expect([status, stderr]).toEqual([65, expect.stringContaining('nothing-to-retract')]);
  }, 60_000);

  test('a retraction that is killed in the middle goes on after the restart, with one note', async () => {
    await readOne(320);
    await restart();
    const killed = gateway.killAt('"state":"delivering"');
    await Promise.all([
      killed,
      post(`/${testStudyUid(320)}/retract`, { reason: 'killed in the middle' }).catch(() => {}),
    ]);
    expect(gateway.log()).not.toContain('"state":"retracted"');
    gateway = await startGateway(folder);
    await reaches(320, 'retracted');
    expect(objects(320, 'KO')).toHaveLength(1);
    expect(report(320).status).toBe('entered-in-error');
  }, 120_000);

  test('fault 65: a study killed while delivering goes on with its bytes under another threshold', async () => {
    await storeFilm(archive.url, makeSmallFilm(330));
    await restart();
    const killed = gateway.killAt('"state":"delivering"');
    await Promise.all([killed, post('', { studyInstanceUid: testStudyUid(330) }).catch(() => {})]);
    gateway = await startGateway(folder, ['--set', 'model.operatingPoint=0.987']);
    const { revisions } = await reaches(330, 'done');
    expect(revisions).toMatchObject([{ revision: 1 }]);
    expect(revisions[0]!.operatingPoint).not.toBe(0.987);
    const [sr] = objects(330, 'SR');
    expect(JSON.stringify(sr)).toContain(`decision_threshold=${revisions[0]!.operatingPoint}`);
    const args = ['replay', testStudyUid(330), '--reason', 'new threshold', '--config', folder.config];
    expect((await runBeside(args)).status).toBe(0);
    expect((await row(330)).revisions.map(({ operatingPoint }) => operatingPoint)).toEqual([
      revisions[0]!.operatingPoint,
      0.987,
    ]);
    expect(objects(330, 'SR')).toHaveLength(2);
  }, 120_000);

  test('fault 7: a study that moved to a new UID is gone under the old one and new work under the new', async () => {
    await readOne(340);
    const moved = testStudyUid(341);
    const film = { StudyInstanceUID: moved, SeriesInstanceUID: `${moved}.1`, SOPInstanceUID: `${moved}.1.1` };
    await storeFilm(archive.url, makeSmallFilm(340, film));
    await post('', { studyInstanceUid: moved });
    await reaches(341, 'done');
    const [old, fresh] = [objects(340, 'SR')[0]!, objects(341, 'SR')[0]!];
    expect(fresh['0020000D']!.Value).toEqual([moved]);
    expect(JSON.stringify(fresh)).not.toContain(testStudyUid(340));
    expect(fresh['00080018']!.Value).not.toEqual(old['00080018']!.Value);
    for (const uid of [testStudyUid(340), moved])
      expect(fhir.resources('DiagnosticReport').filter((found) => JSON.stringify(found).includes(uid))).toHaveLength(1);
  }, 120_000);

  test('without a running gateway the commands do the same on the store itself', async () => {
    await gateway.stop();
    const configured = ['--config', folder.config];
    const retracted = await runBeside(['retract', testStudyUid(340), '--reason', 'alone', ...configured, '--json']);
    expect([retracted.status, JSON.parse(retracted.stdout)]).toEqual([
      0,
      expect.objectContaining({ state: 'retracted', code: null }),
    ]);
    expect(objects(340, 'KO')).toHaveLength(1);
    const both = await runBeside(['replay', '--state', 'retracted', '--reason', 'a mended model', ...configured]);
    expect(both.status).toBe(0);
    expect(both.stdout.trim().split('\n')).toHaveLength(2);
    expect(both.stderr).toMatch(/2\/2 studies/);
    expect([objects(340, 'SR').length, report(340).status]).toEqual([2, 'preliminary']);
    expect(run(['replay', '--reason', 'neither', ...configured]).status).toBe(78);
    expect(run(['replay', '1.2.3', ...configured]).status).toBe(2);
    expect((await runBeside(['retract', '1.2.3', '--reason', 'unknown', ...configured])).status).toBe(65);
  }, 120_000);
});
