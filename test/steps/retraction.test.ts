import { afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import { studyUid } from '../support/readings.ts';
import type { FilmPlan } from '../support/spine.ts';
import { makeSite, type Site } from './site.ts';

/** Results that a person takes back: the spine on a real store. */

let site: Site;
const open = (...films: FilmPlan[]): Site => {
  site = makeSite(films);
  return site;
};
afterEach(() => site.close());

const film = { key: '1.1', digest: 'pixels' };
const names = (of: Site) => of.pacs.map(({ name }) => name);

describe('fault 48: a retraction', () => {
  test('tells the archive and the EHR once and with the reason, because somebody may have believed the result', async () => {
    const { announce, retract, films, notes, retractions, fhir } = open({ ...film });
    await announce();
    films.push({ key: '1.2' });
    await announce();
    const reports = site.pacs.map(({ id }) => id);
    expect(await retract({ reason: 'read by a wrong model', by: 'command/alice' })).toBe('retracted');
    expect(notes).toHaveLength(1);
    expect(notes[0]!.reason).toBe('read by a wrong model');
    // Both revisions are withdrawn, and nothing that is not ours.
    expect(notes[0]!.targets.map(({ SOPInstanceUID }) => SOPInstanceUID)).toEqual(reports);
    expect(names(site)).toEqual(['sr', 'sr', 'rejection-note']);
    expect(retractions).toMatchObject([
      { artifact: fhir[1]!.id, retraction: { reason: 'read by a wrong model', at: '2026-03-14T09:20:00.000Z' } },
    ]);
    const { revisions, withdrawals } = await site.store.past(studyUid);
    expect(revisions.map(({ withdrawnAt }) => withdrawnAt)).toEqual(Array(2).fill('2026-03-14T09:20:00.000Z'));
    expect(withdrawals).toMatchObject([
      { demand: { by: 'command/alice', reason: 'read by a wrong model' }, rejectionNote: site.pacs[2]!.id, code: null },
    ]);
    expect(withdrawals[0]!.receipts.map(({ destination }) => destination)).toEqual(['fhir', 'pacs']);
  });

  test('is not undone by an announcement and not doubled by another retraction', async () => {
    const { announce, retract, reads } = open({ ...film });
    await announce();
    await retract();
    for (let again = 0; again < 3; again++) expect(await announce()).toBe('retracted');
    expect(await announce({ source: 'backfill' })).toBe('retracted');
    expect(await retract()).toBe('retracted');
    expect([reads, names(site), site.retractions.length]).toEqual([['1.1'], ['sr', 'rejection-note'], 1]);
  });

  test.each([
    ['a replay', async ({ replay }: Site) => replay()],
    [
      'an image that comes late',
      async ({ films, announce }: Site) => {
        films.push({ key: '1.2' });
        return announce();
      },
    ],
  ])('ends with %s: a new revision with a picture of its own and no predecessor', async (_what, act) => {
    const { announce, retract, store } = open({ ...film });
    await announce();
    await retract();
    expect(await act(site)).toBe('done');
    const { reading } = (await store.ledger.latest(studyUid, null))!;
    expect(reading).toMatchObject({ revision: 2, predecessor: null });
    // An archive that hides the withdrawn picture refuses it for ever.
    expect(reading.images[0]!.revision).toBe(2);
    expect(names(site)).toEqual(['sr', 'rejection-note', 'sr']);
    expect(site.fhir).toHaveLength(2);
    expect(await retract()).toBe('retracted');
    expect(site.notes[1]!.targets.map(({ SOPInstanceUID }) => SOPInstanceUID)).toEqual([site.pacs[2]!.id]);
  });

  test('goes on with the same note after a failure, and takes nothing back that came later', async () => {
    const { announce, retract, failing, films, pacs, notes } = open({ ...film });
    await announce();
    failing.retract.push(new Failure('fhir-unavailable'));
    expect(await retract()).toBe('retrying fhir-unavailable');
    films.push({ key: '1.2' });
    expect(await announce()).toBe('done');
    expect(notes).toHaveLength(1);
    expect(pacs.map(({ name }) => name)).toEqual(['sr', 'rejection-note', 'sr']);
    expect(site.retractions).toHaveLength(1);
    expect((await site.store.past(studyUid)).revisions.map(({ withdrawnAt }) => withdrawnAt !== null)).toEqual([
      true,
      false,
    ]);
  });

  test('that is tried again does not take back the new reading of a film that waited', async () => {
    const { announce, retract, failing, films } = open({ ...film });
    await announce();
    films.push({ key: '1.2' });
    failing.pacs.push(null, new Failure('pacs-unavailable'));
    expect(await retract()).toBe('retrying pacs-unavailable');
    expect(await announce()).toBe('done');
    expect(names(site)).toEqual(['sr', 'rejection-note', 'sr']);
    expect((await site.store.past(studyUid)).withdrawals).toHaveLength(1);
  });

  test('of a report that never reached the archive keeps it from there for good, also before the next revision', async () => {
    const { announce, retract, replay, failing } = open({ ...film });
    failing.pacs.push(new Failure('pacs-unavailable'));
    expect(await announce()).toBe('retrying pacs-unavailable');
    expect(await retract()).toBe('retracted');
    expect([names(site), site.notes, site.retractions.length]).toEqual([[], [], 1]);
    expect(await replay()).toBe('done');
    const { reading, artifacts } = (await site.store.ledger.latest(studyUid, null))!;
    expect(reading).toMatchObject({ revision: 2, predecessor: null });
    expect(site.pacs.map(({ id }) => id)).toEqual(artifacts.filter(({ kind }) => kind === 'sr').map(({ id }) => id));
  });

  test('says in the code what a person has taken over, because that report is theirs', async () => {
    const { announce, retract, failing } = open({ ...film });
    await announce();
    failing.retract.push(new Failure('fhir-refused'));
    expect(await retract()).toBe('retracted fhir-refused');
    expect(names(site)).toEqual(['sr', 'rejection-note']);
    expect(await announce()).toBe('retracted fhir-refused');
    expect(await retract()).toBe('retracted');
    expect(names(site)).toEqual(['sr', 'rejection-note']);
  });

  test('of a study that left the archive writes no note, because that would bring it back', async () => {
    const { announce, retract } = open({ ...film });
    await announce();
    const list = async () => {
      throw new Failure('source-gone');
    };
    site.change({ archive: { ...site.world().archive, list } });
    expect(await retract()).toBe('retrying source-gone');
    expect(site.retractions).toEqual([]);
    // At the second look; what a person asked for stays until it is done.
    expect(await announce()).toBe('retracted');
    expect([names(site), site.retractions.length]).toEqual([['sr'], 1]);
  });

  test('of results in an archive of their own names what that archive confirmed', async () => {
    const { announce, retract, films } = open({ ...film });
    site.change({ again: { ...site.world().again!, resultsElsewhere: true } });
    await announce();
    films.splice(1);
    await retract();
    expect(site.notes[0]!.targets.map(({ SOPInstanceUID }) => SOPInstanceUID)).toEqual([site.pacs[0]!.id]);
  });

  test('works when the bytes of the report were removed after their days, because bugs are found late', async () => {
    const { announce, retract, store, fhir } = open({ ...film });
    await announce();
    expect(await store.purge(Number.MAX_SAFE_INTEGER, 5_000)).toBeGreaterThan(0);
    expect(await retract()).toBe('retracted');
    expect(site.retractions.map(({ artifact }) => artifact)).toEqual([fhir[0]!.id]);
  });

  test('of a study that was never reported reads it as ever, because an announcement must not be lost', async () => {
    const { retract } = open({ ...film });
    expect(await retract()).toBe('done');
    expect(names(site)).toEqual(['sr']);
  });
});
