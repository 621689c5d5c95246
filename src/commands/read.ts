import { join } from 'node:path';
import { outcomeOf } from '../core/conclude.ts';
import { asFailure } from '../core/failure.ts';
import type { InstanceOutcome, Job } from '../core/ports.ts';
import { createMemoryLedger } from '../jobs/memory.ts';
import { readStudy } from '../pipeline.ts';
import { createSteps } from '../steps/index.ts';
import { type FilesWorld, type FolderStudy, wireFiles } from '../wire.ts';
import { type ReadingFlags, readingOf } from './model-folder.ts';
import { exitCodes } from './run.ts';

/** `read PATH…`: DICOM files and folders without any server. The same spine as `serve`, with folders at both ends. */

interface Input extends ReadingFlags {
  readonly paths: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

export async function run({ paths, out, json = false, ...flags }: Input): Promise<number> {
  const files = wireFiles(readingOf(flags));
  let parsed = 0;
  let reported = 0;
  try {
    for (const study of await files.scan(paths)) {
      const folder = out === undefined ? null : join(out, String(reported + 1));
      const outcomes = await outcomesOf(files, study, folder);
      if (outcomes.some(({ outcome }) => outcome === 'reported')) reported++;
      parsed += study.instances.filter(({ header }) => header !== null).length;
      for (const outcome of outcomes) console.log(json ? JSON.stringify(lineOf(outcome)) : sentenceOf(outcome));
    }
  } finally {
    await files.close();
  }
  return parsed > 0 ? exitCodes.ok : exitCodes.data;
}

/** What became of each file of a study. Without a folder for results there is no object in which two files of one UID collide. */
async function outcomesOf(
  files: FilesWorld,
  study: FolderStudy,
  folder: string | null,
): Promise<readonly InstanceOutcome[]> {
  const { studyInstanceUid, instances } = study;
  if (studyInstanceUid === null) return files.select(instances, Date.now()).map((chosen) => outcomeOf(chosen, []));
  const ledger = createMemoryLedger();
  const job = jobOf(studyInstanceUid);
  try {
    await readStudy(job, createSteps(files.of(study, folder, ledger)));
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.class !== 'quarantine') throw failure;
    return ledger.outcomes(studyInstanceUid).map((outcome) => stoppedBy(outcome, failure.code));
  }
  const outcomes = ledger.outcomes(studyInstanceUid);
  return folder === null ? outcomes.map(withoutCollision) : outcomes;
}

const jobOf = (studyInstanceUid: string): Job => ({
  number: 0,
  studyInstanceUid,
  source: 'files',
  priority: 'routine',
  state: 'announced',
  code: null,
  attempt: 0,
  announcedAt: 0,
  dueAt: 0,
  updatedAt: 0,
  settling: null,
  partial: false,
  demand: null,
});

/** A study that is stopped as a whole reports nothing, whatever its films say one by one. */
const stoppedBy = (outcome: InstanceOutcome, reason: InstanceOutcome['reason']): InstanceOutcome =>
  outcome.outcome === 'reported' ? { ...outcome, outcome: 'quarantined', reason } : outcome;

const withoutCollision = (outcome: InstanceOutcome): InstanceOutcome =>
  outcome.reason === 'uid-conflict' ? { ...outcome, outcome: 'reported', reason: null } : outcome;

/** One line of `--json`. */
function lineOf({ key, SOPInstanceUID, outcome, reason, view, score, decision }: InstanceOutcome) {
  return { file: key, sopInstanceUid: SOPInstanceUID, outcome, reason, view, score, decision };
}

function sentenceOf({ key, outcome, reason, because, view, score, decision }: InstanceOutcome): string {
  if (score !== null && outcome === 'reported')
    return `${key}: ${decision}, score ${score.toFixed(4)} (${view}). AI output, not reviewed`;
  return `${key}: ${outcome}, ${reason}${because.length > 0 ? ` (${because.join('; ')})` : ''}`;
}
