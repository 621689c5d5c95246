import { setImmediate } from 'node:timers/promises';
import { Failure } from '../core/failure.ts';
import { areaUnderCurve } from './delong.ts';
import { chooseOperatingPoint } from './operating-rule.ts';
import { onRawFeatures, type Scaling, scaled, scalingOf } from './scaling.ts';
import type { Scored } from './scored.ts';
import { bestEpoch, type Epoch, trainEpochs } from './sgd.ts';
import { probabilityOf, type SoftmaxHead } from './softmax-head.ts';
import { type Split, splitByGroup } from './split.ts';
import type { TrainHeadOptions } from './train-options.ts';
import { requireBothSides, type TrainingFilm } from './training-films.ts';

/** From features to a head with its operating point. No files, no network. */

export interface TrainedHead {
  readonly split: Split<TrainingFilm>;
  readonly epochs: readonly Epoch[];
  readonly kept: Epoch;
  /** Of the kept epoch, on the features as the network gives them. */
  readonly head: SoftmaxHead;
  readonly validationArea: ReturnType<typeof areaUnderCurve>;
  readonly operatingPoint: number;
}

export type LearningOptions = Pick<
  TrainHeadOptions,
  'epochs' | 'batch' | 'learningRate' | 'momentum' | 'l2' | 'rawFeatures' | 'split' | 'seed' | 'operatingPoint'
>;

export interface TrainingTools {
  readonly signal: AbortSignal;
  readonly epoch: (epoch: Epoch) => void;
}

/**
 * Splits, trains, keeps the epoch of the lowest validation loss, and chooses the operating point on the validation films.
 * Raises `table-invalid` when a side lacks a class, `config-invalid` when the loss leaves all bounds, or the signal's reason.
 */
export async function trainHeadOn(
  films: readonly TrainingFilm[],
  options: LearningOptions,
  tools: TrainingTools,
): Promise<TrainedHead> {
  const split = splitByGroup(films, options.split, options.seed);
  requireBothSides(split);
  const scaling = options.rawFeatures ? null : scalingOf(split.training.map(({ features }) => features));
  const epochs = await learn(split, scaling, options, tools);
  const kept = bestEpoch(epochs)!;
  const head = scaling ? onRawFeatures(kept.head, scaling) : kept.head;
  const validation = split.validation.map((film) => scoredBy(head, film));
  const operatingPoint = chooseOperatingPoint(options.operatingPoint, validation);
  return { split, epochs, kept, head, validationArea: areaUnderCurve(validation), operatingPoint };
}

async function learn(
  { training, validation }: Split<TrainingFilm>,
  scaling: Scaling | null,
  options: LearningOptions,
  { signal, epoch: tell }: TrainingTools,
): Promise<readonly Epoch[]> {
  const sample = ({ features, target }: TrainingFilm) => ({
    features: scaling ? scaled(features, scaling) : features,
    target,
  });
  const samples = { training: training.map(sample), validation: validation.map(sample) };
  const epochs: Epoch[] = [];
  for (const epoch of trainEpochs(samples, { ...options, bias: scaling === null })) {
    requireFinite(epoch);
    epochs.push(epoch);
    tell(epoch);
    // A signal is heard only when the event loop turns.
    await setImmediate();
    signal.throwIfAborted();
  }
  return epochs;
}

export function scoredBy(head: SoftmaxHead, { features, target }: TrainingFilm): Scored {
  return { score: probabilityOf(head, features), positive: target === 1 };
}

function requireFinite({ number, training, validation }: Epoch): void {
  if (Number.isFinite(training.loss) && Number.isFinite(validation.loss)) return;
  const where = `--learning-rate, epoch ${number}`;
  throw new Failure('config-invalid', { where, expected: 'a loss that stays finite', got: String(training.loss) });
}
