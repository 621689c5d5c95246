import { join, resolve } from 'node:path';
import { type TrainHeadProgress, type TrainHeadResult, trainHead } from '../science/train-head.ts';
import { parseTrainHeadOptions, type TrainHeadOptions } from '../science/train-options.ts';
import { wireModel } from '../wire.ts';
import { interruptible } from './long-run.ts';
import { modelNamed, openModelFolder, readersFlag } from './model-folder.ts';
import { createPhases, type Phases, type ProgressStream } from './progress.ts';
import { exitCodes } from './run.ts';

/** `train-head`: the paper's transfer learning on a site's own films. */

interface Input {
  readonly images: string;
  readonly root: string;
  readonly backbone: string;
  readonly models?: string;
  readonly id: string;
  readonly out: string;
  readonly work?: string;
  readonly readers?: string;
  readonly [option: string]: string | boolean | undefined;
}

/** Flags whose text is a number; the schema of the options says which numbers. */
const numeric = new Set(['epochs', 'batch', 'learningRate', 'momentum', 'l2', 'split', 'seed']);

export async function run(input: Input): Promise<number> {
  const options = optionsOf(input);
  const readers = readersFlag(input.readers);
  const model = modelNamed(input.backbone, input.models);
  const teller = createTeller(process.stderr, () => performance.now());
  const work = async (signal: AbortSignal) => {
    const result = await trainHead(
      {
        table: input.images,
        root: input.root,
        backboneFolder: wireModel({ model }).folder,
        out: input.out,
        work: input.work ?? join(input.out, '.features'),
        atOnce: readers,
        options,
      },
      {
        openReader: (folder) => openModelFolder(folder, readers),
        progress: teller.tell,
        signal,
      },
    );
    teller.end();
    console.log(summaryOf(result));
    return exitCodes.ok;
  };
  const stopped = 'stopped: no model was written; the features that were taken are kept for the next run';
  return interruptible(work, { stopped, end: teller.end });
}

function optionsOf(input: Input): TrainHeadOptions {
  const { images, root, backbone, models, out, work, readers, ...rest } = input;
  const entries = Object.entries(rest).map(([key, value]) => [key, numeric.has(key) ? Number(value) : value] as const);
  return parseTrainHeadOptions(Object.fromEntries(entries));
}

interface Teller {
  readonly tell: (progress: TrainHeadProgress) => void;
  readonly end: () => void;
}

/** A bar for each phase where a person watches; lines in a log, one for each epoch. */
export function createTeller(stream: ProgressStream, now: () => number): Teller {
  const { bar: barOf, end } = createPhases(stream, now);
  const tell = (progress: TrainHeadProgress): void => {
    switch (progress.kind) {
      case 'features': {
        const note = progress.known > 0 ? `${progress.known} from an earlier run` : '';
        barOf('features', 'films').tell(progress.done, progress.total, note);
        return;
      }
      case 'unreadable':
        end();
        stream.write(`${progress.file}: ${progress.failure.code}, left out\n`);
        return;
      case 'epoch':
        tellEpoch(progress, stream, barOf);
        return;
      case 'heat':
        barOf('heat', 'films for the heat scale').tell(progress.done, progress.total);
    }
  };
  return { tell, end };
}

function tellEpoch(
  { epoch, epochs }: Extract<TrainHeadProgress, { kind: 'epoch' }>,
  stream: ProgressStream,
  barOf: Phases['bar'],
): void {
  const { number, training, validation } = epoch;
  const pair = (name: 'loss' | 'accuracy') =>
    `${name} ${training[name].toFixed(4)}, validation ${validation[name].toFixed(4)}`;
  const note = `${pair('loss')}; ${pair('accuracy')}`;
  if (stream.isTTY) barOf('epochs', 'epochs').tell(number, epochs, note);
  else stream.write(`epoch ${number}/${epochs}: ${note}\n`);
}

function summaryOf({ folder, manifest, facts: { trained, unreadable, copies, options } }: TrainHeadResult): string {
  const { split, kept, validationArea } = trained;
  return [
    `${manifest.id}: ${split.training.length} films trained, ${split.validation.length} validated; ${unreadable} unreadable, ${copies} copies left out`,
    `epoch ${kept.number} of ${options.epochs} kept: validation loss ${kept.validation.loss.toFixed(4)}, accuracy ${kept.validation.accuracy.toFixed(4)}, AUC ${validationArea.value?.toFixed(4)} (chosen on these films)`,
    `operating point ${manifest.operatingPoint}, heat scale 0 to ${manifest.heat.max}`,
    `written: ${resolve(folder)}`,
  ].join('\n');
}
