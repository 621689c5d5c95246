import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomOf } from '../../src/sandbox/random.ts';
import { type GatewayProcess, requireKilled, startProcess } from './gateway-process.ts';
import { type ChaosHospital, patientSystem } from './hospital.ts';
import { type Kill, planKills } from './kills.ts';
import { type ChaosStudy, makeStudy } from './studies.ts';
import { createApi, type ToldStudy } from './told.ts';

/** A chaos run: studies arrive while the gateway is killed over and over; then it is left alone until all is quiet. */

export interface ChaosOptions {
  readonly studies: number;
  /** Random kills, beside one at each edge. */
  readonly kills: number;
  readonly edges: boolean;
  readonly seed: number;
  /** Folder for state, log and evidence; emptied first. */
  readonly folder: string;
  readonly hospital: ChaosHospital;
  /** Name of a fault planted into the gateway, or null. */
  readonly plant: string | null;
  /** Longest time for the quiet to come, after the last kill. */
  readonly quietWithinMs: number;
  readonly say: (line: string) => void;
}

export interface ChaosResult {
  readonly starts: number;
  readonly kills: Readonly<Record<Kill['at'], number>>;
  /** Edges and moments at which the gateway never came by. */
  readonly missed: readonly string[];
  readonly seconds: number;
}

/** Studies that are looked at for a second visit in one life of the gateway. */
const visitorsAtOnce = 20;

const token = 'token-of-the-chaos-run';

interface Run extends ChaosOptions {
  readonly random: Random;
  readonly configPath: string;
  readonly logPath: string;
  readonly studyList: readonly ChaosStudy[];
  /** Studies whose first films were sent. */
  sent: number;
  /** Studies of which something comes later: once they are reported. */
  readonly visitors: Set<ChaosStudy>;
  gateway: GatewayProcess | null;
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const run = prepare(options);
  const { kills } = options;
  const plan = planKills(run.random, { edges: options.edges, randomKills: kills });
  const began = performance.now();
  const killed = { edge: 0, server: 0, random: 0 };
  const missed: string[] = [];
  for (const [index, kill] of plan.entries()) {
    const due = Math.ceil((run.studyList.length * (index + 1)) / (plan.length + 1));
    const hit = await lifeWith(run, kill, due);
    if (hit) killed[kill.at]++;
    else missed.push(nameOf(kill));
    if ((index + 1) % 20 === 0) run.say(`${index + 1} of ${plan.length} kills, ${run.sent} studies sent`);
  }
  await lastLife(run);
  return { starts: plan.length + 1, kills: killed, missed, seconds: (performance.now() - began) / 1000 };
}

const nameOf = (kill: Kill): string => (kill.at === 'edge' ? kill.edge : kill.at === 'server' ? kill.moment : 'random');

function prepare(options: ChaosOptions): Run {
  const { folder, seed, studies, hospital } = options;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const random = randomOf(seed);
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const configPath = join(folder, 'gateway.json');
  writeFileSync(configPath, JSON.stringify(configuration(hospital, folder)));
  const studyList = Array.from({ length: studies }, (_, index) => makeStudy(index + 1, today, random));
  writeFileSync(join(folder, 'studies.json'), JSON.stringify(studyList));
  return {
    ...options,
    random,
    configPath,
    logPath: join(folder, 'gateway.log'),
    studyList,
    sent: 0,
    visitors: new Set(),
    gateway: null,
  };
}

function configuration({ pacsUrl, fhirUrl }: ChaosHospital, folder: string): unknown {
  return {
    pacs: { url: pacsUrl, timeoutSeconds: 5, maxInFlight: 4 },
    fhir: {
      url: fhirUrl,
      timeoutSeconds: 5,
      issuers: { TESTS: patientSystem },
      accessionSystem: 'urn:x-chaos:accession',
    },
    sources: { qidoPoll: { everySeconds: 5, startFrom: 'everything', sweep: false } },
    model: { id: 'resnet101-narrow-untrained' },
    allowUntrained: true,
    heatmapMaxSide: 256,
    selection: { maxStudyAgeDays: null, minAgeYears: null },
    settle: { quietSeconds: 0 },
    jobs: { stateFolder: join(folder, 'state'), concurrency: 4, longestPauseSeconds: 4 },
    http: { port: 0, token },
  };
}

/** One life of the gateway, ended by the kill; false when it came by too late and was killed by the clock. */
async function lifeWith(run: Run, kill: Kill, due: number): Promise<boolean> {
  const { hospital } = run;
  let hit = kill.at === 'random';
  const killAt = kill.at === 'edge' ? `${kill.edge}#${kill.pass}` : null;
  let left = kill.at === 'server' ? kill.pass : 0;
  let gateway: GatewayProcess | null = null;
  hospital.onMoment((moment) => {
    if (kill.at !== 'server' || moment !== kill.moment || !gateway || --left !== 0) return;
    gateway.kill('SIGKILL');
  });
  gateway = await start(run, killAt);
  // An edge may lie before the gateway listens: then it is dead already.
  if (!gateway) return true;
  const patienceMs = kill.at === 'random' ? kill.afterMs : 15_000;
  const patience = sleep(patienceMs).then(() => 'late' as const);
  const feeding = feed(run, due);
  const ending = await Promise.race([gateway.ended.then(() => 'dead' as const), patience]);
  if (ending === 'late') gateway.kill('SIGKILL');
  else hit = true;
  requireKilled(await gateway.ended);
  run.gateway = null;
  await feeding;
  return hit;
}

async function start(run: Run, killAt: string | null): Promise<GatewayProcess | null> {
  const { configPath, logPath, plant } = run;
  run.gateway = await startProcess({ configPath, logPath, killAt, plant });
  return run.gateway;
}

/** Sends studies up to the number that is due; some are announced too, if anybody listens. */
async function feed(run: Run, due: number): Promise<void> {
  while (run.sent < due) {
    const study = run.studyList[run.sent]!;
    run.sent++;
    if (study.admitted) await persistently(() => run.hospital.admit(study.PatientID));
    for (const film of study.films) if (!film.late) await persistently(() => run.hospital.send(film.bytes()));
    if (study.sentAgain || study.films.some(({ late }) => late)) run.visitors.add(study);
    if (run.random() < 0.5) await announce(run, study);
  }
  for (const study of [...run.visitors].slice(0, visitorsAtOnce)) {
    if (await run.hospital.isReported(study.StudyInstanceUID)) await visitAgain(run, study);
  }
}

/** Late films, or all of them once more. */
async function visitAgain(run: Run, study: ChaosStudy): Promise<void> {
  run.visitors.delete(study);
  for (const film of study.films) if (film.late || study.sentAgain) await run.hospital.send(film.bytes());
  await announce(run, study);
}

/** A modality that meets a connection that has just been closed sends again. */
async function persistently(send: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      if (tries === 5) throw error;
      await sleep(200);
    }
  }
}

/** Nobody may be there to hear it: then the poll finds the study. */
async function announce(run: Run, { StudyInstanceUID }: ChaosStudy): Promise<void> {
  if (run.gateway)
    await createApi(run.gateway.url, token)
      .announce(StudyInstanceUID)
      .catch(() => {});
}

/** Left alone until every study has ended; then late films and films that come again, and quiet once more. */
async function lastLife(run: Run): Promise<void> {
  const gateway = await start(run, null);
  if (!gateway) throw new Error('the last gateway ended by itself');
  run.hospital.onMoment(() => {});
  await feed(run, run.studyList.length);
  const api = createApi(gateway.url, token);
  await quiet(run, api);
  for (const study of run.visitors) await visitAgain(run, study);
  await quiet(run, api);
  const told = await api.all();
  writeFileSync(join(run.folder, 'gateway.json'), JSON.stringify(told));
  gateway.kill('SIGTERM');
  const code = await gateway.ended;
  if (code !== 0) throw new Error(`serve ended with ${code} after SIGTERM`);
  await run.hospital.dump(run.folder);
}

const ended: readonly string[] = ['done', 'skipped', 'quarantined'];

/** All studies have ended; one that is dead is announced again, as an operator would who has mended the server. */
async function quiet(run: Run, api: ReturnType<typeof createApi>): Promise<void> {
  const deadline = performance.now() + run.quietWithinMs;
  for (;;) {
    const told = await api.all();
    const known = new Map(told.map((row): [string, ToldStudy] => [row.studyInstanceUid, row]));
    const waiting = run.studyList.filter(
      ({ StudyInstanceUID }) => !ended.includes(known.get(StudyInstanceUID)?.state ?? ''),
    );
    if (waiting.length === 0) return;
    for (const { StudyInstanceUID } of waiting) {
      const state = known.get(StudyInstanceUID)?.state;
      if (state === undefined || state === 'dead' || state === 'source-gone') await api.announce(StudyInstanceUID);
    }
    if (performance.now() > deadline) {
      // The auditor counts what is missing.
      run.say(`gave up waiting for ${waiting.length} studies`);
      return;
    }
    await sleep(1000);
  }
}
