import { availableParallelism } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { defaultReadingConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import type { Precision } from '../core/reading.ts';
import { wordsOf } from '../science/fidelity.ts';
import { type Quantized, quantize } from '../science/quantize.ts';
import { wireExaminer, wireModel } from '../wire.ts';
import { createProgress, type Progress } from './progress.ts';
import { exitCodes } from './run.ts';

/** `quantize`: a model folder with its weights in 8 bits, and what that changes. */

interface Input {
  readonly images: string;
  readonly root: string;
  readonly model: string;
  readonly models?: string;
  readonly out: string;
  readonly calibrate?: string;
  readonly films: string;
  readonly keepFailing?: boolean;
  readonly readers?: string;
}

/** 128 + SIGINT, as shells tell it. */
const interrupted = 130;

export async function run(input: Input): Promise<number> {
  const readers = numberOf('--readers', input.readers ?? String(availableParallelism()), 64);
  const films = numberOf('--films', input.films, 10_000);
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const bars = createBars();
  const { calibrate: table, keepFailing = false } = input;
  try {
    const quantized = await quantize(
      {
        ...{ modelFolder: folderOf(input), out: input.out, table: input.images, root: input.root, atOnce: readers },
        int8: table === undefined ? null : { table, films, keepFailing },
      },
      {
        openReader: (folder, precision) => openReader(folder, precision, readers),
        progress: ({ phase, done, total }) => bars.of(phase).tell(done, total),
        signal: abort.signal,
      },
    );
    bars.end();
    console.log(summaryOf(quantized));
    return exitCodes.ok;
  } catch (thrown) {
    if (!abort.signal.aborted) throw thrown;
    bars.end();
    console.error('stopped: no model was written');
    return interrupted;
  } finally {
    bars.end();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function numberOf(where: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Failure('config-invalid', { where, expected: `a whole number from 1 to ${most}`, got: text.slice(0, 40) });
}

/** The id of a model, or the path of its folder. */
function folderOf({ model, models }: Input): string {
  if (/[\\/]/.test(model)) return resolve(model);
  return wireModel({ model: { id: model, precision: 'float32', ...(models !== undefined && { folder: models }) } })
    .folder;
}

const openReader = (folder: string, precision: Precision, atOnce: number) =>
  wireExaminer(defaultReadingConfig({ model: { id: basename(folder), folder: dirname(resolve(folder)), precision } }), {
    ...{ atOnce, threads: 1 },
  });

function createBars() {
  let open: { readonly phase: string; readonly bar: Progress } | null = null;
  const end = () => {
    open?.bar.end();
    open = null;
  };
  const of = (phase: string): Progress => {
    if (open?.phase !== phase) {
      end();
      open = { phase, bar: createProgress(process.stderr, () => performance.now(), `films, ${phase}`) };
    }
    return open!.bar;
  };
  return { of, end };
}

function summaryOf({ folder, bytes, stored, int8 }: Quantized): string {
  return [
    `weights in 8 bits, ${(bytes / 1e6).toFixed(1)} MB: ${wordsOf(stored)}`,
    ...(int8 ? [int8Words(int8)] : []),
    `written: ${resolve(folder)}`,
  ].join('\n');
}

function int8Words({ comparison, passed, floats, activations }: NonNullable<Quantized['int8']>): string {
  const kept = floats === 0 ? 'all' : `all but the first ${floats} of`;
  const verdict = passed ? '' : ' (MISSES THE LIMITS)';
  return `8-bit arithmetic, ${kept} ${activations} activations: ${wordsOf(comparison)}${verdict}`;
}
