import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** A real `serve`, started with the edges in it; it may end at any moment. */

const root = join(import.meta.dirname, '../..');
const startWithinMs = 60_000;

export interface GatewayProcess {
  /** Root of its HTTP server. */
  readonly url: string;
  readonly pid: number;
  /** Resolves with its exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** False once it has ended. */
  lives(): boolean;
  kill(signal: 'SIGKILL' | 'SIGTERM'): void;
  /** `after record#2`: from now on, that pass of that edge kills it. */
  arm(killAt: string): void;
}

export interface ProcessOptions {
  readonly configPath: string;
  /** File that its log is added to. */
  readonly logPath: string;
  /** `after record#2`; null: no edge kills it. */
  readonly killAt: string | null;
  /** Name of a planted fault; null: none. */
  readonly plant: string | null;
}

/** Resolves when it listens, or with null when it was killed before that. Raises when it ended by itself. */
export async function startProcess(options: ProcessOptions): Promise<GatewayProcess | null> {
  const { killAt, plant } = options;
  const imports = ['edges.ts', ...(plant === null ? [] : ['plant.ts'])];
  const flags = imports.flatMap((name) => ['--import', join(import.meta.dirname, name)]);
  const child = spawn(process.execPath, [...flags, 'src/main.ts', 'serve', '--config', options.configPath], {
    cwd: root,
    env: { ...process.env, CHAOS_KILL: killAt ?? '', ...(plant !== null && { CHAOS_PLANT: plant }) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const url = await Promise.race([listening(child, options.logPath), ended.then(requireKilled), late()]);
  if (url === 'late') {
    child.kill('SIGKILL');
    throw new Error(`serve did not listen within ${startWithinMs} ms; its log is ${options.logPath}`);
  }
  return url === null ? null : { url, ended, ...controls(child) };
}

function controls(child: ChildProcess): Pick<GatewayProcess, 'pid' | 'lives' | 'kill' | 'arm'> {
  return {
    pid: child.pid!,
    lives: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => void child.kill(signal),
    // It may die before it hears this.
    arm: (killAt) => void child.send(killAt, () => {}),
  };
}

/** Only a kill may end a gateway of a chaos run; an exit code is its own doing, and a finding. */
export function requireKilled(code: number | null): null {
  if (code === null) return null;
  throw new Error(`expected serve to live until it was killed, got exit code ${code}`);
}

/** Keeps its log; resolves with the address when it listens, and never when it ends before. */
export function listening(child: ChildProcess, logPath: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let start: string | null = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    appendFileSync(logPath, text);
    if (start === null) return;
    start += text;
    const url = /"event":"listening".*?"url":"([^"]+)"/.exec(start)?.[1];
    if (url === undefined) return;
    start = null;
    resolve(url);
  });
  return promise;
}

async function late(): Promise<'late'> {
  const { promise, resolve } = Promise.withResolvers<'late'>();
  setTimeout(() => resolve('late'), startWithinMs).unref();
  return promise;
}
