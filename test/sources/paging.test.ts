import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SearchStudies } from '../../src/core/search.ts';
import { archive, type Habits, many, noon, poll } from './paging-archive.ts';

/** How archives page, and what the slow walk through them finds. */

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
      { numRuns: 1_000 },
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
