import { afterEach, describe, expect, test } from '@jest/globals';
import type { Memory } from '../../src/core/ports.ts';
import { createOrthancChanges } from '../../src/sources/orthanc-changes.ts';
import { makeHttp, type Peer, startPeer } from '../net/peer.ts';
import { makeMemory, type Rounds, runRounds } from './support.ts';

/** The two calls of an Orthanc that the source makes, answered as Orthanc 1.10.1 answers them. */

interface Change {
  readonly Seq: number;
  readonly ChangeType: string;
  readonly ID: string;
}

const idOf = (study: number): string => `${String(study).padStart(8, '0')}-00000000-00000000-00000000-00000000`;
const stable = (Seq: number, study: number): Change => ({ Seq, ChangeType: 'StableStudy', ID: idOf(study) });
const other = (Seq: number): Change => ({ Seq, ChangeType: 'NewInstance', ID: idOf(Seq) });

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface World {
  changes: readonly Change[];
  readonly gone: Set<string>;
  fails: boolean;
  readonly peer: Peer;
}

async function world(changes: readonly Change[]): Promise<World> {
  const state = { changes, gone: new Set<string>(), fails: false };
  const peer = await startPeer((response, { path }) => {
    const { pathname, searchParams } = new URL(path, 'http://orthanc');
    if (state.fails) return void response.writeHead(500).end();
    if (pathname === '/changes') return void response.end(JSON.stringify(changesOf(state.changes, searchParams)));
    const id = pathname.slice('/studies/'.length);
    if (state.gone.has(id)) return void response.writeHead(404).end();
    response.end(JSON.stringify({ ID: id, MainDicomTags: { StudyInstanceUID: `2.25.${Number(id.slice(0, 8))}` } }));
  });
  closing.push(() => peer.close());
  return Object.assign(state, { peer });
}

function changesOf(changes: readonly Change[], query: URLSearchParams) {
  const end = changes.at(-1)?.Seq ?? 0;
  if (query.has('last')) return { Changes: changes.slice(-1), Done: true, Last: end };
  const later = changes.filter(({ Seq }) => Seq > Number(query.get('since')));
  const page = later.slice(0, Number(query.get('limit')));
  return { Changes: page, Done: page.length === later.length, Last: page.at(-1)?.Seq ?? end };
}

function follow(
  { peer }: World,
  { startFrom = 'now', memory = makeMemory() }: { startFrom?: 'now' | 'everything'; memory?: Memory } = {},
): Rounds {
  const http = makeHttp(peer.url);
  const rounds = runRounds((tools) =>
    createOrthancChanges({ http, orthancUrl: `${peer.url}/`, everySeconds: 5, startFrom, memory, ...tools }),
  );
  closing.push(
    () => http.close(),
    () => rounds.stop(),
  );
  return rounds;
}

describe('the changes of an Orthanc', () => {
  test('announce every study that became stable, once a page, and nothing else', async () => {
    const orthanc = await world([other(1), stable(2, 7)]);
    const rounds = follow(orthanc);
    expect((await rounds.next()).announced).toEqual([]);
    orthanc.changes = [...orthanc.changes, other(3), stable(4, 8), stable(5, 9), stable(6, 8)];
    expect((await rounds.next()).announced).toEqual(['2.25.8', '2.25.9']);
    expect((await rounds.next()).announced).toEqual([]);
  });

  test('are read from the first on when the site wants everything', async () => {
    const orthanc = await world(Array.from({ length: 250 }, (_, index) => stable(index + 1, index + 1)));
    expect((await follow(orthanc, { startFrom: 'everything' }).next()).announced).toHaveLength(250);
  });

  test('of an archive that was empty at the first start are all read, because they are all new', async () => {
    const orthanc = await world([]);
    const rounds = follow(orthanc);
    await rounds.next();
    orthanc.changes = [stable(1, 1)];
    expect((await rounds.next()).announced).toEqual(['2.25.1']);
  });

  test('go on after a restart at the place that was remembered', async () => {
    const memory = makeMemory();
    const orthanc = await world([stable(1, 1)]);
    const before = follow(orthanc, { memory });
    await before.next();
    await before.stop();
    orthanc.changes = [stable(1, 1), stable(2, 2)];
    expect((await follow(orthanc, { memory }).next()).announced).toEqual(['2.25.2']);
  });

  test.each<[string, readonly Change[], readonly string[]]>([
    ['shorter', [stable(1, 11), stable(2, 12)], ['2.25.11', '2.25.12']],
    ['empty', [], []],
    [
      'as long, with other changes',
      [stable(1, 11), stable(2, 12), stable(3, 13), stable(4, 14)],
      ['2.25.11', '2.25.12', '2.25.13', '2.25.14'],
    ],
    ['already longer', [stable(3, 13), stable(4, 14), stable(5, 15)], ['2.25.13', '2.25.14', '2.25.15']],
  ])('that begin anew are read from their begin: %s (fault 36)', async (_name, after, announced) => {
    const orthanc = await world([stable(1, 1), stable(2, 2), stable(3, 3), stable(4, 4)]);
    const rounds = follow(orthanc);
    await rounds.next();
    orthanc.changes = after;
    expect((await rounds.next()).announced).toEqual(announced);
    expect((await rounds.next()).announced).toEqual([]);
    orthanc.changes = [...after, stable(60, 60)];
    expect((await rounds.next()).announced).toEqual(['2.25.60']);
  });

  test('do not begin anew because the study of the last one was deleted', async () => {
    const orthanc = await world([stable(1, 1), stable(2, 2), stable(3, 3)]);
    const rounds = follow(orthanc);
    await rounds.next();
    orthanc.changes = [stable(1, 1), stable(2, 2), stable(4, 4)];
    expect((await rounds.next()).announced).toEqual(['2.25.4']);
  });

  test('of a study that is gone, or that has no proper name, hold nothing up', async () => {
    const orthanc = await world([]);
    const rounds = follow(orthanc);
    await rounds.next();
    orthanc.gone.add(idOf(1));
    orthanc.changes = [stable(1, 1), { Seq: 2, ChangeType: 'StableStudy', ID: '../system' }, stable(3, 3)];
    expect((await rounds.next()).announced).toEqual(['2.25.3']);
    expect(orthanc.peer.asked.some(({ path }) => path.includes('system'))).toBe(false);
  });

  test('are asked for again at the same place after a failure, because none may be lost', async () => {
    const orthanc = await world([]);
    const rounds = follow(orthanc);
    await rounds.next();
    orthanc.changes = [stable(1, 1)];
    orthanc.fails = true;
    expect((await rounds.next()).failures.map(({ code }) => code)).toEqual(['pacs-unavailable']);
    expect(rounds.pausedMs).toBe(10_000);
    orthanc.fails = false;
    expect((await rounds.next()).announced).toEqual(['2.25.1']);
  });

  test('that another server answers for are reported', async () => {
    const peer = await startPeer((response) => response.end('{"hello":1}'));
    closing.push(() => peer.close());
    const rounds = follow({ peer, changes: [], gone: new Set(), fails: false });
    expect((await rounds.next()).failures.map(({ code }) => code)).toEqual(['pacs-not-dicomweb']);
  });
});
