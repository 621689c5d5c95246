import { afterEach, describe, expect, test } from '@jest/globals';
import { items, text } from '../../src/dicom/dataset.ts';
import { stepNames } from '../../src/pipeline.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { type SimulatedArchive, startSimulatedArchive } from './archive.ts';
import { startSimulatedFhir } from './fhir.ts';
import { openGateway, type StepName } from './gateway.ts';
import { lasting } from './misbehaviour.ts';
import { openPlace, type Place } from './place.ts';
import { isStow } from './requests.ts';
import { scripted } from './script.ts';

/** Studies that are deleted, merged, moved or hidden while the gateway works on them, at each step of the spine. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A gateway with one film in its archive; `change` is called once, before the first pass of a step. */
async function place(step: StepName, change: (archive: SimulatedArchive) => void): Promise<Place> {
  let pending = true;
  const opened = await openPlace(closing, (archive) => ({
    onStep(name) {
      if (name !== step || !pending) return;
      pending = false;
      change(archive);
    },
  }));
  opened.archive.addInstance(makeSmallFilm(1));
  await opened.gateway.announce(uid);
  return opened;
}

const uid = testStudyUid(1);
const posts = (archive: SimulatedArchive) => archive.requests.filter(({ method }) => method === 'POST').length;
const results = (archive: SimulatedArchive, study = uid) =>
  archive.store.ofStudy(study).filter(({ header }) => ['SR', 'OT'].includes(text(header, 'Modality') ?? ''));
const patientsOf = (archive: SimulatedArchive, study = uid) =>
  new Set(results(archive, study).map(({ header }) => text(header, 'PatientID')));

const late = () => {
  const attributes = { SOPInstanceUID: `${uid}.1.2`, InstanceNumber: 2, ViewPosition: 'AP', AcquisitionTime: '102000' };
  return makeSmallFilm(1, attributes);
};

describe('faults 1 and 2: a study that grows', () => {
  test.each(stepNames)(
    'by an image before %s ends with a report on both, the one of all before it replaced',
    async (step) => {
      const { archive, fhir, gateway } = await place(step, (world) => void world.addInstance(late()));
      await gateway.run();
      // The source tells of the study again: a poll sees its number of instances change.
      await gateway.announce(uid);
      await gateway.run();
      expect(await gateway.state(uid)).toEqual({ state: 'done', code: null });
      const reports = results(archive).filter(({ header }) => text(header, 'Modality') === 'SR');
      // What comes while the study settles is waited for; what comes later makes a revision.
      const early = stepNames.indexOf(step) <= stepNames.indexOf('settle');
      expect(reports.length).toBe(early ? 1 : 2);
      const replaced = reports.flatMap(({ header }) => items(header, 'PredecessorDocumentsSequence'));
      expect(replaced.length).toBe(reports.length - 1);
      expect(results(archive).length - reports.length).toBe(2);
      expect(fhir.resources('DiagnosticReport').map(({ result }) => (result as unknown[]).length)).toEqual([2]);
    },
  );

  test('by our own results alone, or by the same image again, is not read again (fault 2)', async () => {
    const { archive, gateway } = await place('deliver', () => {});
    await gateway.run();
    const sent = posts(archive);
    for (let time = 0; time < 3; time++) {
      expect(archive.addInstance(makeSmallFilm(1))).toBe(false);
      await gateway.announce(uid);
      await gateway.run();
    }
    expect([posts(archive), results(archive).length]).toEqual([sent, 2]);
  });
});

describe('fault 4: a study that is deleted', () => {
  test.each(stepNames)('before %s ends as source-gone, and nothing is written anywhere', async (step) => {
    const { archive, fhir, gateway } = await place(step, (world) => world.remove(uid));
    await gateway.run();
    expect(await gateway.state(uid)).toEqual({ state: 'source-gone', code: 'source-gone' });
    expect([posts(archive), fhir.resources('DiagnosticReport').length]).toEqual([0, 0]);
  });

  test('and comes back within the minute is reported, because archives move and re-index studies', async () => {
    let looks = 0;
    const { archive, gateway } = await place('list', (world) => world.remove(uid));
    archive.setObserver({
      before: (_line, { path }) => {
        if (path.endsWith('/metadata') && ++looks === 4) archive.addInstance(makeSmallFilm(1));
      },
    });
    await gateway.run();
    expect(await gateway.state(uid)).toEqual({ state: 'done', code: null });
    expect(results(archive).length).toBe(2);
  });
});

describe('fault 5: a study whose patient is merged', () => {
  test.each(stepNames)('before %s is reported once, under the patient that it has then', async (step) => {
    const { archive, fhir, gateway } = await place(step, (world) => world.mergePatient(uid, 'MERGED-1'));
    await gateway.run();
    expect(await gateway.state(uid)).toEqual({ state: 'done', code: null });
    expect(patientsOf(archive)).toEqual(new Set(['MERGED-1']));
    expect(results(archive).length).toBe(2);
    const [report, ...more] = fhir.resources('DiagnosticReport');
    expect(more).toEqual([]);
    expect(JSON.stringify(report)).toContain('MERGED-1');
    expect(JSON.stringify(fhir.history())).not.toContain('"TEST-1"');
  });
});

describe('fault 7: a study that is moved under another StudyInstanceUID', () => {
  test.each(stepNames)('before %s: the old one is gone, the new one is new work', async (step) => {
    const moved = testStudyUid(77);
    const { archive, fhir, gateway } = await place(step, (world) => world.moveStudy(uid, moved));
    await gateway.run();
    await gateway.announce(moved);
    await gateway.run();
    expect(await gateway.state(uid)).toEqual({ state: 'source-gone', code: 'source-gone' });
    expect(await gateway.state(moved)).toEqual({ state: 'done', code: null });
    expect([results(archive).length, results(archive, moved).length]).toEqual([0, 2]);
    const reports = fhir.resources('DiagnosticReport');
    expect(reports).toHaveLength(1);
    expect(JSON.stringify(fhir.resources('ImagingStudy'))).toContain(moved);
  });
});

describe('fault 63: one study in two archives', () => {
  const twoPlaces = async () => {
    const archives = [await startSimulatedArchive(), await startSimulatedArchive()] as const;
    const fhir = await startSimulatedFhir();
    closing.push(() => fhir.close(), ...archives.map((archive) => () => archive.close()));
    for (const archive of archives) archive.addInstance(makeSmallFilm(1));
    return { archives, fhir };
  };

  test('of one gateway has one result, at the destination that is configured', async () => {
    const {
      archives: [source, destination],
      fhir,
    } = await twoPlaces();
    const gateway = await openGateway({ archive: source, results: destination, fhir });
    closing.push(() => gateway.close());
    for (let time = 0; time < 2; time++) {
      await gateway.announce(uid);
      await gateway.run();
    }
    expect([results(source).length, results(destination).length]).toEqual([0, 2]);
    expect(fhir.resources('DiagnosticReport')).toHaveLength(1);
  });

  test('of two sites has one result in each, under identities that tell the sites apart', async () => {
    const { archives, fhir } = await twoPlaces();
    for (const [index, archive] of archives.entries()) {
      const gateway = await openGateway({ archive, fhir, siteSecret: `secret of site ${index}` });
      closing.push(() => gateway.close());
      await gateway.announce(uid);
      await gateway.run();
      expect(results(archive).length).toBe(2);
    }
    const uids = archives.flatMap((archive) => results(archive).map(({ SOPInstanceUID }) => SOPInstanceUID));
    expect(new Set(uids).size).toBe(4);
    expect(new Set(fhir.resources('DiagnosticReport').map(({ id }) => id)).size).toBe(2);
  });
});

describe('fault 46: an archive that takes nothing at night', () => {
  test('holds the results of 12 studies over three nights, loses none and stores none twice', async () => {
    const { archive, fhir, gateway } = await openPlace(closing);
    const isNight = () => {
      const hour = new Date(gateway.time.ms).getUTCHours();
      return hour >= 20 || hour < 6;
    };
    const readOnly = lasting(
      '503 at night',
      ({ send }) => send({ status: 503, headers: {}, body: Buffer.alloc(0) }),
      (request) => isStow(request) && isNight(),
    );
    archive.setScript(scripted({ misbehaviour: readOnly, times: Number.POSITIVE_INFINITY }));
    const start = gateway.time.ms;
    for (let number = 100; number < 112; number++) {
      // One every six hours, by day and by night, over three days.
      await gateway.run(gateway.time.ms + 6 * 3_600_000);
      gateway.time.ms = Math.max(gateway.time.ms, start + (number - 99) * 6 * 3_600_000);
      archive.addInstance(makeSmallFilm(number));
      await gateway.announce(testStudyUid(number));
    }
    await gateway.run(start + 100 * 3_600_000);
    const refused = archive.requests.filter(({ status }) => status === 503).length;
    expect(refused).toBeGreaterThan(12);
    for (let number = 100; number < 112; number++) {
      expect(await gateway.state(testStudyUid(number))).toEqual({ state: 'done', code: null });
      expect(results(archive, testStudyUid(number))).toHaveLength(2);
    }
    expect(fhir.resources('DiagnosticReport')).toHaveLength(12);
  }, 120_000);
});
