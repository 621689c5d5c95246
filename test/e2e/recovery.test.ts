import { cpSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type RunningArchive, startArchive } from '../../src/sandbox/archive.ts';
import { type RunningFhirStore, startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { storeFilm } from '../../src/sandbox/index.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';
import { type GatewayFolder, makeGatewayFolder, poll, type RunningGateway, startGateway } from './support.ts';

/** The gateway as a process, thirty studies, and a store that is lost between two starts (faults 70 and 71). */

const studies = 30;
const numbers = Array.from({ length: studies }, (_, index) => 800 + index);
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 60_000);

interface World {
  readonly archive: RunningArchive;
  readonly fhir: RunningFhirStore;
  readonly folder: GatewayFolder;
  readonly state: string;
}

async function makeWorld(): Promise<World> {
  const archive = await startArchive();
  const fhir = await startFhirStore();
  const peers = { pacs: { url: archive.url }, fhir: { url: fhir.url } };
  const qidoPoll = { everySeconds: 1, startFrom: 'now' };
  const folder = makeGatewayFolder({ ...peers, sources: { qidoPoll }, settle: { quietSeconds: 0 } });
  closing.push(
    () => archive.close(),
    () => fhir.close(),
    () => folder.remove(),
  );
  return { archive, fhir, folder, state: join(folder.path, 'state') };
}

async function start(folder: GatewayFolder): Promise<RunningGateway> {
  const gateway = await startGateway(folder);
  closing.push(() => gateway.stop('SIGKILL'));
  return gateway;
}

/** Films of today: the poll looks two days back. */
async function send(archive: RunningArchive, sent: readonly number[]): Promise<void> {
  const StudyDate = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  for (const number of sent) await storeFilm(archive.url, makeSmallFilm(number, { StudyDate }));
}

const counted = async (gateway: RunningGateway): Promise<Record<string, number>> => {
  const { studies: rows } = (await (await gateway.api('/api/v1/studies?limit=500')).json()) as {
    studies: { state: string }[];
  };
  return Object.fromEntries([...Map.groupBy(rows, ({ state }) => state)].map(([state, of]) => [state, of.length]));
};

const ready = (gateway: RunningGateway) =>
  poll('the first poll is over', 60_000, async () => ((await gateway.api('/readyz')).ok ? true : null));

const allDone = (gateway: RunningGateway, count: number) =>
  poll(`${count} studies are done`, 240_000, async () => ((await counted(gateway))['done'] === count ? true : null));

/** One SR and one picture a study, one report a study, each in its first version. */
function expectOnce({ archive, fhir }: World, count: number): void {
  const held = archive.studies().filter(({ StudyInstanceUID }) => numbers.map(testStudyUid).includes(StudyInstanceUID));
  expect(held.map(({ instances }) => instances.length)).toEqual(Array.from({ length: count }, () => 3));
  expect(fhir.resources('DiagnosticReport').map(({ meta }) => meta.versionId)).toEqual(
    Array.from({ length: count }, () => '1'),
  );
}

const half = studies / 3;

describe.each([
  ['fault 70: the store deleted', (state: string) => removeStore(state)],
  ['fault 70: the store and the secret deleted', (state: string) => rmSync(state, { recursive: true })],
  ['faults 67 and 70: the store cut in half', (state: string) => cutStore(state)],
  ['fault 71: the store restored from yesterday', (state: string) => restore(state)],
])('%s', (fault, lose) => {
  test('every study has one result, those that came meanwhile too, because PACS and FHIR server are the truth', async () => {
    const world = await makeWorld();
    const { archive, folder, state } = world;
    const first = await start(folder);
    await ready(first);
    await send(archive, numbers.slice(0, half));
    await allDone(first, half);
    expect((await first.stop()).code).toBe(0);
    cpSync(state, `${state}-yesterday`, { recursive: true });
    const second = await start(folder);
    await send(archive, numbers.slice(half, 2 * half));
    await allDone(second, 2 * half);
    expect((await second.stop()).code).toBe(0);
    expectOnce(world, 2 * half);

    await send(archive, numbers.slice(2 * half));
    lose(state);
    const third = await start(folder);
    await allDone(third, studies);
    expectOnce(world, studies);
    const log = third.log();
    expect(log.match(/"event":"taken-over"/g)).toHaveLength(fault.includes('71') ? half : 2 * half);
    if (fault.includes('67')) expect(log).toContain('"code":"store-damaged"');
    else if (!fault.includes('71')) expect(log).toContain('"code":"store-lost"');
  }, 600_000);
});

function removeStore(state: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(state, `store.sqlite${suffix}`), { force: true });
}

function cutStore(state: string): void {
  const path = join(state, 'store.sqlite');
  truncateSync(path, Math.floor(statSync(path).size / 2));
}

function restore(state: string): void {
  rmSync(state, { recursive: true });
  cpSync(`${state}-yesterday`, state, { recursive: true });
}
