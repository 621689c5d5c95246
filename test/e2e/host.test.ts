import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/** The gateway as a process among the faults of its host: killed children, a log that nobody reads, errors that nobody caught. */

const root = join(import.meta.dirname, '../..');
let archive: RunningArchive;
let fhir: RunningFhirStore;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  archive = await startArchive();
  fhir = await startFhirStore();
});
afterAll(() => Promise.all([archive.close(), fhir.close()]));
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 60_000);

function makeFolder(settings: Readonly<Record<string, unknown>> = {}): GatewayFolder {
  const peers = { pacs: { url: archive.url }, fhir: { url: fhir.url } };
  const sources = { qidoPoll: { enabled: false } };
  const folder = makeGatewayFolder({ ...peers, sources, settle: { quietSeconds: 0 }, ...settings });
  closing.push(() => folder.remove());
  return folder;
}

async function start(
  folder: GatewayFolder,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningGateway> {
  const gateway = await startGateway(folder, [], environment);
  closing.push(() => gateway.stop('SIGKILL'));
  return gateway;
}

type Api = Pick<RunningGateway, 'api'>;

/** A server closes a connection that idled just as we use it: asked once more. Both questions may be asked twice. */
const ask = async (gateway: Api, path: string, init?: RequestInit): Promise<Response> =>
  gateway.api(path, init).catch(() => gateway.api(path, init));

const announce = (gateway: Api, number: number): Promise<Response> => {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ studyInstanceUid: testStudyUid(number) });
  return ask(gateway, '/api/v1/studies', { method: 'POST', headers, body });
};

const reaches = (gateway: Api, number: number, ...states: readonly string[]) =>
  poll(`study ${number} is ${states.join(' or ')}`, 120_000, async () => {
    const row = (await (await ask(gateway, `/api/v1/studies/${testStudyUid(number)}`)).json()) as {
      state?: string;
      code: string | null;
    };
    return states.includes(row.state ?? '') ? row : null;
  });

async function readsOne(gateway: Api, number: number): Promise<void> {
  await storeFilm(archive.url, makeSmallFilm(number));
  expect((await announce(gateway, number)).status).toBe(202);
  await reaches(gateway, number, 'done');
}

const objectsOf = (number: number): number =>
  archive.studies().find(({ StudyInstanceUID }) => StudyInstanceUID === testStudyUid(number))!.instances.length;

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

describe('fault 72: a second gateway on one state folder', () => {
  test('ends with 75 and names the first, because two of them would claim the same jobs', async () => {
    const folder = makeFolder();
    const first = await start(folder);
    const second = spawn(process.execPath, ['src/main.ts', 'serve', '--config', folder.config], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    second.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = (await once(second, 'close')) as [number];
    expect(code).toBe(75);
    expect(said).toContain(`held by process ${first.pid} on `);
    await readsOne(first, 1000);
  }, 120_000);
});

describe('fault 73: the reader killed from outside, as for want of memory', () => {
  test('between two films costs nothing: the next process reads the next film', async () => {
    const gateway = await start(makeFolder());
    await readsOne(gateway, 1013);
    for (const pid of childrenOf(gateway.pid)) process.kill(pid, 'SIGKILL');
    await readsOne(gateway, 1014);
    expect(objectsOf(1014)).toBe(3);
  }, 120_000);
});

describe('fault 79: a log that nobody reads', () => {
  /** A gateway whose stderr is a pipe; its API address is read from its folder. */
  async function startPiped(folder: GatewayFolder): Promise<Api & { readonly child: ChildProcess }> {
    const child = spawn(process.execPath, ['src/main.ts', 'serve', '--config', folder.config], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    closing.push(() => child.kill('SIGKILL'));
    child.stderr.pause();
    const address = join(folder.path, 'state', 'api-address');
    const url = await poll('the gateway listens', 60_000, async () => {
      try {
        return readFileSync(address, 'utf8');
      } catch {
        return null;
      }
    });
    const api: RunningGateway['api'] = (path, init = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${folder.token}`, ...init.headers } });
    return { child, api };
  }

  const stopped = async (child: ChildProcess): Promise<number> => {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    return ((await exit) as [number])[0];
  };

  test('and whose pipe is closed stops nothing, because the work is not the log', async () => {
    const { child, ...gateway } = await startPiped(makeFolder());
    child.stdout!.destroy();
    child.stderr!.destroy();
    for (const number of [1020, 1021]) await readsOne(gateway, number);
    expect(await stopped(child)).toBe(0);
  }, 120_000);

  test('and whose pipe is full stops nothing either, not even the end', async () => {
    const { child, ...gateway } = await startPiped(makeFolder());
    // Each announcement of an unknown study is several lines: far more than a pipe holds.
    for (let index = 0; index < 1_500; index++) expect((await announce(gateway, 50_000 + index)).status).toBe(202);
    await readsOne(gateway, 1022);
    const asked = performance.now();
    expect(await stopped(child)).toBe(0);
    expect(performance.now() - asked).toBeLessThan(30_000);
  }, 240_000);
});

describe('fault 80: an error that nobody caught', () => {
  test.each([
    ['a rejection', 'SIGUSR2', 'void Promise.reject(new Error(text))', 'unhandledRejection'],
    ['an exception', 'SIGUSR2', 'setImmediate(() => { throw new Error(text); })', 'uncaughtException'],
  ])(
    '%s ends the process with 70 and one line without its text, and the next start goes on',
    async (name, signal, act, origin) => {
      const number = name === 'a rejection' ? 1030 : 1040;
      const folder = makeFolder();
      const hook = join(folder.path, 'hook.mjs');
      writeFileSync(hook, `const text = 'DOE^JANE'; process.on('${signal}', () => { ${act}; });`);
      const doomed = await start(folder, { NODE_OPTIONS: `--import ${hook}` });
      await readsOne(doomed, number);
      await storeFilm(archive.url, makeSmallFilm(number + 1));
      await announce(doomed, number + 1);
      process.kill(doomed.pid, signal as NodeJS.Signals);
      await poll('the gateway ended', 60_000, async () => doomed.exited());
      expect((await doomed.stop()).code).toBe(70);
      const crashes = doomed
        .log()
        .split('\n')
        .filter((line) => line.includes('"event":"crash"'));
      expect(crashes).toHaveLength(1);
      expect(JSON.parse(crashes[0]!)).toMatchObject({
        code: 'internal',
        origin,
        stack: expect.stringContaining('hook.mjs'),
      });
      expect(doomed.log()).not.toContain('DOE^JANE');
      const restarted = await start(folder);
      await reaches(restarted, number + 1, 'done');
      expect([objectsOf(number), objectsOf(number + 1)]).toEqual([3, 3]);
    },
    120_000,
  );
});

describe('fault 76: a leak of file descriptors, sockets or memory', () => {
  const studies = Number(process.env['CXR_SOAK_STUDIES'] ?? 88);

  test('does not show over some hundred studies: descriptors are flat and memory settles', async () => {
    const gateway = await start(makeFolder());
    const round = async (first: number, count: number) => {
      const numbers = Array.from({ length: count }, (_, index) => first + index);
      for (const number of numbers) {
        await storeFilm(archive.url, makeSmallFilm(number));
        await announce(gateway, number);
      }
      for (const number of numbers) await reaches(gateway, number, 'done');
    };
    const measure = () => ({
      descriptors: readdirSync(`/proc/${gateway.pid}/fd`).length,
      children: childrenOf(gateway.pid).length,
      rssKiB: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]),
    });
    await round(2_000, studies / 4);
    const warm = measure();
    await round(3_000, studies);
    const after = measure();
    // Sockets that idle between two requests come and go.
    expect(after.descriptors).toBeLessThanOrEqual(warm.descriptors + 12);
    expect(after.children).toBeLessThanOrEqual(warm.children + 1);
    expect(after.rssKiB).toBeLessThan(warm.rssKiB * 1.5 + 64 * 1024);
  }, 900_000);
});
