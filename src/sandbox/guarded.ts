import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A server that cannot outlive the process that started it: see `guard.ts`, which stands between the two. */

/** Beside this file, in TypeScript or compiled. */
const guard = fileURLToPath(new URL(`guard${extname(import.meta.url)}`, import.meta.url));

export interface GuardOptions {
  /** Time to end by itself before it is killed. */
  readonly graceSeconds: number;
}

export function spawnGuarded(
  command: readonly string[],
  { graceSeconds }: GuardOptions,
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [guard, String(graceSeconds), ...command], { stdio: 'pipe' });
}

/** Ends the server and resolves when it is gone. */
export async function stopGuarded(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}
