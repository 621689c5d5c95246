import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watchMemory } from './memory.ts';
import { type Answer, parseAnswer, type Question } from './messages.ts';

/** One child process, and one question to it under its limits. */

export interface Limits {
  readonly timeoutMs: number;
  readonly memoryLimitMiB: number;
}

/** How a question ended. After anything but an answer the child is dead. */
export type Ending =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'died'; readonly how: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'memory'; readonly mebibytes: number };

/**
 * Node's permission model takes writing, processes and worker-made escapes from the child's JavaScript; native code is not
 * bound by it. It may read anything (films lie wherever a person says) and start threads, for its watchdog.
 */
const flags = [
  '--permission',
  '--allow-fs-read=*',
  '--allow-addons',
  '--allow-worker',
  '--disable-proto=delete',
  '--expose-gc',
  '--no-warnings',
];

/** Starts the entry with an empty environment: no credential, proxy or NODE_OPTIONS can reach it. */
export function startChild(entry: string): ChildProcess {
  const child = spawn(process.execPath, [...flags, entry], {
    env: {},
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
export async function exchange(child: ChildProcess, question: Question, limits: Limits): Promise<Ending> {
  if (!isAlive(child)) return { kind: 'died', how: endOf(child) };
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const onMessage = (message: unknown) => {
    const answer = parseAnswer(message);
    resolve(answer ? { kind: 'answer', answer } : { kind: 'died', how: 'an answer that is none' });
  };
  const onExit = () => resolve({ kind: 'died', how: endOf(child) });
  const onError = () => resolve({ kind: 'died', how: 'a process that could not be spoken to' });
  child.on('message', onMessage).on('exit', onExit).on('error', onError);
  const timer = setTimeout(() => resolve({ kind: 'timeout' }), limits.timeoutMs);
  const unwatch = watchMemory(child.pid!, limits.memoryLimitMiB, (mebibytes) => resolve({ kind: 'memory', mebibytes }));
  child.send(question, (error) => error && onError());
  const ending = await promise;
  clearTimeout(timer);
  unwatch();
  child.off('message', onMessage).off('exit', onExit);
  if (ending.kind !== 'answer') await killChild(child);
  child.off('error', onError);
  return ending;
}

function endOf({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`;
}
