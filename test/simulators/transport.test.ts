import { afterEach, describe, expect, test } from '@jest/globals';
import { text } from '../../src/dicom/dataset.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import type { SimulatedArchive } from './archive.ts';
import type { SimulatedFhir } from './fhir.ts';
import { profileRejected } from './fhir-misbehaviours.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { classRefused, coercedPatient, storedLater, tooLarge, wrongObject } from './pacs-misbehaviours.ts';
import { openPlace, type Place } from './place.ts';
import { isMetadata, isStow, isStudySearch, isTransaction, isWado } from './requests.ts';
import { misbehavioursOf, scripted } from './script.ts';

/** Every misbehaviour, once at every kind of request that a study makes: the study is reported once, or stopped with its code. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const uid = testStudyUid(1);

async function place(): Promise<Place> {
  const opened = await openPlace(closing);
  opened.archive.addInstance(makeSmallFilm(1));
  await opened.gateway.announce(uid);
  return opened;
}

/** Once at the first request of each kind. */
const once = (misbehaviour: Misbehaviour) =>
  scripted(
    ...[isStudySearch, isMetadata, isWado, isStow].map((on) => ({ misbehaviour, on })),
    // The look at a result that was just stored.
    { misbehaviour, on: (request) => isMetadata(request) && request.path.includes('/instances/') },
  );
const onceAtFhir = (misbehaviour: Misbehaviour) =>
  scripted({ misbehaviour, on: ({ method }) => method === 'GET' }, { misbehaviour, on: isTransaction });

const modalities = (archive: SimulatedArchive) =>
  archive.store.ofStudy(uid).map(({ header }) => text(header, 'Modality'));
const met = ({ requests }: SimulatedArchive | SimulatedFhir) =>
  requests.filter(({ misbehaviour }) => misbehaviour !== null).length;

async function isReportedOnce({ archive, fhir, gateway }: Place): Promise<void> {
  expect(await gateway.state(uid)).toEqual({ state: 'done', code: null });
  expect(modalities(archive).sort()).toEqual(['CR', 'OT', 'SR']);
  const reports = fhir.history().filter(([first]) => first?.resourceType === 'DiagnosticReport');
  expect(reports.map((versions) => versions.length)).toEqual([1]);
}

const transient = (side: 'pacs' | 'fhir') => misbehavioursOf(side).filter(({ kind }) => kind !== 'lasting');

describe('an archive (faults 23, 24, 25, 26, 27, 28, 29, 38, 39, 40, 41 and 42)', () => {
  test.each(transient('pacs').map((each) => [each.name, each] as const))(
    'that answers any request with %s gets the study’s results once',
    async (_name, misbehaviour) => {
      const there = await place();
      there.archive.setScript(once(misbehaviour));
      await there.gateway.run();
      await isReportedOnce(there);
      expect(met(there.archive)).toBeGreaterThan(0);
    },
  );

  test('that stores what it took after minutes is done when it shows it, and not before (fault 40)', async () => {
    const there = await place();
    const { archive, gateway } = there;
    archive.setScript(scripted({ misbehaviour: storedLater(archive.store, 1e8), times: Number.POSITIVE_INFINITY }));
    await gateway.run(gateway.time.ms + 5 * 60_000);
    expect(await gateway.state(uid)).toEqual({ state: 'retrying', code: 'pacs-unconfirmed' });
    archive.setScript(scripted({ misbehaviour: storedLater(archive.store, 1) }));
    await gateway.run();
    await isReportedOnce(there);
  });
});

describe('an archive that refuses for good', () => {
  test.each<[string, Misbehaviour, string, string, readonly string[]]>([
    ['the class of our objects (fault 38)', classRefused, 'dead', 'pacs-store-refused', ['CR']],
    ['their size (fault 45)', tooLarge(0), 'dead', 'pacs-too-large', ['CR']],
    [
      'their patient, and files them under another (fault 44)',
      coercedPatient('X'),
      'dead',
      'pacs-altered',
      ['CR', 'OT', 'SR'],
    ],
    ['to give the object that was asked for (fault 37)', wrongObject, 'quarantined', 'wrong-object', ['CR']],
  ])('%s is told by its code, and asked no more', async (_name, misbehaviour, state, code, stored) => {
    const { archive, fhir, gateway } = await place();
    archive.setScript(scripted({ misbehaviour, times: Number.POSITIVE_INFINITY }));
    await gateway.run();
    expect(await gateway.state(uid)).toEqual({ state, code });
    expect(modalities(archive).sort()).toEqual(stored);
    expect(archive.requests.length).toBeLessThan(30);
    expect(fhir.resources('DiagnosticReport')).toHaveLength(state === 'dead' ? 1 : 0);
  });

  test('a picture that is too large holds the report back nowhere (fault 45)', async () => {
    const { archive, gateway } = await place();
    archive.setScript(scripted({ misbehaviour: tooLarge(100_000), times: Number.POSITIVE_INFINITY }));
    await gateway.run();
    expect(await gateway.state(uid)).toEqual({ state: 'dead', code: 'pacs-too-large' });
    expect(modalities(archive).sort()).toEqual(['CR', 'SR']);
  });
});

describe('a FHIR server', () => {
  test.each(transient('fhir').map((each) => [each.name, each] as const))(
    'that answers a search and a transaction with %s has the report once',
    async (_name, misbehaviour) => {
      const there = await place();
      there.fhir.setScript(onceAtFhir(misbehaviour));
      await there.gateway.run();
      await isReportedOnce(there);
      expect(met(there.fhir)).toBeGreaterThan(0);
    },
  );

  test('that rejects the report leaves the archive with its results', async () => {
    const { archive, fhir, gateway } = await place();
    fhir.setScript(scripted({ misbehaviour: profileRejected, times: Number.POSITIVE_INFINITY }));
    await gateway.run();
    expect(await gateway.state(uid)).toEqual({ state: 'dead', code: 'fhir-refused' });
    expect(modalities(archive).sort()).toEqual(['CR', 'OT', 'SR']);
  });
});
