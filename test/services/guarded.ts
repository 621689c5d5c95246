import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

/**
 * A server that cannot outlive the test run: a shell between the two waits at the pipe on its standard input, and that
 * pipe closes when this process dies, however it dies.
 */

/** `$0`: the time to end by itself, seconds; `$@`: the command. */
const guard = `
"$@" &
server=$!
cat >/dev/null
kill "$server" 2>/dev/null
( sleep "$0"; kill -9 "$server" 2>/dev/null ) &
killer=$!
wait "$server" 2>/dev/null
kill "$killer" 2>/dev/null
exit 0
`;

export function spawnGuarded(
  command: readonly string[],
  { graceSeconds }: { readonly graceSeconds: number },
): ChildProcessWithoutNullStreams {
  return spawn('/bin/sh', ['-c', guard, String(graceSeconds), ...command], { stdio: 'pipe' });
}

/** Ends the server and resolves when it is gone. */
export async function stopGuarded(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}
