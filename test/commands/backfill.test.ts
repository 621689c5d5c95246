import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { type GatewayFolder, makeGatewayFolder, poll, startGateway } from '../e2e/support.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { run, runBeside } from './cli.ts';

describe('backfill', () => {
  let archive: RunningArchive;
  let fhir: RunningFhirStore;
  let folder: GatewayFolder;
  const writes: string[] = [];
  const fetches: string[] = [];
  const range = ['--from', '2026-11-19', '--to', '2026-11-22', '--rate', '6000'];

  beforeAll(async () => {
    archive = await startArchive({
      before: (request, _response, next) => {
        if (!['GET', 'HEAD'].includes(request.method)) writes.push(`archive ${request.method}`);
        else if (/\/instances\/[^/]+$/.test(request.path)) fetches.push(request.path);
        next();
      },
    });
    fhir = await startFhirStore({
      before: (request, _response, next) => {
        writes.push(`fhir ${request.method}`);
        next();
      },
    });
    folder = makeGatewayFolder({
      pacs: { url: archive.url },
      fhir: { url: fhir.url },
      sources: { qidoPoll: { enabled: false }, webhook: { enabled: false } },
      settle: { quietSeconds: 0 },
    });
    await storeFilm(archive.url, makeSmallFilm(501, { StudyDate: '20261120' }));
    await storeFilm(archive.url, makeSmallFilm(502, { StudyDate: '20261121' }));
    await storeFilm(archive.url, makeSmallFilm(503, { StudyDate: '20261121', BodyPartExamined: 'HAND' }));
    await storeFilm(archive.url, makeSmallFilm(504, { StudyDate: '20261201' }));
  }, 60_000);

  afterAll(async () => {
    await archive?.close();
    await fhir?.close();
    folder?.remove();
  });

  const backfill = (...args: readonly string[]) =>
    runBeside(['backfill', ...range, '--config', folder.config, ...args]);

  test('as a dry run tells days and verdicts and writes nothing, because it has no writer (fault 103)', async () => {
    writes.length = 0;
    const { status, stdout, stderr } = await backfill('--dry-run', '--json');
    expect(status).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { day: '2026-11-20', studies: 1, verdicts: { read: 1 } },
      { day: '2026-11-21', studies: 2, verdicts: { read: 1, 'not-chest': 1 } },
      { days: 4, studies: 3, dryRun: true },
    ]);
    expect(stderr).toMatch(/4\/4 days searched, 3 studies/);
    expect([writes, fetches]).toEqual([[], []]);
  }, 60_000);

  test('alone reads the studies of the days, and again changes nothing and fetches nothing', async () => {
    const first = await backfill('--json');
    expect([first.status, JSON.parse(first.stdout.trim())]).toEqual([
      0,
      { days: 4, studies: 3, states: { done: 2, 'skipped (not-chest)': 1 } },
    ]);
    expect(first.stderr).toMatch(/3\/3 studies read/);
    const reports = fhir.resources('DiagnosticReport').length;
    const [objects, fetched] = [archive.studies().flatMap(({ instances }) => instances).length, fetches.length];
    expect([reports, objects, fetched]).toEqual([2, 8, 2]);
    const second = await backfill('--json');
    expect(JSON.parse(second.stdout.trim())).toMatchObject({ states: { done: 2, 'skipped (not-chest)': 1 } });
    expect(archive.studies().flatMap(({ instances }) => instances)).toHaveLength(objects);
    expect(fetches).toHaveLength(fetched);
  }, 120_000);

  test('beside a running gateway announces to it, whatever sources are on', async () => {
    const gateway = await startGateway(folder);
    try {
      const args = ['backfill', '--from', '2026-12-01', '--to', '2026-12-01', '--config', folder.config];
      const { status, stdout } = await runBeside(args);
      expect([status, stdout]).toEqual([0, expect.stringMatching(/^1 studies of 1 days announced to the running/)]);
      await poll('the study is done', 60_000, async () => {
        const answer = await gateway.api(`/api/v1/studies/${testStudyUid(504)}`);
        return ((await answer.json()) as { readonly state?: string }).state === 'done' ? true : null;
      });
    } finally {
      await gateway.stop();
    }
  }, 120_000);

  test('says up front that the selection will refuse old studies, and which setting that is', async () => {
    const all = run([
      ...['backfill', '--from', '2001-01-01', '--to', '2001-01-02', '--config', folder.config, '--dry-run'],
      ...['--set', 'selection.maxStudyAgeDays=30'],
    ]);
    expect([all.status, all.stderr]).toEqual([78, expect.stringContaining('selection.maxStudyAgeDays: null')]);
    const today = new Date().toISOString().slice(0, 10);
    const from = new Date(Date.now() - 40 * 86_400_000).toISOString().slice(0, 10);
    const some = await runBeside([
      ...['backfill', '--from', from, '--to', today, '--config', folder.config, '--dry-run'],
      ...['--set', 'selection.maxStudyAgeDays=30'],
    ]);
    expect([some.status, some.stderr]).toEqual([0, expect.stringContaining('skipped as too-old')]);
  }, 60_000);

  test.each([
    [['--from', '2026-02-30', '--to', '2026-03-01']],
    [['--from', '2026-03-02', '--to', '2026-03-01']],
    [['--from', '20260301', '--to', '2026-03-01']],
    [['--from', '2026-03-01', '--to', '2026-03-01', '--rate', '0']],
    [['--from', '2026-03-01', '--to', '2026-03-01', '--rate', 'fast']],
  ])('refuses %j, because a slip of the hand must not announce ten years', (args) => {
    expect(run(['backfill', ...args, '--config', folder.config]).status).toBe(78);
  });
});
