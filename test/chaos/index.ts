import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres, whyNoPostgres } from '../services/postgres.ts';
import { openRealHospital } from './real-hospital.ts';
import { runChaos } from './run.ts';
import { openSimulatedHospital } from './simulated-hospital.ts';

/**
 * `npm run chaos`: never lost, never twice, shown on a real `serve` that is killed over and over while its servers misbehave. Then an
 * auditor that shares no code with the gateway counts. Ends with 1 unless it finds nothing. `--plant NAME` puts a fault into the gateway
 * that the auditor must find; `--real` takes a real Orthanc and a real HAPI FHIR server behind a network that misbehaves;
 * `--gateways N` takes several on one PostgreSQL database, of which one at a time is killed; `--concurrency N` is theirs: most of a run
 * is waiting for servers that misbehave.
 */

const { values } = parseArgs({
  options: {
    studies: { type: 'string', default: '500' },
    gateways: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '8' },
    faults: { type: 'string', default: '0.1' },
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    'no-edges': { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    out: { type: 'string', default: 'state/chaos' },
    real: { type: 'boolean', default: false },
    plant: { type: 'string' },
  },
});

const root = join(import.meta.dirname, '../..');
const python = join(root, 'test/services/.cache/venv/bin/python');
const seed = count('seed');
const folder = resolve(values.out);
const say = (line: string): void => console.log(line);

function count(name: 'studies' | 'gateways' | 'concurrency' | 'kills' | 'seed', least = 0): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${name}: expected a whole number from ${least} on, got ${values[name]}`);
  return value;
}

function share(): number {
  const value = Number(values.faults);
  if (!(value >= 0 && value < 1)) throw new Error(`--faults: expected a share below 1, got ${values.faults}`);
  return value;
}

async function openDatabase() {
  if (gateways === 1) return null;
  const reason = whyNoPostgres();
  if (reason !== null) throw new Error(`--gateways: ${reason}`);
  const server = await startPostgres();
  return { url: await server.createDatabase(), stop: () => server.stop() };
}

const gateways = count('gateways', 1);
const open = values.real ? openRealHospital : openSimulatedHospital;
const hospital = await open({ rate: share(), seed, folder });
const database = await openDatabase();
try {
  const { starts, kills, missed, done, seconds } = await runChaos({
    studies: count('studies'),
    gateways,
    concurrency: count('concurrency', 1),
    databaseUrl: database?.url ?? null,
    kills: count('kills'),
    edges: !values['no-edges'],
    seed,
    folder,
    hospital,
    plant: values.plant ?? null,
    quietWithinMs: Number(values.minutes) * 60_000,
    say,
  });
  say(
    `seed ${seed}: ${starts} starts, kills at edges ${kills.edge}, at servers ${kills.server}, random ${kills.random}; ${Math.round(seconds)} s`,
  );
  if (missed.length > 0) say(`not met in time, killed by the clock: ${missed.join(', ')}`);
  const shares = Object.entries(done).map(([name, runs]) => `${name} ${runs}`);
  if (gateways > 1) say(`runs brought to an end: ${shares.join(', ')}`);
  const faults = Object.entries(hospital.misbehaved()).sort(([, a], [, b]) => b - a);
  say(`misbehaviour: ${faults.map(([name, times]) => `${name} ${times}`).join(', ') || 'none'}`);
} finally {
  await hospital.close();
  await database?.stop();
}

const audit = spawnSync(python, [join(import.meta.dirname, 'audit.py'), folder], { encoding: 'utf8' });
process.stdout.write(audit.stdout);
process.stderr.write(audit.stderr);
process.exitCode = audit.status ?? 1;
