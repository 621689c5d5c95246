import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomOf } from '../../src/sandbox/random.ts';
import { type Feeding, feed, visitAgain } from './feed.ts';
import {
  apiOf,
  doneBy,
  drawMember,
  type Fleet,
  killAll,
  type Member,
  openFleet,
  requireAlive,
  startAll,
  stopAll,
} from './fleet.ts';
import { requireKilled } from './gateway-process.ts';
import type { ChaosHospital } from './hospital.ts';
import { type Kill, planKills } from './kills.ts';
import { quiet } from './quiet.ts';
import { makeStudy } from './studies.ts';

/** A chaos run: studies arrive while one gateway after another is killed; then they are left alone until all is quiet. */

export interface ChaosOptions {
  readonly studies: number;
  /** Gateways that run at the same time; more than one share a database. */
  readonly gateways: number;
  /** Studies that each gateway has under way at the same time. */
  readonly concurrency: number;
  /** Of the PostgreSQL database; null: one gateway on SQLite. */
  readonly databaseUrl: string | null;
  /** Random kills, beside one at each edge. */
  readonly kills: number;
  readonly edges: boolean;
  readonly seed: number;
  /** Folder for state, log and evidence; emptied first. */
  readonly folder: string;
  readonly hospital: ChaosHospital;
  /** Name of a fault planted into the gateways, or null. */
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
  /** Runs of studies that each gateway brought to an end. */
  readonly done: Readonly<Record<string, number>>;
  readonly seconds: number;
}

interface Run extends ChaosOptions, Feeding {
  readonly random: Random;
  readonly hospital: ChaosHospital;
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const run = prepare(options);
  try {
    return await runAll(run);
  } catch (error) {
    killAll(run.fleet);
    throw error;
  }
}

async function runAll(run: Run): Promise<ChaosResult> {
  const { edges, kills: randomKills, gateways, fleet } = run;
  const plan = planKills(run.random, { edges, randomKills, gateways });
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
  const seconds = (performance.now() - began) / 1000;
  const starts = fleet.reduce((sum, member) => sum + member.starts, 0);
  return { starts, kills: killed, missed, done: doneBy(fleet), seconds };
}

const nameOf = (kill: Kill): string => (kill.at === 'edge' ? kill.edge : kill.at === 'server' ? kill.moment : 'random');

function prepare(options: ChaosOptions): Run {
  const { folder, seed, studies } = options;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const random = randomOf(seed);
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const studyList = Array.from({ length: studies }, (_, index) => makeStudy(index + 1, today, random));
  writeFileSync(join(folder, 'studies.json'), JSON.stringify(studyList));
  return { ...options, random, studyList, fleet: openFleet(options), sent: 0, visitors: new Set() };
}

/**
 * The life of one gateway up to its kill; the others go on, and whoever was killed before is there again.
 * False when it came by too late and was killed by the clock.
 */
async function lifeWith(run: Run, kill: Kill, due: number): Promise<boolean> {
  const { fleet, random } = run;
  const victim = drawMember(fleet, random);
  const killAt = kill.at === 'edge' ? `${kill.edge}#${kill.pass}` : null;
  killAtMoment(run, kill, victim);
  // An edge may lie before the gateway listens: then it is dead already.
  if (!(await startAll(fleet, victim, killAt))) return true;
  const gateway = victim.process!;
  const patienceMs = kill.at === 'random' ? kill.afterMs : 15_000;
  const patience = sleep(patienceMs).then(() => 'late' as const);
  const feeding = feed(run, due);
  const ending = await Promise.race([gateway.ended.then(() => 'dead' as const), patience]);
  if (ending === 'late') gateway.kill('SIGKILL');
  requireKilled(await gateway.ended);
  victim.process = null;
  await feeding;
  await requireAlive(fleet);
  return kill.at === 'random' || ending === 'dead';
}

/** Kills the victim when a server sees its request; those of the others are none of its moments. */
function killAtMoment({ hospital }: Run, kill: Kill, victim: Member): void {
  let left = kill.at === 'server' ? kill.pass : 0;
  hospital.onMoment((moment, sender) => {
    if (kill.at !== 'server' || moment !== kill.moment || sender !== victim.username) return;
    if (victim.process && --left === 0) victim.process.kill('SIGKILL');
  });
}

/** Left alone until every study has ended; then late films and films that come again, and quiet once more. */
async function lastLife(run: Run): Promise<void> {
  const { fleet, folder, hospital } = run;
  await startAll(fleet, null, null);
  hospital.onMoment(() => {});
  await feed(run, run.studyList.length);
  const [first] = fleet;
  const api = apiOf(first!.process!);
  await quiet(run, api);
  for (const study of run.visitors) await visitAgain(run, study);
  await quiet(run, api);
  await noteTold(fleet, folder);
  await stopAll(fleet);
  await hospital.dump(folder);
}

/** What each gateway tells of the studies: of several, the same. */
async function noteTold(fleet: Fleet, folder: string): Promise<void> {
  for (const { name, process } of fleet) {
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(await apiOf(process!).all()));
  }
}
