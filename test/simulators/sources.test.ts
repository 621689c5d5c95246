import { afterEach, describe, expect, test } from '@jest/globals';
import { createStudySearch } from '../../src/dicom/qido.ts';
import { createOrthancChanges } from '../../src/sources/orthanc-changes.ts';
import { makeHttp } from '../net/peer.ts';
import { smallFilm } from '../sandbox/objects.ts';
import { noon, poll } from '../sources/paging-archive.ts';
import { makeMemory, type Rounds, runRounds } from '../sources/support.ts';
import { type SimulatedArchive, startSimulatedArchive } from './archive.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { includefieldIgnored, limitIgnored, offsetIgnored, shiftingPages, silentCap } from './pacs-habits.ts';
import { scripted } from './script.ts';

/** Sources that ask archives with habits of their own, over the wire. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function archiveOf(studies: number, date: (index: number) => string): Promise<SimulatedArchive> {
  const archive = await startSimulatedArchive();
  closing.push(() => archive.close());
  for (let index = 1; index <= studies; index++) archive.addInstance(film(index, date(index)));
  return archive;
}

const film = (index: number, date: string) => smallFilm({ study: `2.25.${index}`, image: `2.25.${index}.1.1`, date });

function pollOf({ url }: SimulatedArchive, pageSize: number): Rounds {
  const http = makeHttp(url);
  closing.push(() => http.close());
  return poll(createStudySearch({ http, qidoUrl: url }), { options: { startFrom: 'lookback', pageSize } });
}

const always = (misbehaviour: Misbehaviour) => scripted({ misbehaviour, times: Number.POSITIVE_INFINITY });
const days = ['20260312', '20260313', '20260314'];
const inTurn = (index: number): string => days[index % 3]!;

describe('an archive', () => {
  test.each<[string, Misbehaviour, number]>([
    ['cuts its pages at 60 without a word', silentCap(60), 100],
    ['ignores offset', offsetIgnored, 60],
    ['ignores offset and limit', limitIgnored, 60],
    ['ignores includefield', includefieldIgnored, 60],
  ])('that %s shows every study all the same (fault 19)', async (_name, habit, pageSize) => {
    const archive = await archiveOf(150, inTurn);
    archive.setScript(always(habit));
    const { announced, failures } = await pollOf(archive, pageSize).next();
    expect([new Set(announced).size, announced.length, failures]).toEqual([150, 150, []]);
    expect(archive.requests.length).toBeLessThan(60);
  });

  test('to which a study comes between any two pages loses none, because polls overlap (fault 18)', async () => {
    const archive = await archiveOf(120, inTurn);
    let next = 500;
    archive.setScript(always(shiftingPages(archive.store, () => (next < 530 ? film(next++, days[2]!) : null))));
    const rounds = pollOf(archive, 50);
    const announced = new Set<string>();
    for (let round = 0; round < 12 || next < 530; round++)
      for (const uid of (await rounds.next()).announced) announced.add(uid);
    for (const uid of (await rounds.next()).announced) announced.add(uid);
    expect(archive.store.studies().filter((uid) => !announced.has(uid))).toEqual([]);
    expect(announced.size).toBe(150);
  });

  test.each([-1, 1])(
    'whose clock is %i day off is read as any other, because the cursor is what arrived (fault 20)',
    async (off) => {
      const day = new Date(noon + off * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
      const archive = await archiveOf(3, () => day);
      const rounds = pollOf(archive, 50);
      expect((await rounds.next()).announced).toHaveLength(3);
      archive.addInstance(film(4, day));
      expect((await rounds.next()).announced).toEqual(['2.25.4']);
    },
  );
});

describe('an archive whose sequence of changes begins anew (fault 36)', () => {
  function follow({ restUrl }: SimulatedArchive, everySeconds = 5): Rounds {
    const http = makeHttp(restUrl);
    const tools = { http, orthancUrl: restUrl, everySeconds, startFrom: 'everything', memory: makeMemory() } as const;
    const rounds = runRounds((given) => createOrthancChanges({ ...tools, ...given }));
    closing.push(
      () => http.close(),
      () => rounds.stop(),
    );
    return rounds;
  }

  test.each([2, 9])('is read from the begin, with %i studies after the reset', async (after) => {
    const archive = await archiveOf(5, inTurn);
    const rounds = follow(archive);
    expect((await rounds.next()).announced).toHaveLength(5);
    archive.resetChanges();
    for (let index = 100; index < 100 + after; index++) archive.addInstance(film(index, days[0]!));
    expect((await rounds.next()).announced).toHaveLength(after);
    archive.addInstance(film(200, days[0]!));
    expect((await rounds.next()).announced).toEqual(['2.25.200']);
  });
});
