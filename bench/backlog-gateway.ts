import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listening } from '../test/chaos/gateway-process.ts';
import { residentOf } from './machine.ts';

/** A real `serve` whose store holds a backlog. */

const root = join(import.meta.dirname, '..');
const startWithinMs = 180_000;
export const token = 'token-of-the-benchmark';
export const maxInFlight = 2;
export const concurrency = 2;

export interface Served {
  readonly url: string;
  /** Milliseconds from the start of the process until `/readyz` answered 200. */
  readonly readyMs: number;
  /** MiB: of the process itself, and of its reader processes together. */
  resident(): { readonly own: number; readonly readers: number };
  stop(): Promise<void>;
}

export function writeConfig(folder: string, pacsUrl: string, fhirUrl: string): string {
  const path = join(folder, 'gateway.json');
  const config = {
    pacs: { url: pacsUrl, maxInFlight },
    fhir: { url: fhirUrl },
    sources: { qidoPoll: { enabled: false } },
    model: { id: 'resnet101-narrow-untrained' },
    allowUntrained: true,
    selection: { maxStudyAgeDays: null, minAgeYears: null },
    settle: { quietSeconds: 0 },
    reconcile: { enabled: false },
    jobs: { stateFolder: join(folder, 'state'), concurrency },
    http: { port: 0, token },
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

export async function serve(configPath: string, logPath: string): Promise<Served> {
  const began = performance.now();
  const child = spawn(process.execPath, ['src/main.ts', 'serve', '--config', configPath], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = await listeningOrEnded(child, logPath);
  while (!(await isReady(url))) {
    if (performance.now() - began > startWithinMs) throw new Error(`not ready in time; its log is ${logPath}`);
    await sleep(20);
  }
  const readyMs = performance.now() - began;
  return {
    url,
    readyMs,
    resident: () => ({
      own: mebibytesOf(child.pid!),
      readers: childrenOf(child.pid!).reduce((sum, pid) => sum + mebibytesOf(pid), 0),
    }),
    async stop() {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const mebibytesOf = (pid: number): number => residentOf(pid)?.now ?? 0;

function childrenOf(pid: number): readonly number[] {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(/\s+/).filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`).catch(() => null);
  await response?.arrayBuffer();
  return response?.status === 200;
}

async function listeningOrEnded(child: ChildProcess, logPath: string): Promise<string> {
  const ended = once(child, 'close').then(([code]) => {
    throw new Error(`serve ended with ${code}; its log is ${logPath}`);
  });
  // It ends after it listened too: then nobody waits for that.
  ended.catch(() => {});
  return Promise.race([listening(child, logPath), ended]);
}
