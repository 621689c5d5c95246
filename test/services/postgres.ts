import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** A real PostgreSQL server on a free loopback port; start takes two seconds, so share one in a suite. */

const versions = '/usr/lib/postgresql';
const startTimeoutMs = 60_000;

export interface PostgresServer {
  /** Makes an empty database and gives its URL. */
  createDatabase(): Promise<string>;
  /** Stops at once, as `systemctl restart` does, and starts again on the same data and port after `downMs`. */
  restart(downMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Why the server cannot be started here, or null. */
export function whyNoPostgres(): string | null {
  return binaries() === null ? 'postgresql is not installed: test/services/install.sh' : null;
}

function binaries(): string | null {
  if (!existsSync(versions)) return null;
  const newest = readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? null : join(versions, newest, 'bin');
}

/** The server refuses to run as root: its own user runs it then. */
const isRoot = process.getuid?.() === 0;
const asServer = (command: readonly string[]): readonly string[] =>
  isRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command;

export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries()!;
  const folder = mkdtempSync(join(tmpdir(), 'cxr-postgres-'));
  chmodSync(folder, 0o755);
  if (isRoot) {
    const id = (what: '-u' | '-g') => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }));
    chownSync(folder, id('-u'), id('-g'));
  }
  const data = join(folder, 'data');
  const init = ['-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '-D', data];
  const [program = '', ...args] = asServer([join(bin, 'initdb'), ...init]);
  execFileSync(program, args, { stdio: 'ignore', cwd: folder });
  const port = await freePort();
  const address = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const launch = () => launchServer(join(bin, 'postgres'), { folder, data, port, url: address('postgres') });
  let server = await launch();
  let count = 0;
  return {
    async createDatabase() {
      const name = `test_${++count}`;
      await query(address('postgres'), `CREATE DATABASE ${name}`);
      return address(name);
    },
    async restart(downMs = 0) {
      await halt(server);
      await new Promise((resolve) => setTimeout(resolve, downMs));
      server = await launch();
    },
    async stop() {
      await halt(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One statement over a connection of its own. */
export async function query<T extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<T>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

interface Launch {
  readonly folder: string;
  readonly data: string;
  readonly port: number;
  readonly url: string;
}

/** The shell waits for the end of its standard input: a test run that is killed leaves no server behind. */
const guard = '"$@" </dev/null & server=$!; cat >/dev/null; kill -INT $server; wait $server';

async function launchServer(postgres: string, { folder, data, port, url }: Launch): Promise<ChildProcess> {
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`];
  const command = [postgres, '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const [program = '', ...args] = asServer(['bash', '-c', guard, 'guard', ...command]);
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], cwd: folder });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = `${errors}${chunk.toString()}`.slice(-8000);
  });
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const failure = await query(url, 'SELECT 1').then(
      () => null,
      (error: unknown) => error,
    );
    if (failure === null) return child;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`PostgreSQL did not start\n${errors}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function halt(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { readonly port: number };
      probe.close(() => resolve(port));
    });
  });
}
