import { resolve } from 'node:path';
import { wordsOf } from '../science/fidelity.ts';
import { type Quantized, quantize } from '../science/quantize.ts';
import { wireModel } from '../wire.ts';
import { interruptible } from './long-run.ts';
import { modelNamed, openModelFolder, readersFlag, wholeNumber } from './model-folder.ts';
import { createPhases } from './progress.ts';
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

export async function run(input: Input): Promise<number> {
  const readers = readersFlag(input.readers);
  const films = wholeNumber('--films', input.films, 10_000);
  const phases = createPhases(process.stderr, () => performance.now());
  const { calibrate: table, keepFailing = false } = input;
  const work = async (signal: AbortSignal) => {
    const quantized = await quantize(
      {
        ...{ modelFolder: folderOf(input), out: input.out, table: input.images, root: input.root, atOnce: readers },
        int8: table === undefined ? null : { table, films, keepFailing },
      },
      {
        openReader: (folder, precision) => openModelFolder(folder, readers, precision),
        progress: ({ phase, done, total }) => phases.bar(phase, `films, ${phase}`).tell(done, total),
        signal,
      },
    );
    phases.end();
    console.log(summaryOf(quantized));
    return exitCodes.ok;
  };
  return interruptible(work, { stopped: 'stopped: no model was written', end: phases.end });
}

/** A path is taken as it is: whether it holds a model is for `quantize` to tell. */
const folderOf = ({ model, models }: Input): string =>
  /[\\/]/.test(model) ? resolve(model) : wireModel({ model: modelNamed(model, models) }).folder;

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
