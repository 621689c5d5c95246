import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/**
 * A runtime in a process of its own that takes turns with others: `run BATCH TIMES` in, seconds out, a line each. Its own
 * clock counts, so that the pipe does not. The other sides are `onnxruntime.ts` and `peers/turns.py`.
 */

export interface Turns {
  readonly pid: number;
  readonly version: string;
  /** How it was set up at each batch size, for people. */
  readonly how: Readonly<Record<string, string>>;
  /** p(opacity) of the image in `TurnsSpec.input`: whether it is the same network at all. */
  readonly probability: number;
  /** Seconds for that many runs of that batch size. Raises when the process is gone. */
  run(batch: number, times: number): Promise<number>;
  close(): Promise<void>;
}

/** Why there is none: a package, an interpreter or a driver that is missing. */
export interface Absent {
  readonly absent: string;
}

export const isAbsent = (found: Turns | Absent): found is Absent => 'absent' in found;

/** What the process is told, as JSON in its last argument. */
export interface TurnsSpec {
  /** ONNX files by the size of the batch that they take. */
  readonly models: Readonly<Record<number, string>>;
  /** One image: float32, raw. */
  readonly input: string;
  readonly shape: readonly number[];
  readonly inputName: string;
  /** p(none), p(opacity). */
  readonly outputName: string;
  readonly threads: number;
  readonly [own: string]: unknown;
}

const greeting = z.union([
  z.object({
    ready: z.object({ version: z.string(), how: z.record(z.string(), z.string()), probability: z.number() }),
  }),
  z.object({ absent: z.string() }),
]);

export async function startTurns(command: string, args: readonly string[], spec: TurnsSpec): Promise<Turns | Absent> {
  const child = spawn(command, [...args, JSON.stringify(spec)], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.on('error', () => undefined);
  const gone = once(child, 'exit').then(
    () => null,
    () => null,
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => ((await lines.next()).value as string | undefined) ?? null;
  const close = async () => {
    child.stdin.end();
    await gone;
  };
  const greeted = greeting.safeParse(parsed(await nextLine())).data ?? { absent: `${command} does not start` };
  if ('absent' in greeted) {
    await close();
    return greeted;
  }
  const { ready } = greeted;
  return {
    ...ready,
    pid: child.pid!,
    close,
    async run(batch, times) {
      child.stdin.write(`run ${batch} ${times}\n`);
      const seconds = Number((await nextLine()) ?? Number.NaN);
      if (!(seconds > 0)) throw new Error(`${[command, ...args].join(' ')}: ended in its turn`);
      return seconds;
    },
  };
}

function parsed(line: string | null): unknown {
  try {
    return JSON.parse(line ?? '');
  } catch {
    return null;
  }
}
