import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The gateway as a user starts it: a process of its own with a configuration file. */

const root = join(import.meta.dirname, '../..');

export interface RunningGateway {
  readonly url: string;
  readonly log: () => string;
  /** JSON of the API; the token is sent. */
  api(path: string, init?: RequestInit): Promise<Response>;
  /** Kills the process in the very moment in which its log holds the text; resolves when it is gone. */
  killAt(text: string): Promise<void>;
  /** The exit code of a process that ended by itself; null while it runs. */
  exited(): Promise<number | null>;
  /** Whether it has ended, by a signal or by itself. */
  died(): Promise<boolean>;
  readonly pid: number;
  stop(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly tookMs: number }>;
}

export interface GatewayFolder {
  readonly path: string;
  readonly token: string;
  readonly config: string;
  /** Writes the configuration anew: the settings over what every test needs. */
  configure(settings: Readonly<Record<string, unknown>>): void;
  remove(): void;
}

export const token = 'token-of-the-end-to-end-test';

/** A folder with a configuration: what the test gives over what every test needs. */
export function makeGatewayFolder(settings: Readonly<Record<string, unknown>>): GatewayFolder {
  const path = mkdtempSync(join(tmpdir(), 'cxr-gateway-e2e-'));
  const config = join(path, 'gateway.json');
  const base = {
    // Small and fast; its results are as meaningless as they are the same each time.
    model: { id: 'resnet101-narrow-untrained' },
    allowUntrained: true,
    selection: { maxStudyAgeDays: null, minAgeYears: null },
    settle: { quietSeconds: 1 },
    // As long as anything can be written: the disk of a test machine is nobody's business.
    jobs: { stateFolder: join(path, 'state'), minFreeMiB: 0 },
    http: { port: 0, token },
  };
  const configure = (given: Readonly<Record<string, unknown>>) =>
    writeFileSync(config, JSON.stringify({ ...base, ...given }));
  configure(settings);
  return { path, token, config, configure, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function startGateway(
  folder: GatewayFolder,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningGateway> {
  const child = spawn(process.execPath, ['src/main.ts', 'serve', '--config', folder.config, ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const lines: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text));
  const log = () => lines.join('');
  const url = await poll('the gateway listens', 60_000, async () => {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}: ${log()}`);
    return /"event":"listening".*?"url":"([^"]+)"/.exec(log())?.[1] ?? null;
  });
  return {
    url,
    log,
    api: (path, init = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${folder.token}`, ...init.headers } }),
    killAt: (text) =>
      new Promise((resolve) => {
        const kill = () => void (log().includes(text) && child.kill('SIGKILL'));
        child.once('exit', () => resolve());
        child.stderr.on('data', kill);
        kill();
      }),
    exited: async () => child.exitCode,
    died: async () => child.exitCode !== null || child.signalCode !== null,
    pid: child.pid!,
    stop: (signal = 'SIGTERM') => stop(child, signal),
  };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals) {
  const began = Date.now();
  if (child.exitCode === null && child.signalCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }
  return { code: child.exitCode, tookMs: Date.now() - began };
}

/** Asks until there is an answer that is not null. */
export async function poll<T>(what: string, timeoutMs: number, ask: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > deadline) throw new Error(`gave up waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export const dataFolder = join(root, '../shared/data/dicom');
export const hasData = existsSync(dataFolder);
export const film = (name: string): Buffer => readFileSync(join(dataFolder, name));

/** The lines of `read --json` for some films. */
export function readFiles(films: readonly Uint8Array[]): readonly { readonly score: number | null }[] {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-gateway-films-'));
  try {
    for (const [index, bytes] of films.entries()) writeFileSync(join(folder, `${index}.dcm`), bytes);
    const { stdout } = spawnSync(process.execPath, ['src/main.ts', 'read', folder, '--json'], {
      cwd: root,
      encoding: 'utf8',
    });
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly score: number | null });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
