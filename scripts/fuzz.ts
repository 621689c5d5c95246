import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { asFailure } from '../src/core/failure.ts';
import { createTargets } from './fuzz/targets.ts';
import type { FuzzNews, FuzzOrder } from './fuzz/worker.ts';

/**
 * `npm run fuzz`: damaged inputs for everything that reads what strangers send. An answer is a value or a Failure, soon and in little
 * memory; anything else is kept in `state/fuzz` and ends with 1. `--again FILE --target NAME` asks one kept input again.
 */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true },
    films: { type: 'string', default: '../shared/data/dicom' },
    out: { type: 'string', default: 'state/fuzz' },
    again: { type: 'string' },
  },
});

const targets = createTargets();
const names = values.target ?? Object.keys(targets);
const unknown = names.find((name) => !Object.hasOwn(targets, name));
if (unknown !== undefined) throw new Error(`--target: one of ${Object.keys(targets).join(', ')}, not ${unknown}`);

const mostInput = 1 << 20;
const lookEveryMs = 500;
/** Beyond this a thread is out of bounds, whatever it does. */
const memoryMiB = 1024;

interface Ended {
  readonly inputs: number;
  readonly findings: number;
}

/** One input is enough for each reason. */
const kept = new Set<string>();

function keep(target: string, input: Uint8Array, why: string): void {
  const reason = `${target}: ${why.replace(/\d+/g, '')}`;
  if (kept.has(reason)) return;
  kept.add(reason);
  mkdirSync(values.out, { recursive: true });
  const name = `${target}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`;
  writeFileSync(join(values.out, `${name}.bin`), input);
  writeFileSync(join(values.out, `${name}.txt`), `${why}\n`);
  console.error(`${target}: FOUND ${name}: ${why.split('\n')[0]}`);
}

/** One thread after another until the time is up: one that hangs or dies is replaced, and its input is a finding. */
async function fuzz(target: string, seconds: number, seed: number): Promise<Ended> {
  const end = performance.now() + seconds * 1000;
  let [inputs, findings, round] = [0, 0, 0];
  while (performance.now() < end) {
    const left = (end - performance.now()) / 1000;
    const ended = await oneThread(target, left, seed + 1000 * round++);
    inputs += ended.inputs;
    findings += ended.findings;
  }
  return { inputs, findings };
}

function oneThread(target: string, seconds: number, seed: number): Promise<Ended> {
  const [state, input] = [new SharedArrayBuffer(8), new SharedArrayBuffer(mostInput)];
  const counters = new Int32Array(state);
  const present = () => new Uint8Array(input).slice(0, Atomics.load(counters, 0));
  const films = existsSync(values.films) ? values.films : null;
  const order: FuzzOrder = { target, seconds, seed, films, state, input };
  const limits = { maxOldGenerationSizeMb: memoryMiB };
  const worker = new Worker(new URL('./fuzz/worker.ts', import.meta.url), {
    workerData: order,
    resourceLimits: limits,
  });
  let [findings, last, looks] = [0, 0, 0];
  const found = (why: string, of: Uint8Array): void => {
    findings += 1;
    keep(target, of, why);
  };
  worker.on('message', (news: FuzzNews) => {
    if (news.kind === 'finding') found(news.why, news.input);
    else console.log(`${target}: ${news.inputs} inputs, ${news.kept} kept, ${news.blocks} blocks`);
  });
  worker.on('error', (error) => found(`the thread died: ${error.stack ?? error}`, present()));
  const watch = setInterval(() => {
    const now = Atomics.load(counters, 1);
    if (now !== last) [last, looks] = [now, 0];
    // Looks are counted, not seconds: on a busy machine they come late, as the thread's own time does.
    else if (now > 0 && ++looks * lookEveryMs > 3 * targets[target]!.mostMs) {
      found('no answer', present());
      void worker.terminate();
    }
  }, lookEveryMs);
  return new Promise((resolve) => {
    worker.on('exit', () => {
      clearInterval(watch);
      resolve({ inputs: Atomics.load(counters, 1), findings });
    });
  });
}

async function ask(target: string, input: Uint8Array): Promise<string> {
  try {
    await targets[target]!.run(input);
    return 'a value';
  } catch (thrown) {
    return asFailure(thrown).message;
  }
}

if (values.again !== undefined) {
  const [only, more] = names;
  if (only === undefined || more !== undefined) throw new Error('--again needs one --target');
  const input = new Uint8Array(readFileSync(values.again));
  const began = performance.now();
  const answer = await ask(only, input);
  console.log(`${(performance.now() - began).toFixed(0)} ms: ${answer}`);
} else {
  let all: Ended = { inputs: 0, findings: 0 };
  for (const name of names) {
    const ended = await fuzz(name, Number(values.seconds) / names.length, Number(values.seed));
    all = { inputs: all.inputs + ended.inputs, findings: all.findings + ended.findings };
  }
  console.log(`${all.inputs} inputs, ${all.findings} without a proper answer`);
  process.exitCode = all.findings > 0 ? 1 : 0;
}
