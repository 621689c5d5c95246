import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../src/jobs/index.ts';
import { type SimulatedArchive, startSimulatedArchive } from '../test/simulators/archive.ts';
import { startSimulatedFhir } from '../test/simulators/fhir.ts';
import { makeSmallFilm, smallPixels, testStudyUid } from '../test/support/films.ts';
import { type Served, serve, token, writeConfig } from './backlog-gateway.ts';

/** Some minutes out of a long backlog: the real `serve`, the narrow untrained network, simulated servers, STAT studies that keep coming. */

export interface Drained {
  readonly depth: number;
  /** The same start over an empty store: what of it is not the backlog's. */
  readonly readyEmptyMs: number;
  readonly readyMs: number;
  readonly seconds: number;
  /** Studies that ended in the window, the STAT ones among them. */
  readonly ended: number;
  /** Seconds from the acknowledged announcement until the archive was first asked for the study, and until it held the report. */
  readonly statBegan: readonly number[];
  readonly statReported: readonly number[];
  /** MiB, at its highest. */
  readonly own: number;
  readonly readers: number;
  readonly inFlight: number;
  /** Milliseconds of GET /metrics, each. */
  readonly scrapes: readonly number[];
}

/** Studies of the backlog whose films the archive has: as many as the window can come to, from both ends. */
const held = { newest: 800, oldest: 300 } as const;
const statEveryMs = 2_000;
const firstStat = 900_000;
const structuredReports = '1.2.840.10008.5.1.4.1.1.88.';

const picture = (() => {
  const size = { columns: 224, rows: 256 };
  const pixels = new Uint8Array(smallPixels(3, size).map((value) => value >> 4));
  return { Rows: size.rows, Columns: size.columns, BitsAllocated: 8, BitsStored: 8, HighBit: 7, PixelData: pixels };
})();

function addStudy(archive: SimulatedArchive, number: number, today: string): void {
  const series = `${testStudyUid(number)}.1`;
  const own = { SeriesInstanceUID: series, SOPInstanceUID: `${series}.1`, StudyDate: today, AcquisitionDate: today };
  archive.addInstance(makeSmallFilm(number, { ...own, ...picture }));
}

/** Announced a minute apart over the last days, none of them read. */
async function leaveBacklog(folder: string, depth: number): Promise<void> {
  const store = openStore(folder);
  const now = Date.now();
  for (let from = 0; from < depth; from += 1_000) {
    const page = Array.from({ length: Math.min(1_000, depth - from) }, (_, index) => from + index);
    const announce = (number: number) =>
      store.queue.announce(
        { studyInstanceUid: testStudyUid(number), source: 'qido-poll', priority: 'routine' },
        now - (depth - number) * 6_000,
      );
    await Promise.all(page.map(announce));
  }
  await store.close();
}

export async function drain(depth: number, seconds: number): Promise<Drained> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-backlog-'));
  mkdirSync(join(folder, 'state'), { recursive: true });
  const asked = new Map<string, number>();
  const archive = await startSimulatedArchive({
    mostLines: 10,
    onRequest: {
      before(_line, { url }) {
        const uid = /studies\/([0-9.]+)/.exec(url)?.[1];
        if (uid !== undefined && !asked.has(uid)) asked.set(uid, performance.now());
      },
    },
  });
  const fhir = await startSimulatedFhir({ mostLines: 10 });
  try {
    const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const isHeld = (number: number) => number < held.oldest || number >= depth - held.newest;
    for (let number = 0; number < depth; number++) if (isHeld(number)) addStudy(archive, number, today);
    const config = writeConfig(folder, archive.url, fhir.url);
    const log = join(folder, 'gateway.log');
    const empty = await serve(config, log);
    await empty.stop();
    await leaveBacklog(join(folder, 'state'), depth);
    // The first start is a restart after the outage, the second one a restart with work under way.
    await (await serve(config, log)).stop();
    const served = await serve(config, log);
    const watched = await watch(served, { archive, asked, seconds, today });
    await served.stop();
    return {
      depth,
      readyEmptyMs: empty.readyMs,
      readyMs: served.readyMs,
      seconds,
      inFlight: archive.highestInFlight(),
      ...watched,
    };
  } finally {
    await archive.close();
    await fhir.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Watch {
  readonly archive: SimulatedArchive;
  /** When the archive was first asked for a study. */
  readonly asked: ReadonlyMap<string, number>;
  readonly seconds: number;
  readonly today: string;
}

async function watch(served: Served, { archive, asked, seconds, today }: Watch) {
  const announced = new Map<string, number>();
  const reported = new Map<string, number>();
  const scrapes: number[] = [];
  let [own, readers, next] = [0, 0, firstStat];
  const before = await endedOf(served);
  const began = performance.now();
  const isReported = (uid: string) =>
    archive.store.ofStudy(uid).some((object) => object.SOPClassUID.startsWith(structuredReports));
  const look = () => {
    for (const uid of announced.keys()) if (!reported.has(uid) && isReported(uid)) reported.set(uid, performance.now());
  };
  const announcing = setInterval(async () => {
    const number = next++;
    addStudy(archive, number, today);
    await announce(served, testStudyUid(number));
    announced.set(testStudyUid(number), performance.now());
  }, statEveryMs);
  for (let beat = 0; performance.now() - began < seconds * 1000; beat++) {
    look();
    if (beat % 10 === 0) {
      const resident = served.resident();
      own = Math.max(own, resident.own);
      readers = Math.max(readers, resident.readers);
    }
    if (beat % 50 === 0) scrapes.push(await timeOf(() => get(served, '/metrics')));
    await sleep(100);
  }
  clearInterval(announcing);
  const ended = (await endedOf(served)) - before;
  // Those that came last are given time to end.
  for (const until = performance.now() + 60_000; reported.size < announced.size && performance.now() < until; ) {
    look();
    await sleep(100);
  }
  const since = (times: ReadonlyMap<string, number>) =>
    [...announced].map(([uid, at]) => Math.max(0, ((times.get(uid) ?? Number.POSITIVE_INFINITY) - at) / 1000));
  return { ended, own, readers, scrapes, statBegan: since(asked), statReported: since(reported) };
}

async function announce({ url }: Served, studyInstanceUid: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ studyInstanceUid, priority: 'stat' });
  const response = await fetch(`${url}/api/v1/studies`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  if (response.status !== 202) throw new Error(`the webhook answered ${response.status}`);
}

async function get({ url }: Served, path: string): Promise<string> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return await response.text();
}

/** Studies that have ended, by the gauge. */
async function endedOf(served: Served): Promise<number> {
  const text = await get(served, '/metrics');
  const states = [...text.matchAll(/^cxr_gateway_jobs\{state="(done|skipped|quarantined|dead)"\} (\d+)$/gm)];
  return states.reduce((sum, [, , count]) => sum + Number(count), 0);
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
