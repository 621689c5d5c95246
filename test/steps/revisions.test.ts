import { afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import { model, settings, studyUid } from '../support/readings.ts';
import type { FilmPlan } from '../support/spine.ts';
import { makeSite, type Site } from './site.ts';

/** What makes a new revision of a result, and what does not: the spine on a real store. */

let site: Site;
const open = (...films: FilmPlan[]): Site => {
  site = makeSite(films);
  return site;
};
afterEach(() => site.close());

const film = { key: '1.1', digest: 'pixels' };
const kinds = (of: Site) => of.pacs.map(({ name }) => name);
const revisions = async (of: Site) => (await of.store.past(studyUid)).revisions;

describe('fault 1: an image that comes late', () => {
  test('makes a new SR that names the one before and updates the same report, because studies come in pieces', async () => {
    const { announce, films, pacs, fhir } = open({ ...film });
    expect(await announce()).toBe('done');
    films.push({ key: '1.2' });
    expect(await announce()).toBe('done');
    expect(kinds(site)).toEqual(['sr', 'sr']);
    expect(pacs[0]!.id).not.toBe(pacs[1]!.id);
    expect(fhir.map(({ id }) => id.split('#')[1])).toEqual(['1', '2']);
    expect(new Set(fhir.map(({ id }) => id.split('#')[0])).size).toBe(1);
    const [first, second] = await revisions(site);
    expect([first!.predecessor, second!.predecessor]).toEqual([null, pacs[0]!.id]);
  });
});

describe('fault 2: what is sent or announced again', () => {
  /** Deterministic: a seed tells the sequence. */
  const dice = (seed: number) => () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };

  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'is nothing new in any order of identical re-sends, announcements and replays, because the pixels say so (%i)',
    async (seed) => {
      const { announce, replay, films, reads } = open({ ...film }, { key: '1.2' });
      await announce();
      const roll = dice(seed + 1);
      for (let step = 0; step < 12; step++) {
        const what = roll();
        const index = roll() < 0.5 ? 0 : 1;
        // A sender that stamps its headers anew, one that does not, an archive that lists in another order.
        if (what < 0.3) films[index] = { ...films[index]!, time: `${100_000 + step}` };
        else if (what < 0.5) films[index] = { ...films[index]! };
        else if (what < 0.6) films.reverse();
        const source = roll() < 0.5 ? 'test' : 'backfill';
        expect(await (what > 0.9 ? replay() : announce({ source }))).toBe('done');
      }
      expect(kinds(site)).toEqual(['sr']);
      expect(site.fhir).toHaveLength(1);
      expect(site.alerts).toEqual([]);
      expect(reads.length).toBeGreaterThan(1);
    },
  );

  test('costs no fetch where the list explains it, because our own results make an archive announce', async () => {
    const { announce, reads } = open({ ...film });
    await announce();
    await announce();
    expect(reads).toEqual(['1.1']);
    await announce({ source: 'backfill' });
    expect(reads).toEqual(['1.1']);
  });
});

describe('fault 3: other pixels under a UID that was read', () => {
  test.each([
    ['with another header', { time: '101500' }],
    ['under the same header, which only an announcement without a reason betrays', {}],
  ])('make a new revision, an alert and a flag %s', async (_how, header) => {
    const { announce, films, pacs, alerts } = open({ ...film });
    await announce();
    await announce();
    films[0] = { ...film, ...header, digest: 'other pixels', score: 0.1 };
    expect(await announce()).toBe('done');
    expect(alerts).toEqual(['pixels-changed']);
    const [, second] = await revisions(site);
    expect(second).toMatchObject({ revision: 2, decision: 'absent', pixelsChanged: ['1.1'], predecessor: pacs[0]!.id });
    const { reading } = (await site.store.ledger.latest(studyUid, model.id))!;
    expect(reading.images[0]!.revision).toBe(2);
    expect(await announce()).toBe('done');
    expect([kinds(site), alerts]).toEqual([['sr', 'sr'], ['pixels-changed']]);
  });

  test('are found when our own results come with the same announcement, because the header tells', async () => {
    const { announce, films, alerts } = open({ ...film });
    await announce();
    films[0] = { ...film, time: '101500', digest: 'other pixels' };
    expect(await announce()).toBe('done');
    expect([kinds(site), alerts]).toEqual([['sr', 'sr'], ['pixels-changed']]);
  });

  test('are found by the next announcement when the process died after the list was seen', async () => {
    const { announce, films, failing } = open({ ...film });
    await announce();
    await announce();
    films[0] = { ...film, time: '101500', digest: 'other pixels' };
    failing.pacs.push(new Failure('pacs-unavailable'));
    expect(await announce()).toBe('retrying pacs-unavailable');
    expect(await announce()).toBe('done');
    expect(kinds(site)).toEqual(['sr', 'sr']);
  });

  test('are not claimed of a film on which the reader gave up, because that is no pixel', async () => {
    const { announce, films, alerts } = open({ ...film });
    await announce();
    await announce();
    films[0] = { ...film, time: '101500', fails: new Failure('reader-timeout') };
    expect(await announce()).toBe('done');
    expect([kinds(site), alerts]).toEqual([['sr'], []]);
    films[0] = { ...film, time: '101500', digest: 'other pixels' };
    await announce();
    expect([kinds(site), alerts]).toEqual([['sr', 'sr'], ['pixels-changed']]);
  });
});

describe('faults 65 and 86: another threshold, other weights', () => {
  const threshold = { settings: { ...settings, operatingPoint: 0.95 } };
  const weights = { model: { ...model, sha256: 'f'.repeat(64), deviceUid: '2.25.99' } };
  const another = { model: { ...model, id: 'another', sha256: 'e'.repeat(64), deviceUid: '2.25.98' } };

  test.each([
    ['threshold', threshold],
    ['weights', weights],
    ['model', another],
  ])('%s: a study under way ends with what it began with, because its bytes are recorded', async (_what, change) => {
    const { announce, failing, reads } = open({ ...film });
    failing.fhir.push(new Failure('fhir-unavailable'));
    expect(await announce()).toBe('retrying fhir-unavailable');
    site.change(change);
    expect(await announce()).toBe('done');
    expect(reads).toEqual(['1.1']);
    const [only, ...more] = await revisions(site);
    expect(only).toMatchObject({
      operatingPoint: 0.5,
      modelId: model.id,
      modelSha256: model.sha256,
      decision: 'present',
    });
    expect(more).toEqual([]);
    expect([site.pacs.length, site.fhir.length]).toEqual([1, 1]);
  });

  test.each([
    ['threshold', threshold, 'absent'],
    ['weights', weights, 'present'],
  ])('%s: a finished study is not reopened, and a replay reads it anew', async (_what, change, decision) => {
    const { announce, replay, pacs } = open({ ...film });
    await announce();
    await announce();
    site.change(change);
    await announce();
    expect(kinds(site)).toEqual(['sr']);
    expect(await replay({ reason: 'new operating point', by: 'command/alice' })).toBe('done');
    const [first, second] = await revisions(site);
    expect(second).toMatchObject({
      ...{ revision: 2, decision, predecessor: pacs[0]!.id },
      demand: { reason: 'new operating point', by: 'command/alice' },
    });
    expect(first!.demand).toBeNull();
    expect([first!.operatingPoint, first!.modelSha256]).not.toEqual([second!.operatingPoint, second!.modelSha256]);
    expect(await replay()).toBe('done');
    expect(kinds(site)).toEqual(['sr', 'sr']);
  });
});

describe('fault 64: replay', () => {
  test('pressed ten times gives one result, because nothing changed', async () => {
    const { announce, replay } = open({ ...film });
    await announce();
    for (let press = 0; press < 10; press++) expect(await replay()).toBe('done');
    expect(kinds(site)).toEqual(['sr']);
    expect(site.fhir).toHaveLength(1);
  });

  test('by force makes one new version, also when its delivery is tried again', async () => {
    const { announce, replay, failing, reads } = open({ ...film });
    await announce();
    failing.pacs.push(new Failure('pacs-unavailable'));
    expect(await replay({ force: true, reason: 'the picture was unreadable' })).toBe('retrying pacs-unavailable');
    expect(await announce()).toBe('done');
    expect(reads).toHaveLength(2);
    expect((await revisions(site)).map(({ demand }) => demand?.reason ?? null)).toEqual([
      null,
      'the picture was unreadable',
    ]);
    expect(kinds(site)).toEqual(['sr', 'sr']);
  });

  test('stands in the history with who and why, also where the study is under way', async () => {
    const { announce, replay, store } = open({ ...film });
    await announce();
    await replay({ by: 'command/alice', reason: 'a question of the ward' });
    const asked = (await store.history(studyUid)).filter(({ demand }) => demand !== null);
    expect(asked).toMatchObject([
      { state: 'announced', demand: { kind: 'replay', by: 'command/alice', reason: 'a question of the ward' } },
    ]);
  });
});

describe('fault 7: a study that moved to another StudyInstanceUID', () => {
  test('is gone under the old one, because the archive says so, and its results are other objects than those of the new', async () => {
    const { announce } = open({ ...film });
    await announce();
    const { archive } = site.world();
    site.change({
      archive: {
        ...archive,
        list: async () => {
          throw new Failure('source-gone');
        },
      },
    });
    // The archive is asked four times: one that is slow to index has not lost a study.
    const states: string[] = [];
    for (let look = 0; look < 4; look++) states.push(await announce());
    expect([states[0], states.at(-1)]).toEqual(['retrying source-gone', 'source-gone source-gone']);
    expect(kinds(site)).toEqual(['sr']);
  });
});
