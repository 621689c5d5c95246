import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Provider } from '../../../src/core/provider.ts';
import type { NetworkQuestion } from '../../../src/reader/network-messages.ts';
import { acts } from './odd-acts.ts';

/** A network process that does what the first number of a tensor says, in place of the real one. It needs no model. */

let provider: Provider = 'cpu';

const filmMs: Partial<Record<Provider, number>> = { webgpu: 5, cpu: 20 };

/** The answer tells which process gave it, and to how many films at once. */
const film = (count: number) => ({
  kind: 'inference',
  inference: {
    probabilities: [0.25, 0.75],
    map: { columns: 1, rows: 1, values: [count] },
    features: Float32Array.of(process.pid),
  },
});

async function infer(tensors: readonly Float32Array[]): Promise<void> {
  const act = Math.max(...tensors.map(([first]) => first!));
  if (act === acts.slow) await sleep(1000);
  // On the CPU all goes well: what a driver dies of is not the film's fault.
  if (act === acts.crash && provider !== 'cpu') process.kill(process.pid, 'SIGSEGV');
  if (act === acts.hang && provider !== 'cpu') return;
  if (act === acts.nonsense && provider !== 'cpu') process.send?.({ kind: 'inferences', films: 'many' });
  else process.send?.({ kind: 'inferences', films: tensors.map(() => film(tensors.length)) });
}

new Worker(new URL('../../../src/reader/watchdog.ts', import.meta.url), { workerData: process.ppid }).unref();
process.on('disconnect', () => process.exit(0));
process.on('message', (question: NetworkQuestion) => {
  if (question.kind === 'infer') {
    void infer(question.tensors);
    return;
  }
  ({ provider } = question);
  if (provider === 'cuda') process.exit(9);
  process.send?.({ kind: 'ready', filmMs: question.measure ? filmMs[provider] : null });
});
