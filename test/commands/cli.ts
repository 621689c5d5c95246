import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The command line as a person calls it. */

const root = join(import.meta.dirname, '../..');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string>>;

export function run(args: readonly string[], environment: Environment = {}): Ended {
  const env = { ...process.env, ...environment };
  return spawnSync(process.execPath, ['src/main.ts', ...args], { cwd: root, encoding: 'utf8', env });
}

/** Like `run`, without blocking this process: for commands that talk to servers in it. */
export async function runBeside(args: readonly string[], environment: Environment = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['src/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, ...text };
}
