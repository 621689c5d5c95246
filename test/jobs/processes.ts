import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach } from '@jest/globals';

/** Child processes of the tests; none outlives its test. */

const childPath = fileURLToPath(new URL('./child.ts', import.meta.url));
const children: Child[] = [];

export interface Child {
  readonly pid: number;
  /** What it said so far, line by line. */
  readonly lines: readonly string[];
  /** Resolves when a line that starts so was said. */
  said(start: string): Promise<string>;
  /** Resolves with the exit code after the end; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

export function startChild(
  mode: 'hold' | 'work' | 'serve' | 'upgrade',
  folder: string,
  ...rest: readonly string[]
): Child {
  const process = spawn(globalThis.process.execPath, ['--expose-gc', childPath, mode, folder, ...rest], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const child = follow(process);
  children.push(child);
  return child;
}

function follow(process: ChildProcess): Child {
  const lines: string[] = [];
  let rest = '';
  process.stdout!.on('data', (chunk: Buffer) => {
    const [last = '', ...whole] = (rest + chunk).split('\n').reverse();
    lines.push(...whole.reverse());
    rest = last;
    process.emit('lines');
  });
  const ended = once(process, 'close').then(([code]) => code as number | null);
  return {
    pid: process.pid!,
    lines,
    ended,
    async said(start) {
      for (;;) {
        const line = lines.find((candidate) => candidate.startsWith(start));
        if (line !== undefined) return line;
        await once(process, 'lines');
      }
    },
    kill(signal) {
      process.kill(signal);
      return ended;
    },
  };
}

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill('SIGKILL')));
});
