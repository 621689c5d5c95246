import type { ProviderChoice } from '../core/provider.ts';
import type { ModelIdentity, Precision } from '../core/reading.ts';
import type { Assessment } from './assess.ts';
import type { HeatMaps } from './heat-map.ts';
import type { Scoring } from './predictions.ts';
import type { Shortcuts } from './shortcuts.ts';

/** One evaluation, whole: what was asked, what was scored, what that says. Plain data for `metrics.json` and the report. */

export interface EvaluationSettings {
  /** Share of positive studies that figures are re-weighted to. */
  readonly prevalence: number;
  readonly targetSpecificity: number;
  /** Images that a radiologist reads in a minute. */
  readonly radiologistRate: number;
  readonly includeOther: boolean;
  readonly groupsUnrelated: boolean;
  readonly dicom: boolean;
  /** Score the films again after changes that take something away. */
  readonly shortcuts: boolean;
  readonly operatingPoint: number;
}

/** Where the rate was measured. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly readers: number;
  readonly threads: number;
  /** As asked for: what cannot be used ends the evaluation. */
  readonly provider: ProviderChoice;
  readonly precision: Precision;
}

export interface Evaluation {
  readonly software: string;
  readonly model: ModelIdentity;
  readonly settings: EvaluationSettings;
  readonly table: {
    readonly name: string;
    readonly sha256: string;
    readonly rows: number;
    /** Rows of the label `other` that were left out. */
    readonly otherLeftOut: number;
  };
  readonly machine: Machine;
  /** RFC 3339 UTC. */
  readonly evaluatedAt: string;
  /** Whether the model folder says what the model has seen. */
  readonly overlapChecked: boolean;
  readonly scoring: Scoring;
  readonly assessment: Assessment;
  readonly heatMaps: HeatMaps;
  /** Null where it was not asked for. */
  readonly shortcuts: Shortcuts | null;
}

export function imagesPerMinute({ scoring }: Evaluation): number {
  return scoring.elapsedMs === 0 ? 0 : (60_000 * scoring.images) / scoring.elapsedMs;
}

/** The paper's figure: how many radiologists read as fast as the model. */
export function modelEfficiency(evaluation: Evaluation): number {
  return imagesPerMinute(evaluation) / evaluation.settings.radiologistRate;
}

/** Classes below this many films have figures of little weight. */
const few = 30;

/** Maps of positives lie on the lungs no more than a map that is everywhere the same. */
function besideLungs({ heatMaps }: Evaluation): boolean {
  const { mean, meanOfFlat } = heatMaps.calledPositive.strict;
  return mean !== null && meanOfFlat !== null && mean < meanOfFlat - 1e-9;
}

/** The whole interval of the AUC without lungs lies above chance. */
function toldWithoutLungs({ shortcuts }: Evaluation): boolean {
  const low = shortcuts?.changes.find(({ name }) => name === 'lungs_masked')?.area.ci95?.[0];
  return low !== undefined && low > 0.5;
}

/** What a reader must know before any figure; empty when there is nothing. */
export function cautions(evaluation: Evaluation): readonly string[] {
  const { model, settings, scoring, assessment, overlapChecked } = evaluation;
  const { positives, negatives, groups, comparableWithinSource, bySource } = assessment;
  const { unreadable, alreadySeen, films } = scoring;
  const when = (condition: boolean, sentence: string): readonly string[] => (condition ? [sentence] : []);
  return [
    ...when(model.training === 'untrained', 'The model is untrained: none of these figures has a meaning.'),
    ...when(
      !comparableWithinSource && bySource.length > 1,
      'No source has films of both classes: the AUC may tell the sources apart as well as the disease.',
    ),
    ...when(
      !overlapChecked,
      'The model folder does not say which films the model has seen: overlap could not be looked for.',
    ),
    ...when(
      alreadySeen.length > 0,
      `${alreadySeen.length} rows were left out because the model has seen the film or its group.`,
    ),
    ...when(
      settings.groupsUnrelated,
      'Groups were not compared with those of the training: the table numbers its own.',
    ),
    ...when(
      unreadable.length > 0,
      `${unreadable.length} rows have an image that could not be read; no figure counts them.`,
    ),
    ...when(
      groups < films.length,
      `${films.length} films are of ${groups} groups: intervals take films for independent and are somewhat too narrow.`,
    ),
    ...when(
      Math.min(positives, negatives) < few,
      `A class has fewer than ${few} films: the intervals are what counts.`,
    ),
    ...when(besideLungs(evaluation), 'Heat-maps of positives lie on the lungs less than a flat map would.'),
    ...when(toldWithoutLungs(evaluation), 'The classes are told apart with the lungs masked: something else does it.'),
  ];
}
