import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Question } from '../../../src/reader/messages.ts';
import type { InferenceMessage } from '../../../src/reader/network-messages.ts';

/** A child that does what the path of the film says, in place of the real one. It needs no model. */

const hoard: Uint8Array[] = [];

const header = (note: string) => ({ kind: 'header', header: { '00080016': { vr: 'UI', Value: [note] } } });

function refusalOf(act: () => void): string {
  try {
    act();
    return 'done';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

const acts: Readonly<Record<string, () => unknown>> = {
  crash: () => process.kill(process.pid, 'SIGSEGV'),
  exit: () => process.exit(3),
  hang: () => {
    for (;;) {
      // A codec in an endless loop neither hears messages nor runs timers.
    }
  },
  hog: () => {
    // Touched pages count, and the loop never gives the event loop back: only the parent can stop it.
    for (;;) hoard.push(new Uint8Array(16 * 1024 * 1024).fill(1));
  },
  nonsense: () => process.send?.({ kind: 'reading', reading: { score: 7 } }),
  polluted: () => process.send?.(JSON.parse('{"kind":"header","header":{"__proto__":{"x":1},"00080016":{"vr":"UI"}}}')),
  environment: () => process.send?.(header(JSON.stringify(process.env))),
  write: () => process.send?.(header(refusalOf(() => writeFileSync('/tmp/cxr-gateway-was-here', '')))),
  spawn: () => process.send?.(header(refusalOf(() => spawnSync('true')))),
  pid: () => process.send?.(header(String(process.pid))),
  tensor: () => process.send?.({ kind: 'tensor', tensor: new Float32Array(3 * 224 * 224) }),
  slowTensor: () => process.send?.({ kind: 'tensor', tensor: new Float32Array(3 * 224 * 224).fill(1) }),
  twoTensors: () => {
    acts['slowTensor']?.();
    acts['tensor']?.();
  },
  shortTensor: () => process.send?.({ kind: 'tensor', tensor: new Float32Array(7) }),
  slow: () => sleep(1000).then(() => process.send?.(header(String(process.pid)))),
};

// A run of the tests that is killed must leave no hanging child behind.
new Worker(new URL('../../../src/reader/watchdog.ts', import.meta.url), { workerData: process.ppid }).unref();
process.on('disconnect', () => process.exit(0));
process.on('message', (question: Question | InferenceMessage) => {
  if (question.kind === 'open') {
    if (question.modelFolder.endsWith('dies-at-start')) process.exit(9);
    process.send?.({ kind: 'ready' });
  }
  if (question.kind === 'header') acts[question.path]?.();
  if (question.kind === 'inference') process.send?.(header('inference'));
  if (question.kind === 'failed') process.send?.(header(question.failure.code));
});
