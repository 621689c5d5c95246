import type { ModelIdentity } from '../core/reading.ts';
import type { Assessment } from './assess.ts';
import type { Scoring } from './predictions.ts';

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
  readonly operatingPoint: number;
}

/** Where the rate was measured. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly readers: number;
  readonly threads: number;
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
  ];
}
