import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayFolder, makeGatewayFolder, type RunningGateway, startGateway } from '../test/e2e/support.ts';
import { type PostgresServer, startPostgres, whyNoPostgres } from '../test/services/postgres.ts';
import { startSimulatedFhir } from '../test/simulators/fhir.ts';
import { makeSmallFilm, testStudyUid } from '../test/support/films.ts';
import { median, perMinute, speedRatio } from './measure.ts';
import { type SlowArchive, startSlowArchive } from './slow-archive.ts';
import type { Report, Row } from './table.ts';

/** Studies a minute of one, two and three `serve` processes on one PostgreSQL database, from the announcement to "done". */

const counts = [1, 2, 3] as const;
/** Studies of one turn for each gateway, so that every turn takes about as long. */
const studiesEach = 16;
/** Before the clock: connections, children and prepared statements are there. */
const warmUpEach = 4;
/** So slow that the processors are not what is measured: all gateways and servers share them. */
const answerMs = 400;
/** Of each gateway towards the archive; half of what the narrow archive works on at once. */
const maxInFlight = 2;

interface Size {
  readonly name: string;
  /** Requests that the archive works on at once. */
  readonly places: number;
}

const sizes: readonly Size[] = [
  { name: 'gateways, an archive of 12 places', places: 12 },
  { name: 'gateways, an archive of 4 places', places: 4 },
];

interface World extends SlowArchive {
  readonly places: number;
  readonly fhirUrl: string;
  readonly server: PostgresServer;
  /** Number of the next study. */
  next: number;
}

interface Turn {
  /** A study. */
  readonly seconds: number;
  /** Shares of the time, 0 to 1. */
  readonly archive: number;
  readonly processors: number;
}

export async function benchGateways(rounds: number): Promise<readonly Report[]> {
  const reason = whyNoPostgres();
  if (reason !== null) return [{ name: 'gateways', about: `Not measured: ${reason}.`, rows: [] }];
  const [server, fhir] = await Promise.all([startPostgres(), startSimulatedFhir()]);
  try {
    const reports: Report[] = [];
    for (const size of sizes) reports.push(await measure(size, rounds, { server, fhirUrl: fhir.url }));
    return reports;
  } finally {
    await Promise.all([server.stop(), fhir.close()]);
  }
}

async function measure(
  { name, places }: Size,
  rounds: number,
  servers: Pick<World, 'server' | 'fhirUrl'>,
): Promise<Report> {
  const slow = await startSlowArchive(places, answerMs);
  const world: World = { ...servers, ...slow, places, next: 1 };
  const turns = new Map<number, Turn[]>(counts.map((count) => [count, []]));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const count of counts) turns.get(count)!.push(await withGateways(world, count));
    }
  } finally {
    await slow.archive.close();
  }
  const about = `Simulated archive: ${answerMs} ms a request, ${places} requests at once; each gateway sends ${maxInFlight} at once. Narrow network, films of 300 × 360 pixels, a PostgreSQL on the same machine.`;
  return { name, about, rows: counts.map((count) => rowOf(count, turns)) };
}

function rowOf(count: number, turns: ReadonlyMap<number, readonly Turn[]>): Row {
  const own = turns.get(count)!;
  const secondsOf = (of: number) => turns.get(of)!.map(({ seconds }) => seconds);
  const percent = (part: 'archive' | 'processors') => Math.round(median(own.map((turn) => turn[part])) * 100);
  return {
    id: `${count}`,
    what: count === 1 ? 'one gateway' : `${count} gateways`,
    value: perMinute(median(secondsOf(count))),
    unit: 'studies/min',
    ratio: { value: speedRatio(secondsOf(count), secondsOf(1)), of: 'one gateway' },
    note: `archive ${percent('archive')} % taken, processors ${percent('processors')} % busy`,
  };
}

/** New gateways on a new database; their start is not timed. */
async function withGateways(world: World, count: number): Promise<Turn> {
  const jobs = { kind: 'postgres', url: await world.server.createDatabase(), concurrency: 2 * maxInFlight };
  const folders = Array.from({ length: count }, () => makeGatewayFolder({}));
  const gateways: RunningGateway[] = [];
  try {
    gateways.push(...(await Promise.all(folders.map((folder) => start(world, folder, jobs)))));
    await readStudies(world, gateways, warmUpEach * count, 0);
    return await timed(world, () => readStudies(world, gateways, studiesEach * count, warmUpEach * count));
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    for (const folder of folders) folder.remove();
  }
}

function start(world: World, folder: GatewayFolder, jobs: object): Promise<RunningGateway> {
  folder.configure({
    pacs: { url: world.archive.url, maxInFlight },
    fhir: { url: world.fhirUrl },
    sources: { qidoPoll: { enabled: false } },
    settle: { quietSeconds: 0 },
    jobs: { ...jobs, stateFolder: `${folder.path}/state`, minFreeMiB: 0 },
  });
  return startGateway(folder);
}

/** Into the archive, announced to the gateways by turns; gives how many, when all of them are done. */
async function readStudies(
  world: World,
  gateways: readonly RunningGateway[],
  count: number,
  before: number,
): Promise<number> {
  const numbers = Array.from({ length: count }, () => world.next++);
  for (const number of numbers) world.archive.addInstance(makeSmallFilm(number));
  await Promise.all(numbers.map((number) => announce(gateways[number % gateways.length]!, testStudyUid(number))));
  while ((await doneAt(gateways[0]!)) < before + count) await sleep(50);
  return count;
}

async function announce(gateway: RunningGateway, studyInstanceUid: string): Promise<void> {
  const body = JSON.stringify({ studyInstanceUid });
  const headers = { 'content-type': 'application/json' };
  const answer = await gateway.api('/api/v1/studies', { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`the gateway answered ${answer.status} to an announcement`);
}

async function doneAt(gateway: RunningGateway): Promise<number> {
  const answer = await gateway.api('/api/v1/studies?state=done&limit=1');
  return ((await answer.json()) as { readonly total: number }).total;
}

async function timed(world: World, work: () => Promise<number>): Promise<Turn> {
  const [began, busy, idle] = [performance.now(), world.busyMs(), idleMs()];
  const studies = await work();
  const ms = performance.now() - began;
  return {
    seconds: ms / 1000 / studies,
    archive: (world.busyMs() - busy) / (world.places * ms),
    processors: 1 - (idleMs() - idle) / (cpus().length * ms),
  };
}

/** Of all processors together, since the machine began. */
const idleMs = (): number => cpus().reduce((sum, { times }) => sum + times.idle, 0);
