import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Log, StudyRow } from '../../src/core/ports.ts';
import type { Instance, StudyEvent } from '../../src/core/study.ts';
import { readStudy } from '../../src/pipeline.ts';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { createSteps, type ReconcileWorld, reconcile } from '../../src/steps/index.ts';
import { lookAt } from '../../src/steps/reconcile.ts';
import { type Gateway, wireGateway } from '../../src/wire-gateway.ts';
import { type GatewayFolder, makeGatewayFolder } from '../e2e/support.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';

/** A study that was delivered to the sandbox's servers, looked at again while they tell other things than they did. */

const number = 720;
const uid = testStudyUid(number);
const rules = { everyHours: 24, days: 7, perMinute: 600, onMissing: 'flag' } as const;
const closing: (() => unknown)[] = [];
let archive: RunningArchive;
let fhir: RunningFhirStore;
let gateway: Gateway;
const lines: Parameters<Log>[0][] = [];
const announced: StudyEvent[] = [];

beforeAll(async () => {
  archive = await startArchive();
  fhir = await startFhirStore();
  await storeFilm(archive.url, makeSmallFilm(number));
  const folder: GatewayFolder = makeGatewayFolder({ pacs: { url: archive.url }, fhir: { url: fhir.url } });
  gateway = await wireGateway(loadConfig(folder.config, []), (line) => lines.push(line));
  closing.push(
    () => folder.remove(),
    () => archive.close(),
    () => fhir.close(),
    () => gateway.close(),
  );
  await run();
}, 60_000);

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function run(): Promise<void> {
  const { queue } = gateway.store;
  await queue.announce({ studyInstanceUid: uid, source: 'test', priority: 'routine' }, 0);
  const job = (await queue.claim(Date.now()))!;
  const settle = { quietSeconds: 0, maxSeconds: 0 };
  await queue.settle(job, await readStudy(job, createSteps({ ...gateway.world, settle })), Date.now());
}

const world = (overrides: Partial<ReconcileWorld> = {}): ReconcileWorld => ({
  ...gateway.reconciling,
  announce: async (event) => void announced.push(event),
  log: (line) => lines.push(line),
  ...overrides,
});

const row = async (): Promise<StudyRow> => (await gateway.store.board.get(uid))!;
const flagsNow = async () => (await gateway.reconciling.flags.of(uid)).map(({ code }) => code);
const alerts = () => lines.splice(0).flatMap(({ event, code }) => (event === 'alert' ? [code] : []));
const stored = () =>
  archive.studies().flatMap(({ instances }) => instances.map(({ SOPInstanceUID }) => SOPInstanceUID));

/** The archive of the gateway, but without the objects of a modality. */
function without(modality: string): Pick<ReconcileWorld, 'archive'> {
  const list = async (study: string) =>
    (await gateway.reconciling.archive.list(study)).filter(
      ({ header }: Instance) => header?.['00080060']?.Value?.[0] !== modality,
    );
  return { archive: { ...gateway.reconciling.archive, list } };
}

const patientIs = (PatientID: string): Pick<ReconcileWorld, 'archive'> => ({
  archive: { ...gateway.reconciling.archive, patients: async () => [{ PatientID, IssuerOfPatientID: 'TESTS' }] },
});

describe('a look at a study that is done', () => {
  test('finds nothing where all is as it was, and writes nothing', async () => {
    const before = stored();
    expect(await lookAt(world(), rules, await row())).toEqual([]);
    expect([await flagsNow(), alerts(), announced, stored()]).toEqual([[], [], [], before]);
  });

  test('fault 6: flags a patient who was merged since, and rewrites nothing, because a person must decide', async () => {
    const before = [stored(), fhir.resources('DiagnosticReport').map(({ meta }) => meta.versionId)];
    const merged = world(patientIs('OTHER-1'));
    expect(await lookAt(merged, { ...rules, onMissing: 'deliver' }, await row())).toEqual(['patient-differs']);
    expect(alerts()).toEqual(['patient-differs']);
    expect(await flagsNow()).toEqual(['patient-differs']);
    await lookAt(merged, rules, await row());
    expect(alerts()).toEqual([]);
    expect([stored(), fhir.resources('DiagnosticReport').map(({ meta }) => meta.versionId)]).toEqual(before);
    expect(announced).toEqual([]);
    await lookAt(world(), rules, await row());
    expect(await flagsNow()).toEqual([]);
  });

  test.each([
    ['SR', 'result-missing'],
    ['OT', 'result-missing'],
  ])('flags a %s that left the archive although it was stored there', async (modality, code) => {
    expect(await lookAt(world(without(modality)), rules, await row())).toEqual([code]);
    expect(alerts()).toEqual([code]);
    expect(announced).toEqual([]);
    await lookAt(world(), rules, await row());
    expect(await flagsNow()).toEqual([]);
  });

  test('flags a report that left the FHIR server', async () => {
    expect(await lookAt(world({ findReport: async () => null }), rules, await row())).toEqual(['report-missing']);
    expect(alerts()).toEqual(['report-missing']);
  });

  test('has what is missing delivered again where the site wants that: the same bytes, nothing scored anew', async () => {
    announced.length = 0;
    await lookAt(world(without('OT')), { ...rules, onMissing: 'deliver' }, await row());
    expect(announced).toMatchObject([{ studyInstanceUid: uid, source: 'reconcile' }]);
    const { receipts } = await row();
    expect(receipts.map(({ artifact }) => artifact)).not.toContain('heatmap-1');
    await run();
    expect((await row()).receipts.map(({ artifact }) => artifact)).toContain('heatmap-1');
    expect(stored()).toHaveLength(3);
  });

  test('gives up no receipt when the bytes of one object are gone, because then not all could be sent again', async () => {
    announced.length = 0;
    const receiptsNow = async () => (await row()).receipts.map(({ artifact, destination }) => [artifact, destination]);
    const before = await receiptsNow();
    // The last of them is one whose bytes nobody has.
    const forgetReceipts: ReconcileWorld['forgetReceipts'] = (all) =>
      gateway.store.forgetReceipts([...all, { artifactId: '2.25.404', destination: 'pacs' }]);
    const lacking = world({ ...without('OT'), forgetReceipts });
    expect(await lookAt(lacking, { ...rules, onMissing: 'deliver' }, await row())).toEqual(['result-missing']);
    expect(announced).toEqual([]);
    expect(await receiptsNow()).toEqual(before);
    await lookAt(world(), rules, await row());
    alerts();
  });

  test('says nothing of a study that left the archive as a whole, because archives have rules of retention', async () => {
    const gone = { archive: { ...gateway.reconciling.archive, patients: async () => [] } };
    expect(await lookAt(world(gone), rules, await row())).toEqual([]);
  });

  test('of which the archive tells nothing now flags nothing and goes on, because an archive that is down proves nothing', async () => {
    const patients = async () => {
      throw new Failure('pacs-unavailable');
    };
    expect(await lookAt(world({ archive: { ...gateway.reconciling.archive, patients } }), rules, await row())).toEqual(
      [],
    );
    expect(await flagsNow()).toEqual([]);
  });
});

describe('the looks', () => {
  test('come once in the time that the site sets, over the studies of its days, with a pause after each', async () => {
    const clock = { now: Date.now() };
    const looked: string[] = [];
    const patients = async (study: string) => {
      looked.push(study);
      return [];
    };
    const stop = new AbortController();
    const told: Parameters<Log>[0][] = [];
    const done = reconcile(
      world({
        archive: { ...gateway.reconciling.archive, patients },
        now: () => clock.now,
        log(line) {
          told.push(line);
          if (told.length === 1) clock.now += 8 * 86_400_000;
          if (told.length === 2) stop.abort();
        },
      }),
      rules,
      stop.signal,
    );
    await done;
    // At the second look, eight days later, the study is no longer one of the last seven days.
    expect(told).toMatchObject([
      { event: 'reconciled', studies: 1, flagged: 0 },
      { event: 'reconciled', studies: 0 },
    ]);
    expect(looked).toEqual([uid]);
  }, 30_000);
});
