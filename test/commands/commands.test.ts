import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { version } from '../../src/version.ts';
import { makeGatewayFolder, poll, startGateway } from '../e2e/support.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { run, runBeside } from './cli.ts';

describe('the command line', () => {
  test('tells its version, and help with examples for every command', () => {
    expect(run(['--version']).stdout.trim()).toBe(version());
    for (const command of ['serve', 'read', 'explain', 'study', 'demo', 'check']) {
      const { status, stdout } = run([command, '--help']);
      expect([status, stdout]).toEqual([0, expect.stringMatching(/Examples:\n\s+(\w+=\S+ )*cxr-gateway /)]);
    }
  }, 60_000);

  test('ends with 2 on a command line that it does not understand', () => {
    expect(run(['serve', '--confg', 'x']).status).toBe(2);
    expect(run(['raed']).status).toBe(2);
  }, 30_000);

  test.each([['serve'], ['check'], ['study', '1.2.3']])(
    'ends with 78 on a wrong configuration and names the key: %s',
    (...command) => {
      const { status, stderr } = run([...command, '--set', 'pacs.url=http://h/d', '--set', 'pcas.url=x']);
      expect(status).toBe(78);
      expect(stderr).toMatch(/unknown key pcas/);
      expect(stderr).not.toMatch(/\n {4}at /);
    },
    30_000,
  );
});

describe('explain', () => {
  test('tells of a file which rules passed and which refused, as text and as JSON', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cxr-explain-'));
    try {
      const path = join(folder, 'film.dcm');
      writeFileSync(path, makeSmallFilm(79));
      const { status, stdout } = run(['explain', path]);
      expect([status, stdout]).toEqual([
        0,
        expect.stringMatching(/film\.dcm: would be read, view \w+\n {2}passes {2}ownUid/),
      ]);
      const site = run([
        'explain',
        path,
        '--json',
        '--set',
        'pacs.url=http://h/d',
        '--set',
        'fhir.url=http://h/f',
        '--set',
        'selection.minAgeYears=120',
      ]);
      expect(JSON.parse(site.stdout)).toMatchObject({ outcome: 'skipped', reason: 'too-young', view: null });
      expect(JSON.parse(site.stdout).rules).toContainEqual(
        expect.objectContaining({ rule: 'oldEnough', code: 'too-young' }),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);

  test('asks for a configuration when it is given a study, and ends with 65 where there is nothing to explain', () => {
    const study = run(['explain', '1.2.840.99.1']);
    expect([study.status, study.stderr]).toEqual([78, expect.stringMatching(/--config with the archive/)]);
    expect(run(['explain', 'package.json']).status).toBe(65);
  }, 60_000);
});

describe('with an archive and a FHIR server', () => {
  let archive: RunningArchive;
  let results: RunningArchive;
  let fhir: RunningFhirStore;

  beforeAll(async () => {
    archive = await startArchive();
    results = await startArchive();
    fhir = await startFhirStore();
    for (const number of [80, 81, 82]) await storeFilm(archive.url, makeSmallFilm(number));
  });

  afterAll(async () => {
    await Promise.all([archive.close(), results.close(), fhir.close()]);
  });

  const settings = () => ({
    pacs: { url: archive.url },
    fhir: { url: fhir.url },
    sources: { qidoPoll: { enabled: false } },
  });
  const stored = (from: RunningArchive, number: number) =>
    from.studies().find(({ StudyInstanceUID }) => StudyInstanceUID === testStudyUid(number))?.instances.length ?? 0;

  test('check finds two addresses in the environment enough, and warns that studies will wait', () => {
    const model = { CXR_GATEWAY__MODEL__ID: 'resnet101-narrow-untrained' };
    const environment = { CXR_GATEWAY__PACS__URL: archive.url, CXR_GATEWAY__FHIR__URL: fhir.url, ...model };
    const { status, stdout } = run(['check'], environment);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/valid.*\n.*wait.*untrained/)]);
    expect(JSON.parse(run(['check', '--json'], environment).stdout)).toMatchObject({
      valid: true,
      training: 'untrained',
    });
  }, 30_000);

  test('study reads one study of the PACS alone, and again without a second result', async () => {
    const folder = makeGatewayFolder(settings());
    try {
      for (let round = 0; round < 2; round++) {
        const { status, stdout } = await runBeside(['study', testStudyUid(80), '--config', folder.config, '--json']);
        expect(status).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({ studyInstanceUid: testStudyUid(80), state: 'done' });
        expect(stored(archive, 80)).toBe(3);
      }
      const missing = await runBeside(['study', '1.2.3.4', '--config', folder.config]);
      expect([missing.status, missing.stdout]).toEqual([65, expect.stringMatching(/source-gone/)]);
    } finally {
      folder.remove();
    }
  }, 120_000);

  test('explain lists a study of the archive, beside a gateway that holds the store', async () => {
    const folder = makeGatewayFolder(settings());
    const gateway = await startGateway(folder);
    try {
      const { status, stdout } = await runBeside(['explain', testStudyUid(82), '--config', folder.config]);
      expect([status, stdout]).toEqual([
        0,
        expect.stringMatching(/would be read, view PA(.|\n)*passes {2}frontalOnly .*ViewPosition=PA/),
      ]);
    } finally {
      await gateway.stop();
      folder.remove();
    }
  }, 60_000);

  test('study asks the serve that holds the store, and a second serve is told who holds it (fault 72)', async () => {
    const folder = makeGatewayFolder(settings());
    const gateway = await startGateway(folder);
    try {
      const { status, stdout } = await runBeside(['study', testStudyUid(81), '--config', folder.config]);
      expect([status, stdout]).toEqual([0, expect.stringMatching(/^done: (present|absent), score/)]);
      const second = await runBeside(['serve', '--config', folder.config]);
      expect([second.status, second.stderr]).toEqual([75, expect.stringMatching(/store-locked.*process \d+/)]);
    } finally {
      await gateway.stop();
      folder.remove();
    }
  }, 120_000);

  test('results go to another archive where the site has one', async () => {
    const folder = makeGatewayFolder({ ...settings(), pacs: { url: archive.url, results: { url: results.url } } });
    try {
      const { status } = await runBeside(['study', testStudyUid(82), '--config', folder.config]);
      expect(status).toBe(0);
      expect([stored(archive, 82), stored(results, 82)]).toEqual([1, 2]);
    } finally {
      folder.remove();
    }
  }, 60_000);

  test('an untrained model lets studies wait and says so, until the site allows it', async () => {
    const folder = makeGatewayFolder({ ...settings(), allowUntrained: false });
    const gateway = await startGateway(folder);
    const body = JSON.stringify({ studyInstanceUid: testStudyUid(82) });
    const headers = { 'content-type': 'application/json' };
    const ready = await gateway.api('/readyz');
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('model-untrained')]);
    expect((await gateway.api('/healthz')).status).toBe(200);
    await gateway.api('/api/v1/studies', { method: 'POST', headers, body });
    const state = async (from: typeof gateway) =>
      ((await (await from.api(`/api/v1/studies/${testStudyUid(82)}`)).json()) as { readonly state: string }).state;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await state(gateway)).toBe('announced');
    await gateway.stop();
    const allowed = await startGateway(folder, ['--set', 'allowUntrained=true']);
    await poll('the waiting study is done', 60_000, async () => ((await state(allowed)) === 'done' ? true : null));
    expect((await allowed.api('/readyz')).status).toBe(200);
    await allowed.stop();
    folder.remove();
  }, 120_000);
});

describe('read', () => {
  test('gives the same objects when files are read twice, and counts the studies in its folders', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cxr-gateway-read-'));
    try {
      writeFileSync(join(folder, 'a.dcm'), makeSmallFilm(90));
      writeFileSync(join(folder, 'b.dcm'), makeSmallFilm(90));
      writeFileSync(join(folder, 'c.dcm'), makeSmallFilm(91));
      const out = join(folder, 'out');
      const { status, stdout } = run([
        'read',
        join(folder, 'a.dcm'),
        join(folder, 'b.dcm'),
        join(folder, 'c.dcm'),
        '--out',
        out,
        '--json',
      ]);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(status).toBe(0);
      expect(lines.map(({ outcome }) => outcome)).toEqual(['reported', 'reported', 'reported']);
      expect(lines[0]!['score']).toBe(lines[1]!['score']);
      expect(Object.keys(lines[0]!)).toEqual([
        'file',
        'sopInstanceUid',
        'outcome',
        'reason',
        'view',
        'score',
        'decision',
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
