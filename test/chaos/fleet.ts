import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../src/sandbox/random.ts';
import { type GatewayProcess, startProcess } from './gateway-process.ts';
import { type ChaosHospital, patientSystem } from './hospital.ts';
import { createApi } from './told.ts';

/** The gateways of a chaos run: one with a store of its own, or several that share a database. */

export interface FleetOptions {
  readonly hospital: ChaosHospital;
  readonly folder: string;
  readonly gateways: number;
  /** Studies that each has under way, and requests to each server, at the same time. */
  readonly concurrency: number;
  /** Of the PostgreSQL database that they share; null: one gateway on SQLite. */
  readonly databaseUrl: string | null;
  readonly plant: string | null;
}

export interface Member {
  /** `gateway`, or `gateway-2` of several. */
  readonly name: string;
  /** What its requests can be told by; null when it is the only one. */
  readonly username: string | null;
  readonly configPath: string;
  readonly logPath: string;
  readonly plant: string | null;
  /** Null: not started yet, or killed. */
  process: GatewayProcess | null;
  starts: number;
}

export type Fleet = readonly Member[];

const token = 'token-of-the-chaos-run';

export function openFleet(options: FleetOptions): Fleet {
  const { folder, gateways, plant } = options;
  return Array.from({ length: gateways }, (_, index): Member => {
    const suffix = gateways === 1 ? '' : `-${index + 1}`;
    const name = `gateway${suffix}`;
    const username = gateways === 1 ? null : name;
    const configPath = join(folder, `config${suffix}.json`);
    const stateFolder = join(folder, `state${suffix}`);
    writeFileSync(configPath, JSON.stringify(configuration(options, { username, stateFolder })));
    const logPath = join(folder, `${name}.log`);
    return { name, username, configPath, logPath, plant, process: null, starts: 0 };
  });
}

function configuration(
  { hospital: { pacsUrl, fhirUrl }, databaseUrl, concurrency }: FleetOptions,
  { username, stateFolder }: { readonly username: string | null; readonly stateFolder: string },
): unknown {
  const peer = { timeoutSeconds: 5, ...(username !== null && { username, password: 'of the chaos run' }) };
  return {
    pacs: { url: pacsUrl, ...peer, maxInFlight: concurrency },
    fhir: { url: fhirUrl, ...peer, issuers: { TESTS: patientSystem }, accessionSystem: 'urn:x-chaos:accession' },
    sources: { qidoPoll: { everySeconds: 5, startFrom: 'everything', sweep: false } },
    model: { id: 'resnet101-narrow-untrained' },
    allowUntrained: true,
    heatmapMaxSide: 256,
    selection: { maxStudyAgeDays: null, minAgeYears: null },
    settle: { quietSeconds: 0 },
    jobs: {
      ...(databaseUrl !== null && { kind: 'postgres', url: databaseUrl }),
      ...{ stateFolder, concurrency, longestPauseSeconds: 4 },
    },
    http: { port: 0, token },
  };
}

/** One of them; of a single one nothing is drawn. */
export const drawMember = (fleet: readonly Member[], random: Random): Member =>
  fleet.length === 1 ? fleet[0]! : fleet[Math.floor(random() * fleet.length)]!;

/**
 * Starts all that do not run, the victim with its edge; a victim that runs is told of it.
 * @returns false when the edge lay before the victim listened: then it is dead already.
 */
export async function startAll(fleet: Fleet, victim: Member | null, killAt: string | null): Promise<boolean> {
  const starting = fleet.filter(({ process }) => process === null);
  if (victim?.process && killAt !== null) victim.process.arm(killAt);
  await Promise.all(starting.map((member) => start(member, member === victim ? killAt : null)));
  const missing = fleet.find((member) => member !== victim && member.process === null);
  if (missing) throw new Error(`${missing.name} was killed while it started, by no kill of this run`);
  return victim === null || victim.process !== null;
}

async function start(member: Member, killAt: string | null): Promise<void> {
  const { configPath, logPath, plant } = member;
  member.starts++;
  member.process = await startProcess({ configPath, logPath, killAt, plant });
}

/** Raises when one has ended that was not to be killed. */
export async function requireAlive(fleet: Fleet): Promise<void> {
  for (const { name, process } of fleet) {
    if (process && !process.lives())
      throw new Error(`${name} ended by itself with ${await process.ended}, and no kill was meant for it`);
  }
}

export type Api = ReturnType<typeof createApi>;

export const apiOf = ({ url }: GatewayProcess): Api => createApi(url, token);

/** Ends all as an operator does. Raises when one does not end with 0. */
export async function stopAll(fleet: Fleet): Promise<void> {
  for (const { name, process } of fleet) {
    process?.kill('SIGTERM');
    const code = await process?.ended;
    if (code !== 0) throw new Error(`${name} ended with ${code} after SIGTERM`);
  }
}

/** Leaves no process behind when the run itself has failed. */
export function killAll(fleet: Fleet): void {
  for (const { process } of fleet) process?.kill('SIGKILL');
}

/** How many runs each brought to an end, by its log. */
export const doneBy = (fleet: Fleet): Readonly<Record<string, number>> =>
  Object.fromEntries(
    fleet.map(({ name, logPath }) => [name, readFileSync(logPath, 'utf8').split(doneLine).length - 1]),
  );

const doneLine = '"state":"done"';
