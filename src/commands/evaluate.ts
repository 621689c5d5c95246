import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import type { ReadingConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import { evaluate } from '../science/evaluate.ts';
import { type Evaluation, imagesPerMinute } from '../science/evaluation.ts';
import { requireReplaceable, writeFolder } from '../science/output-folder.ts';
import { decimal, percent, withInterval } from '../science/report-tables.ts';
import { version } from '../version.ts';
import { type Examiner, wireExaminer } from '../wire.ts';
import { type ReadingFlags, readersFlag, readingOf } from './model-folder.ts';
import { createProgress } from './progress.ts';
import { exitCodes } from './run.ts';

/** `evaluate`: what a model is worth on films whose labels are known. */

interface Input extends ReadingFlags {
  readonly images: string;
  readonly root: string;
  readonly out: string;
  readonly prevalence: string;
  readonly specificity: string;
  readonly radiologistRate: string;
  readonly includeOther?: boolean;
  readonly unrelatedGroups?: boolean;
  readonly dicom?: boolean;
  readonly shortcuts?: boolean;
  readonly readers?: string;
}

const resultNames = ['metrics.json', 'predictions.csv', 'report.html'];
/** A gallery picture; larger ones would make the report too heavy to send. */
const pictureSide = 512;

export async function run(input: Input): Promise<number> {
  const settings = settingsOf(input);
  const readers = readersFlag(input.readers);
  requireReplaceable(input.out, resultNames);
  const reading = { ...readingOf(input), heatmapMaxSide: pictureSide };
  const examiner = wireExaminer(reading, { atOnce: readers, threads: 1 });
  const progress = createProgress(process.stderr, () => performance.now());
  try {
    const { evaluation, files } = await evaluate(
      {
        ...input,
        ...factsOf(examiner),
        settings: { ...settings, ...pointOf(examiner) },
        machine: machineOf(readers, reading),
      },
      { examine: examiner.examine, progress: progress.tell, now: () => performance.now(), clock: Date.now },
    );
    progress.end();
    writeFolder(input.out, files);
    console.log(summaryOf(evaluation));
    console.log(`written: ${resultNames.map((name) => resolve(input.out, name)).join(' ')}`);
  } finally {
    progress.end();
    await examiner.close();
  }
  return exitCodes.ok;
}

const factsOf = ({ model }: Examiner) => ({
  modelFolder: model.folder,
  model: model.identity,
  software: version(),
});

const pointOf = ({ model }: Examiner) => ({ operatingPoint: model.manifest.operatingPoint });

const machineOf = (readers: number, { provider, model: { precision } }: ReadingConfig) => ({
  processor: cpus()[0]?.model.trim() ?? 'an unknown processor',
  cores: availableParallelism(),
  ...{ readers, threads: 1, provider, precision },
});

function settingsOf(input: Input) {
  return {
    prevalence: numberOf('--prevalence', input.prevalence, 0, 1),
    targetSpecificity: numberOf('--specificity', input.specificity, 0, 1),
    radiologistRate: numberOf('--radiologist-rate', input.radiologistRate, Number.MIN_VALUE, 10_000),
    includeOther: input.includeOther ?? false,
    groupsUnrelated: input.unrelatedGroups ?? false,
    dicom: input.dicom ?? false,
    shortcuts: input.shortcuts ?? false,
  };
}

function numberOf(flag: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= low && value <= high) return value;
  const expected = low === Number.MIN_VALUE ? `a number above 0, at most ${high}` : `a number from ${low} to ${high}`;
  throw new Failure('config-invalid', { where: flag, expected, got: text.slice(0, 40) });
}

function summaryOf(evaluation: Evaluation): string {
  const { assessment, scoring, model } = evaluation;
  const { area, points, positives, negatives } = assessment;
  const { sensitivity, specificity } = points[0]!.performance;
  return [
    `${model.id}: ${positives} positive, ${negatives} negative; ${scoring.unreadable.length} unreadable, ${scoring.alreadySeen.length} left out as seen in training`,
    `AUC ${withInterval(area, decimal)}`,
    `sensitivity ${withInterval(sensitivity, percent)}, specificity ${withInterval(specificity, percent)} at ${points[0]!.threshold}`,
    `${imagesPerMinute(evaluation).toFixed(0)} images/min`,
    ...(model.training === 'untrained' ? ['UNTRAINED MODEL: these figures have no meaning'] : []),
  ].join('\n');
}
