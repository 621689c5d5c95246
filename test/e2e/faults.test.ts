import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/**
 * Servers that do what good servers do not: each fault has its clear reason, nothing is lost, and the next study is not
 * affected. The archive and the FHIR store are the sandbox's, told to misbehave for single studies.
 */

const root = join(import.meta.dirname, '../..');

interface Row {
  readonly state: string;
  readonly code: string | null;
  readonly receipts: readonly { readonly destination: string }[];
}

describe('a gateway among servers that misbehave', () => {
  let archive: RunningArchive;
  let fhir: RunningFhirStore;
  let folder: GatewayFolder;
  let gateway: RunningGateway;
  /** Handlers by study number; removed when the fault is mended. */
  const faults = new Map<number, RequestHandler>();
  let refusals = 0;

  const misbehave: RequestHandler = (request, response, next) => {
    const fault = [...faults].find(([number]) => request.path.includes(`${testStudyUid(number)}/`));
    if (fault) fault[1](request, response, next);
    else next();
  };

  beforeAll(async () => {
    archive = await startArchive({ before: misbehave });
    fhir = await startFhirStore({
      before: (request, response, next) => {
        if (refusals <= 0 || request.method !== 'POST') return next();
        refusals--;
        const issue = [{ severity: 'error', code: 'invariant', expression: ['DiagnosticReport.code'] }];
        response.status(422).type('application/fhir+json').send({ resourceType: 'OperationOutcome', issue });
      },
    });
    const peers = { pacs: { url: archive.url, timeoutSeconds: 5 }, fhir: { url: fhir.url } };
    folder = makeGatewayFolder({ ...peers, sources: { qidoPoll: { enabled: false } }, settle: { quietSeconds: 0 } });
    gateway = await startGateway(folder);
  }, 120_000);

  afterAll(async () => {
    await gateway?.stop();
    await archive?.close();
    await fhir?.close();
    folder?.remove();
  }, 60_000);

  const send = (bytes: Uint8Array): Promise<void> => storeFilm(archive.url, bytes);

  const announce = async (number: number): Promise<void> => {
    const body = JSON.stringify({ studyInstanceUid: testStudyUid(number) });
    const headers = { 'content-type': 'application/json' };
    expect((await gateway.api('/api/v1/studies', { method: 'POST', headers, body })).status).toBe(202);
  };

  const row = async (number: number): Promise<Row> =>
    (await (await gateway.api(`/api/v1/studies/${testStudyUid(number)}`)).json()) as Row;

  const reaches = (number: number, ...states: readonly string[]): Promise<Row> =>
    poll(`study ${number} is ${states.join(' or ')}`, 60_000, async () => {
      const found = await row(number);
      return states.includes(found.state) ? found : null;
    });

  const results = (number: number): number =>
    archive.studies().find(({ StudyInstanceUID }) => StudyInstanceUID === testStudyUid(number))!.instances.length - 1;

  /** A study without a fault, read while another one is in trouble. */
  const isUnaffected = async (number: number): Promise<void> => {
    await send(makeSmallFilm(number));
    await announce(number);
    await reaches(number, 'done');
    expect(results(number)).toBe(2);
  };

  test.each([
    [10, 'a server error', 'pacs-unavailable', 500, 'text/plain', 'oops'],
    [12, 'an HTML login page with status 200 (fault 29)', 'pacs-not-dicomweb', 200, 'text/html', '<html>login</html>'],
    [14, 'a right that is lost for one study alone', 'pacs-unauthorized', 403, 'text/plain', ''],
  ])(
    'retries study %i after %s, and reads it when that is mended',
    async (number, _fault, code, status, type, body) => {
      await send(makeSmallFilm(number));
      faults.set(number, (_request, response) => void response.status(status).type(type).send(body));
      await announce(number);
      expect((await reaches(number, 'retrying')).code).toBe(code);
      await isUnaffected(number + 1);
      faults.delete(number);
      await reaches(number, 'done');
      expect(results(number)).toBe(2);
    },
    120_000,
  );

  test('keeps SR and heat-map in the PACS when the FHIR server refuses the report, and tells why (fault 50)', async () => {
    await send(makeSmallFilm(20));
    refusals = 1;
    await announce(20);
    const refused = await reaches(20, 'dead');
    expect(refused.code).toBe('fhir-refused');
    expect(new Set(refused.receipts.map(({ destination }) => destination))).toEqual(new Set(['pacs']));
    expect(results(20)).toBe(2);
    expect(gateway.log()).toMatch(/fhir-refused.*DiagnosticReport\.code/);
    await announce(20);
    expect((await reaches(20, 'done')).receipts.map(({ destination }) => destination)).toContain('fhir');
    expect(results(20)).toBe(2);
    await isUnaffected(21);
  }, 120_000);

  test('quarantines a film whose pixels end early, names it, and reads the others', async () => {
    await send(makeSmallFilm(30, { PixelData: new Uint8Array(1000) }));
    await announce(30);
    expect((await reaches(30, 'quarantined')).code).toBe('truncated');
    expect(results(30)).toBe(0);
    await isUnaffected(31);
  }, 120_000);

  test('skips an object without pixels', async () => {
    await send(makeSmallFilm(40, { Rows: undefined, Columns: undefined, PixelData: undefined }));
    await announce(40);
    expect((await reaches(40, 'skipped')).code).toBe('no-pixels');
    await isUnaffected(41);
  }, 120_000);

  test('says that a study is gone which the archive does not have (fault 4)', async () => {
    await announce(50);
    expect((await reaches(50, 'source-gone', 'retrying')).code).toBe('source-gone');
  }, 60_000);
});

test('read gives a truncated file, an HTML page and a file without pixels each its reason', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-gateway-bad-'));
  try {
    const film = makeSmallFilm(60);
    writeFileSync(join(folder, '1-good.dcm'), film);
    writeFileSync(join(folder, '2-truncated.dcm'), film.subarray(0, film.length - 5000));
    writeFileSync(join(folder, '3-page.dcm'), '<!doctype html><title>404</title>');
    writeFileSync(
      join(folder, '4-no-pixels.dcm'),
      makeSmallFilm(61, { Rows: undefined, Columns: undefined, PixelData: undefined }),
    );
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, ['src/main.ts', 'read', ...args, '--json'], { cwd: root, encoding: 'utf8' });
    const { status, stdout } = run(folder);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; outcome: string; reason: string | null });
    const byFile = Object.fromEntries(
      lines.map(({ file, outcome, reason }) => [file.at(folder.length + 1), [outcome, reason]]),
    );
    expect(status).toBe(0);
    expect(byFile).toEqual({
      1: ['reported', null],
      2: ['quarantined', 'truncated'],
      3: ['quarantined', 'not-dicom'],
      4: ['skipped', 'no-pixels'],
    });
    expect(run(join(folder, '3-page.dcm')).status).toBe(65);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
