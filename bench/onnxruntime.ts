import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { env, InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import type { TurnsSpec } from './turns.ts';

/** Entry of a process: ONNX Runtime alone, the same tensor each time. Its parent is `turns.ts`. */

const { models, input, shape, inputName, outputName, threads, provider } = JSON.parse(process.argv[2]!) as TurnsSpec & {
  readonly provider: string;
};

interface Opened {
  readonly session: InferenceSession;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

async function open(size: number, file: string): Promise<Opened> {
  const options = { executionProviders: [provider], intraOpNumThreads: threads, interOpNumThreads: 1 };
  const session = await InferenceSession.create(file, { ...options, logSeverityLevel: 4 });
  const bytes = readFileSync(input);
  const image = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const images = new Float32Array(size * image.length);
  for (let i = 0; i < size; i++) images.set(image, i * image.length);
  return { session, feeds: { [inputName]: new Tensor('float32', images, [size, ...shape.slice(1)]) } };
}

const say = (line: unknown): void => console.log(JSON.stringify(line));

/** ONNX Runtime puts places in its own source before the reason. */
const reasonOf = (thrown: unknown): string => String(thrown).split('\n')[0]!.split(': ').at(-1)!;

async function serve(): Promise<void> {
  const sizes = Object.keys(models).map(Number);
  const opened = new Map<number, Opened>();
  for (const size of sizes) opened.set(size, await open(size, models[size]!));
  const { session, feeds } = opened.get(Math.min(...sizes))!;
  const answer = (await session.run(feeds))[outputName]?.data as Float32Array;
  const version = `onnxruntime-node ${env.versions.node ?? env.versions.common}`;
  say({ ready: { version, how: Object.fromEntries(sizes.map((size) => [size, ''])), probability: answer[1] } });
  for await (const line of createInterface({ input: process.stdin })) {
    const [, size, times] = line.split(' ');
    const turn = opened.get(Number(size))!;
    const began = performance.now();
    for (let i = 0; i < Number(times); i++) await turn.session.run(turn.feeds);
    say((performance.now() - began) / 1000);
  }
}

try {
  if (!listSupportedBackends().some(({ name }) => name === provider)) throw new Error('not in this build');
  await serve();
} catch (thrown) {
  say({ absent: reasonOf(thrown) });
}
