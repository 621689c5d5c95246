import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A server that cannot outlive the test run: see `guard.ts`, which stands between the two. */

const guard = fileURLToPath(new URL('guard.ts', import.meta.url));

export interface GuardOptions {
  /** Time to end by itself before it is killed. */
  readonly graceSeconds: number;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

export function spawnGuarded(
  command: readonly string[],
  { graceSeconds, environment }: GuardOptions,
): ChildProcessWithoutNullStreams {
  const env = { ...process.env, ...environment };
  return spawn(process.execPath, [guard, String(graceSeconds), ...command], { stdio: 'pipe', env });
}

/** Ends the server and resolves when it is gone. */
export async function stopGuarded(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}
