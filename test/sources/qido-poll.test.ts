import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import type { SearchStudies } from '../../src/core/search.ts';
import type { QidoPoll } from '../../src/sources/qido-poll.ts';
import { archive, many, poll, type Study } from './paging-archive.ts';
import { makeMemory } from './support.ts';

describe('the poll', () => {
  test('announces a study once, and again when its number of instances changes, because late images come', async () => {
    let studies: Study[] = [];
    const rounds = poll(archive(() => studies).search);
    await rounds.next();
    studies = [{ uid: '2.25.1' }];
    expect((await rounds.next()).announced).toEqual(['2.25.1']);
    expect((await rounds.next()).announced).toEqual([]);
    studies = [{ uid: '2.25.1', instances: 2 }];
    expect((await rounds.next()).announced).toEqual(['2.25.1']);
    expect((await rounds.next()).announced).toEqual([]);
    studies = [{ uid: '2.25.1', instances: null }];
    expect((await rounds.next()).announced).toEqual([]);
  });

  test('asks for CR and DX each, from the look-back days to tomorrow, because an archive need not take a list', async () => {
    const { search, searches } = archive(() => []);
    await poll(search).next();
    expect(searches.map(({ modality, studyDate, studyTime }) => [modality, studyDate, studyTime])).toEqual([
      ['CR', '20260312-20260315', null],
      ['DX', '20260312-20260315', null],
    ]);
  });

  test.each([
    ['+1300', '20260313-20260316'],
    ['-1230', '20260311-20260314'],
    ['+0000', '20260312-20260315'],
  ])('takes the days of the site at %s (fault 20)', async (timezoneOffset, studyDate) => {
    const { search, searches } = archive(() => []);
    await poll(search, {
      timezoneOffset,
      now: () => Date.UTC(2026, 2, 14, timezoneOffset.startsWith('-') ? 11 : 12),
    }).next();
    expect(searches[0]?.studyDate).toBe(studyDate);
  });

  test('that starts from now reads the look-back days where a gateway worked before, because its store was lost (fault 70)', async () => {
    const studies: Study[] = [
      { uid: '2.25.1', modalities: ['CR'] },
      { uid: '2.25.2', modalities: ['CR', 'SR', 'OT'] },
      { uid: '2.25.3', modalities: ['CR', 'SR'], date: '19991231' },
    ];
    const looked: (string | null)[] = [];
    const lost = (found: string | null) => {
      const showsLoss = async ({ studyInstanceUid }: { readonly studyInstanceUid: string | null }) => {
        looked.push(studyInstanceUid);
        return studyInstanceUid === found;
      };
      return poll(archive(() => studies).search, { showsLoss });
    };
    expect((await lost('2.25.2').next()).announced).toEqual(['2.25.1', '2.25.2']);
    // Only a study that holds a report can show it, and only one of the days.
    expect(looked).toEqual(['2.25.2']);
    expect((await lost(null).next()).announced).toEqual([]);
  });

  test('asks an archive that does not tell modalities about few of its studies, because each costs a listing', async () => {
    let looks = 0;
    const showsLoss = async () => {
      looks++;
      return false;
    };
    const studies = many(300, () => ({ modalities: [] }));
    const rounds = poll(archive(() => studies, { ignoresModality: true }).search, { showsLoss });
    expect((await rounds.next()).announced).toEqual([]);
    expect(looks).toBe(50);
    await rounds.next();
    expect(looks).toBe(50);
  });

  test.each<[QidoPoll['options']['startFrom'], readonly string[]]>([
    ['now', []],
    ['lookback', ['2.25.1']],
    ['everything', ['2.25.1', '2.25.2', '2.25.3']],
  ])(
    'that starts from %s announces what is there accordingly, and what comes later always',
    async (startFrom, first) => {
      let studies: Study[] = [{ uid: '2.25.1' }, { uid: '2.25.2', date: '19991231' }, { uid: '2.25.3', date: null }];
      const rounds = poll(archive(() => studies).search, { options: { startFrom, sweep: true } });
      const announced = new Set<string>();
      for (let time = 0; time < 8; time++) for (const uid of (await rounds.next()).announced) announced.add(uid);
      expect([...announced].sort()).toEqual(first);
      studies = [...studies, { uid: '2.25.9' }];
      expect((await rounds.next()).announced).toEqual(['2.25.9']);
    },
  );

  test('goes on after a restart where it was, because the memory is on disk', async () => {
    const memory = makeMemory();
    let studies = many(3);
    const { search } = archive(() => studies);
    const before = poll(search, { memory });
    await before.next();
    await before.stop();
    studies = many(4);
    expect((await poll(search, { memory }).next()).announced).toEqual(['2.25.4']);
  });

  test('announces again what it could not announce, because a study is noted only after it', async () => {
    let fails = true;
    let studies: Study[] = [];
    const onAnnounce = async () => {
      if (fails) throw new Failure('store-failed');
    };
    const rounds = poll(archive(() => studies).search, { onAnnounce });
    await rounds.next();
    studies = many(1);
    const failed = await rounds.next();
    expect([failed.announced, failed.failures.map(({ code }) => code)]).toEqual([[], ['store-failed']]);
    fails = false;
    expect((await rounds.next()).announced).toEqual(['2.25.1']);
  });

  test('keeps no UID in its memory, because a UID can name a patient (T27)', async () => {
    const memory = makeMemory();
    await poll(archive(() => [{ uid: '1.2.840.113619.77' }]).search, { memory, options: { sweep: true } }).next();
    expect(JSON.stringify([...memory.values])).not.toContain('113619');
    expect(memory.values.size).toBeGreaterThan(1);
  });

  test('passes over what it did not ask for and what names no study', async () => {
    let studies: Study[] = [];
    const { search } = archive(() => studies, { ignoresModality: true });
    const odd: SearchStudies = async (asked) => [
      { studyInstanceUid: null, studyDate: null, instances: 1, modalities: [] },
      ...(await search(asked)),
    ];
    const rounds = poll(odd);
    await rounds.next();
    studies = [
      { uid: '2.25.1', modalities: ['CT', 'SR'] },
      { uid: '2.25.2', modalities: ['SR', 'CR'] },
      { uid: '2.25.3', modalities: [] },
    ];
    expect((await rounds.next()).announced).toEqual(['2.25.2', '2.25.3']);
  });
});

describe('a failing archive', () => {
  test('is asked again after pauses that grow, and not before the time that it names (faults 23, 24)', async () => {
    let failure: Failure | null = new Failure('pacs-unavailable');
    const { search } = archive(() => many(1));
    const rounds = poll(
      async (asked) => {
        if (failure) throw failure;
        return search(asked);
      },
      { options: { startFrom: 'lookback' } },
    );
    const pauses: number[] = [];
    for (let time = 0; time < 9; time++) {
      expect((await rounds.next()).failures).toEqual([failure]);
      pauses.push(rounds.pausedMs / 1000);
    }
    expect(pauses).toEqual([20, 40, 80, 160, 320, 600, 600, 600, 600]);
    failure = new Failure('pacs-busy', { retryAfterSeconds: 1800 });
    await rounds.next();
    expect(rounds.pausedMs).toBe(1_800_000);
    failure = null;
    expect((await rounds.next()).announced).toEqual(['2.25.1']);
    expect(rounds.pausedMs).toBe(10_000);
  });
});
