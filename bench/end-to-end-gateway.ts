import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { LoadedModel } from '../src/model/manifest.ts';
import { type Buckets, bucketsOf, type StateChange } from './end-to-end-figures.ts';
import { type BenchHospital, issuer, patientSystem } from './end-to-end-hospital.ts';

/** A real `serve` in a process of its own, seen from outside: its log, its API, its metrics. */

export interface BenchGateway {
  readonly pid: number;
  announce(studyInstanceUid: string): Promise<void>;
  /** Hears the state in which a study came to an end; the newest listener alone. */
  onEnd(listener: (state: string) => void): void;
  /** Every change of state of the study, oldest first. */
  history(studyInstanceUid: string): Promise<readonly StateChange[]>;
  /** Resolves when `/healthz` has answered. */
  health(): Promise<void>;
  /** Delays of its event loop since it began. */
  eventLoop(): Promise<Buckets>;
  close(): Promise<void>;
}

const historySchema = z.object({
  history: z.array(z.object({ at: z.iso.datetime().transform(Date.parse), state: z.string() })),
});

export const quietSeconds = 1;
/** What differs from the defaults, apart from addresses and names; told in the table. */
const settings = {
  jobs: { concurrency: 4 },
  reader: { atOnce: 2, threads: 1 },
  pacs: { maxInFlight: 4 },
  fhir: { maxInFlight: 4 },
} as const;
export const settingsInWords = [
  `jobs.concurrency ${settings.jobs.concurrency}, reader.atOnce ${settings.reader.atOnce} with ${settings.reader.threads} thread each,`,
  `${settings.pacs.maxInFlight} requests at once to each server, settle.quietSeconds ${quietSeconds}`,
].join(' ');

const token = 'token-of-the-benchmark';
const startWithinMs = 120_000;
/** `retrying` is no end, but no study of the benchmark may need it. */
const ends: readonly string[] = ['done', 'skipped', 'quarantined', 'source-gone', 'dead', 'retrying'];

function configuration(folder: string, { pacsUrl, fhirUrl }: BenchHospital, model: LoadedModel): object {
  return {
    pacs: { url: pacsUrl, ...settings.pacs },
    fhir: { url: fhirUrl, issuers: { [issuer]: patientSystem }, ...settings.fhir },
    // Every study is announced by the benchmark, which knows then what is in flight.
    sources: { qidoPoll: { enabled: false } },
    reader: settings.reader,
    model: { id: model.manifest.id, folder: join(model.folder, '..') },
    allowUntrained: true,
    selection: { maxStudyAgeDays: null },
    settle: { quietSeconds },
    jobs: { ...settings.jobs, stateFolder: join(folder, 'state') },
    reconcile: { enabled: false },
    http: { port: 0, token },
  };
}

/** Raises when it does not listen in time. */
export async function startServe(hospital: BenchHospital, model: LoadedModel): Promise<BenchGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-bench-gateway-'));
  const config = join(folder, 'gateway.json');
  writeFileSync(config, JSON.stringify(configuration(folder, hospital, model)));
  const child = spawn(process.execPath, ['--no-warnings', 'src/main.ts', 'serve', '--config', config], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const ended = once(child, 'exit');
  let listener: (state: string) => void = () => {};
  const url = await readLog(child, (state) => listener(state));
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const onEnd = (given: typeof listener) => {
    listener = given;
  };
  return { pid: child.pid!, close, onEnd, ...speaking(url) };
}

/** Gives the address at which it listens; goes on telling of studies that end. */
function readLog(child: ChildProcess, onEnd: (state: string) => void): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Error(`serve did not listen within ${startWithinMs} ms`)), startWithinMs);
  child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  createInterface({ input: child.stderr! }).on('line', (line) => {
    const { event, state, url } = parsed(line);
    if (event === 'listening' && url !== undefined) {
      clearTimeout(timer);
      resolve(url);
    }
    if (event === 'failure' || event === 'crash') console.error(line);
    if (event === 'job' && state !== undefined && ends.includes(state)) onEnd(state);
  });
  return promise;
}

interface Line {
  readonly event?: string;
  readonly state?: string;
  readonly url?: string;
}

function parsed(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return {};
  }
}

function speaking(url: string): Pick<BenchGateway, 'announce' | 'history' | 'health' | 'eventLoop'> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
    const answer = await fetch(`${url}${path}`, { headers, ...init });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: status ${answer.status}: ${text}`);
    return text;
  };
  return {
    async announce(studyInstanceUid) {
      await ask('/api/v1/studies', { method: 'POST', body: JSON.stringify({ studyInstanceUid }) });
    },
    history: async (uid) => historySchema.parse(JSON.parse(await ask(`/api/v1/studies/${uid}`))).history,
    health: async () => void (await ask('/healthz')),
    eventLoop: async () => bucketsOf(await ask('/metrics'), 'cxr_gateway_event_loop_delay_seconds'),
  };
}
