import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/core/failure.ts';
import type { Memory } from '../../src/core/ports.ts';
import { sourcesOptionsSchema } from '../../src/sources/options.ts';
import type { SearchStudies, StudyRow, StudySearch } from '../../src/sources/pages.ts';
import { createQidoPoll, type QidoPoll } from '../../src/sources/qido-poll.ts';
import { makeMemory, type Rounds, runRounds } from './support.ts';

/** An archive of rows that pages as it is told. */

interface Study {
  readonly uid: string;
  readonly date?: string | null;
  readonly time?: string;
  readonly instances?: number | null;
  readonly modalities?: readonly string[];
}

interface Habits {
  readonly ignoresOffset?: boolean;
  readonly ignoresLimit?: boolean;
  readonly ignoresModality?: boolean;
  /** Cuts every page at so many rows without a word. */
  readonly cap?: number;
}

const inRange = (value: string | null | undefined, range: string | null): boolean => {
  if (range === null) return true;
  const [from, to = from] = range.split('-');
  return value != null && value >= from! && value <= to!;
};

function archive(studies: () => readonly Study[], habits: Habits = {}) {
  const searches: StudySearch[] = [];
  const search: SearchStudies = async (asked) => {
    searches.push(asked);
    const { modality, studyDate, studyTime, limit, offset } = asked;
    const found = studies().filter(
      ({ date = '20260314', time = '101500', modalities = ['DX'] }) =>
        (habits.ignoresModality || modalities.includes(modality)) &&
        inRange(date, studyDate) &&
        inRange(time, studyTime),
    );
    const start = habits.ignoresOffset ? 0 : offset;
    const length = Math.min(habits.ignoresLimit ? found.length : limit, habits.cap ?? found.length);
    return found.slice(start, start + length).map(rowOf);
  };
  return { search, searches };
}

const rowOf = ({ uid, date = '20260314', instances = 1, modalities = ['DX'] }: Study): StudyRow => ({
  studyInstanceUid: uid,
  studyDate: date,
  instances,
  modalities,
});

const defaults = sourcesOptionsSchema.parse({}).qidoPoll;
const open: Rounds[] = [];
afterEach(async () => {
  for (const rounds of open.splice(0)) await rounds.stop();
});

interface Setup {
  readonly options?: Partial<QidoPoll['options']>;
  readonly memory?: Memory;
  readonly now?: () => number;
  readonly timezoneOffset?: string | null;
  readonly onAnnounce?: () => Promise<void>;
}

/** Noon of the day of the studies. */
const noon = Date.UTC(2026, 2, 14, 12);

function poll(
  searchStudies: SearchStudies,
  { options, memory = makeMemory(), now, timezoneOffset, onAnnounce }: Setup = {},
): Rounds {
  const build = (tools: Pick<QidoPoll, 'report'> & { wait: NonNullable<QidoPoll['wait']> }) =>
    createQidoPoll({
      searchStudies,
      options: { ...defaults, sweep: false, ...options },
      memory,
      now: now ?? (() => noon),
      timezoneOffset: timezoneOffset ?? null,
      ...tools,
    });
  const rounds = runRounds(build, onAnnounce);
  open.push(rounds);
  return rounds;
}

const many = (count: number, plan: (index: number) => Partial<Study> = () => ({})): Study[] =>
  Array.from({ length: count }, (_, index) => ({ uid: `2.25.${index + 1}`, ...plan(index) }));

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

describe('paging', () => {
  const start = { startFrom: 'lookback' } as const;

  test.each<[string, Habits, number]>([
    ['as the standard says', {}, 20],
    ['with pages cut at 100 without a word', { cap: 100 }, 500],
    ['with no limit at all', { ignoresLimit: true }, 20],
    ['with neither limit nor offset', { ignoresLimit: true, ignoresOffset: true }, 20],
    ['without offset', { ignoresOffset: true }, 100],
    ['without offset and cut at 60', { ignoresOffset: true, cap: 60 }, 500],
  ])('%s finds every study (fault 19)', async (_name, habits, pageSize) => {
    const hour = (index: number) => String(index % 24).padStart(2, '0');
    const studies = many(457, (index) => ({ date: `2026031${2 + (index % 3)}`, time: `${hour(index)}1500` }));
    const { search, searches } = archive(() => studies, habits);
    const { announced, failures } = await poll(search, { options: { ...start, pageSize } }).next();
    expect(new Set(announced).size).toBe(457);
    expect(announced.length).toBe(457);
    expect(failures).toEqual([]);
    expect(searches.length).toBeLessThan(120);
  });

  test('without any way to the rest is reported, and what the archive does show is read all the same', async () => {
    const hidden = many(300, () => ({ modalities: ['CR'] }));
    let studies = hidden;
    const { search } = archive(() => studies, { ignoresOffset: true, cap: 60 });
    const rounds = poll(search);
    expect((await rounds.next()).failures.map(({ code }) => code)).toEqual(['pacs-refused']);
    studies = [{ uid: '2.25.901', modalities: ['CR'] }, ...hidden, { uid: '2.25.902' }];
    expect((await rounds.next()).announced.toSorted()).toEqual(['2.25.901', '2.25.902']);
    expect(rounds.pausedMs).toBe(10_000);
  });

  test('of a small site takes one question for each modality', async () => {
    const { search, searches } = archive(() => many(7));
    await poll(search, { options: start }).next();
    expect(searches).toHaveLength(2);
  });

  test('that shifts while studies arrive and go loses none, because polls overlap (fault 18)', async () => {
    const step = fc.record({ at: fc.nat(60), adds: fc.nat(3), removes: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 9 }), async (steps, pageSize) => {
        const studies = many(20);
        let next = 1000;
        let queries = 0;
        const search: SearchStudies = async (asked) => {
          const page = await archive(() => studies).search(asked);
          for (const { adds, removes } of steps.filter(({ at }) => at === queries)) {
            for (let count = 0; count < adds; count++) studies.unshift({ uid: `2.25.${next++}` });
            studies.splice(studies.length - removes, removes);
          }
          queries++;
          return page;
        };
        const rounds = poll(search, { options: { ...start, pageSize } });
        const announced = new Set<string>();
        while (queries <= 61) for (const uid of (await rounds.next()).announced) announced.add(uid);
        for (const uid of (await rounds.next()).announced) announced.add(uid);
        for (const { uid } of studies) expect(announced.has(uid)).toBe(true);
        await rounds.stop();
      }),
      { numRuns: 150 },
    );
  });
});

describe('the sweep', () => {
  test('finds a study whose date hides it, a page with each poll (T33)', async () => {
    let studies = many(10, () => ({ date: '20100101' }));
    const { search, searches } = archive(() => studies);
    const rounds = poll(search, { options: { sweep: true, pageSize: 4 } });
    for (let time = 0; time < 3; time++) await rounds.next();
    studies = [
      ...studies,
      { uid: '2.25.31', date: '19000101' },
      { uid: '2.25.32', date: '29990101' },
      { uid: '2.25.33', date: null },
    ];
    const announced: string[] = [];
    searches.length = 0;
    for (let time = 0; time < 12; time++) announced.push(...(await rounds.next()).announced);
    expect(announced.sort()).toEqual(['2.25.31', '2.25.32', '2.25.33']);
    expect(searches.filter(({ studyDate }) => studyDate === null)).toHaveLength(12);
  });

  test('of the first walk leaves the studies of these days to the poll, because one has just arrived', async () => {
    let studies = many(10, () => ({ date: '20100101' }));
    const { search } = archive(() => studies);
    let arrived = false;
    const rounds = poll(
      async (asked) => {
        // After the poll by date, before the walk gets there.
        if (asked.studyDate === null && !arrived) {
          arrived = true;
          studies = [...studies, { uid: '2.25.50' }];
        }
        return search(asked);
      },
      { options: { sweep: true } },
    );
    expect((await rounds.next()).announced).toEqual([]);
    expect((await rounds.next()).announced).toEqual(['2.25.50']);
  });

  test('of the first walk takes many pages between two polls, and no longer than that', async () => {
    let time = noon;
    const { search, searches } = archive(() => many(5000, () => ({ date: '20100101' })));
    const slow: SearchStudies = async (asked) => {
      time += 1000;
      return search(asked);
    };
    const rounds = poll(slow, { now: () => time, options: { sweep: true, pageSize: 10 } });
    await rounds.next();
    const pages = () => searches.filter(({ studyDate }) => studyDate === null).length;
    expect(pages()).toBe(10);
    await rounds.next();
    expect(pages()).toBe(20);
  });

  test('walks on at an archive that ignores offset, because the same page twice is its end', async () => {
    let studies = many(60, () => ({ date: '20100101' }));
    const { search } = archive(() => studies, { ignoresOffset: true });
    const rounds = poll(search, { options: { sweep: true } });
    for (let time = 0; time < 3; time++) await rounds.next();
    studies = [...studies, { uid: '2.25.99', date: null }];
    const announced: string[] = [];
    for (let time = 0; time < 8; time++) announced.push(...(await rounds.next()).announced);
    expect(announced).toEqual(['2.25.99']);
  });
});
