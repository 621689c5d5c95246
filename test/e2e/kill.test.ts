import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { RequestHandler } from 'express';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/**
 * Fault 66: kill -9 before and after every effect that the gateway has outside itself, which are its requests, and at random. One
 * gateway after another works on the same folder; each is killed in the middle of a study that the next one finishes.
 */

/** Milliseconds within which a small study is done, so that a random moment hits it; more kills for a longer run. */
const studyMs = 700;
const randomKills = Number(process.env['CXR_KILLS'] ?? 4);

let archive: RunningArchive;
let fhir: RunningFhirStore;
let folder: GatewayFolder;
/** What is done with the n-th request of the study under way. */
let onRequest: (response: Parameters<RequestHandler>[1]) => void = () => {};

const watch: RequestHandler = (_request, response, next) => {
  onRequest(response);
  next();
};

beforeAll(async () => {
  archive = await startArchive({ before: watch });
  fhir = await startFhirStore({ before: watch });
  const peers = { pacs: { url: archive.url }, fhir: { url: fhir.url } };
  const quiet = { settle: { quietSeconds: 0 }, reconcile: { enabled: false } };
  folder = makeGatewayFolder({ ...peers, ...quiet, sources: { qidoPoll: { enabled: false } } });
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

afterAll(async () => {
  await Promise.all([archive.close(), fhir.close()]);
  folder.remove();
});

const objectsOf = (number: number): number =>
  archive.studies().find(({ StudyInstanceUID }) => StudyInstanceUID === testStudyUid(number))?.instances.length ?? 0;

const reportsOf = (number: number) =>
  fhir.resources('DiagnosticReport').filter((report) => JSON.stringify(report).includes(`TEST-A${number}"`));

async function announce(gateway: RunningGateway, number: number): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ studyInstanceUid: testStudyUid(number) });
  expect((await gateway.api('/api/v1/studies', { method: 'POST', headers, body })).status).toBe(202);
}

async function stateOf(gateway: RunningGateway, number: number): Promise<string | null> {
  try {
    const row = (await (await gateway.api(`/api/v1/studies/${testStudyUid(number)}`)).json()) as { state?: string };
    return row.state ?? null;
  } catch {
    return null;
  }
}

const isDone = (gateway: RunningGateway, number: number) =>
  poll(`study ${number} is done`, 60_000, async () => ((await stateOf(gateway, number)) === 'done' ? true : null));

/** One SR, one picture, one report in its first version. */
function expectOnce(number: number): void {
  expect(objectsOf(number)).toBe(3);
  expect(reportsOf(number).map(({ meta }) => meta.versionId)).toEqual(['1']);
}

/**
 * Kills the gateway at the moment that `arm` chooses while it reads the study. False: the study was done before that moment came,
 * and the gateway lives.
 */
async function killDuring(gateway: RunningGateway, number: number, arm: (kill: () => void) => void): Promise<boolean> {
  arm(() => process.kill(gateway.pid, 'SIGKILL'));
  await announce(gateway, number).catch(() => {});
  const outcome = await poll(`study ${number} is done or the gateway dead`, 60_000, async () => {
    if (await gateway.died()) return 'dead';
    return (await stateOf(gateway, number)) === 'done' ? 'done' : null;
  });
  onRequest = () => {};
  return outcome === 'dead';
}

async function startTracked(): Promise<RunningGateway> {
  const gateway = await startGateway(folder);
  closing.push(() => gateway.stop('SIGKILL'));
  return gateway;
}

describe('fault 66: kill -9', () => {
  test('before and after every request, one result comes of each study, because every effect may be the last', async () => {
    let gateway = await startTracked();
    let number = 1100;
    let kills = 0;
    // Until a study is done before its n-th request: then each of its requests has been the last.
    for (let nth = 1, reached = true; reached; nth++) {
      for (const moment of ['before', 'after'] as const) {
        number++;
        await storeFilm(archive.url, makeSmallFilm(number));
        reached = await killDuring(gateway, number, (kill) => {
          let seen = 0;
          onRequest = (response) => {
            if (++seen !== nth) return;
            if (moment === 'before') kill();
            else response.once('finish', kill);
          };
        });
        if (reached) {
          kills++;
          gateway = await startTracked();
          await isDone(gateway, number);
        }
        expectOnce(number);
      }
    }
    expect(kills).toBeGreaterThan(16);
    expect((await gateway.stop()).code).toBe(0);
  }, 600_000);

  test(
    'at random moments, likewise',
    async () => {
      let gateway = await startTracked();
      let state = 66;
      const random = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      for (let round = 0; round < randomKills; round++) {
        const number = 1200 + round;
        await storeFilm(archive.url, makeSmallFilm(number));
        const timer: { kill?: NodeJS.Timeout } = {};
        const killed = await killDuring(gateway, number, (kill) => {
          timer.kill = setTimeout(kill, random() * studyMs);
        });
        clearTimeout(timer.kill);
        if (killed) gateway = await startTracked();
        // It may have died before it had taken the announcement: whoever got no answer asks again.
        if ((await stateOf(gateway, number)) === null) await announce(gateway, number);
        await isDone(gateway, number);
        expectOnce(number);
      }
      expect((await gateway.stop()).code).toBe(0);
    },
    60_000 + randomKills * 60_000,
  );
});
