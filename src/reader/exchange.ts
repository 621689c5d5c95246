import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { startClock } from './clock.ts';
import { watchMemory } from './memory.ts';

/** One child process, and one question to it under its limits. */

export interface Limits {
  readonly timeoutMs: number;
  readonly memoryLimitMiB: number;
}

/** How a question ended. After anything but an answer the child is dead. */
export type Ending<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'died'; readonly how: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'memory'; readonly mebibytes: number };

export interface Exchange<Answer> extends Limits {
  /** The answer, or null when a message is none. */
  readonly parse: (message: unknown) => Answer | null;
  /** What the child asks back; its clock stands still until it has the reply. Null when a message is no such question. */
  readonly help?: (message: unknown) => Promise<object> | null;
}

/**
 * Node's permission model takes writing, processes and worker-made escapes from the child's JavaScript; native code is not
 * bound by it. It may read anything (films lie wherever a person says) and start threads, for its watchdog. Its heap is some 20 MB
 * beside the films: threads that help to collect it cost a quarter more processor time and bring no film forward.
 */
const flags = [
  '--permission',
  '--allow-fs-read=*',
  '--allow-addons',
  '--allow-worker',
  '--disable-proto=delete',
  '--expose-gc',
  '--single-threaded-gc',
  '--no-warnings',
];

/**
 * glibc then gives freed memory back at once instead of keeping what ONNX Runtime read the weights with: a child of the full
 * ResNet-101 rests at 350 MiB instead of 610 to 640. Other C libraries take no notice of it.
 */
const allocator = { MALLOC_TRIM_THRESHOLD_: '131072' };

/** Starts the entry with this environment alone: no credential, proxy or NODE_OPTIONS can reach it. */
export function startChild(entry: string, environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, [...flags, entry], {
    env: { ...allocator, ...environment },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  // Without a listener an error of an idle child would end the gateway; `exchange` finds the child dead.
  child.on('error', () => undefined);
  return child;
}

export const isAlive = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;

export async function killChild(child: ChildProcess): Promise<void> {
  if (!isAlive(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Asks one question. Nothing is raised: how it ended is the result. */
export async function exchange<Answer>(
  child: ChildProcess,
  question: object,
  { timeoutMs, memoryLimitMiB, parse, help = () => null }: Exchange<Answer>,
): Promise<Ending<Answer>> {
  if (!isAlive(child)) return { kind: 'died', how: endOf(child) };
  const { promise, resolve } = Promise.withResolvers<Ending<Answer>>();
  const onError = () => resolve({ kind: 'died', how: 'a process that could not be spoken to' });
  const send = (message: object) => child.send(message, (error) => error && onError());
  const clock = startClock(timeoutMs, () => resolve({ kind: 'timeout' }));
  const onMessage = (message: unknown) => {
    const reply = help(message);
    if (reply) {
      void clock.standStill(reply).then(send);
      return;
    }
    const answer = parse(message);
    resolve(answer === null ? { kind: 'died', how: 'an answer that is none' } : { kind: 'answer', answer });
  };
  const onExit = () => resolve({ kind: 'died', how: endOf(child) });
  child.on('message', onMessage).on('exit', onExit).on('error', onError);
  const unwatch = watchMemory(child.pid!, memoryLimitMiB, (mebibytes) => resolve({ kind: 'memory', mebibytes }));
  send(question);
  const ending = await promise;
  clock.stop();
  unwatch();
  child.off('message', onMessage).off('exit', onExit);
  if (ending.kind !== 'answer') await killChild(child);
  child.off('error', onError);
  return ending;
}

function endOf({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`;
}
