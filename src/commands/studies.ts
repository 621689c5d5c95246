import type { Config } from '../config.ts';
import { asFailure, Failure } from '../core/failure.ts';
import type { InstanceOutcome, JobState, StudyQuery, StudyRow } from '../core/ports.ts';
import type { StudyEvent } from '../core/study.ts';
import { type Gateway, wireGateway } from '../wire-gateway.ts';
import { exitCodeOfCode, exitCodes } from './run.ts';
import { linkToServe } from './serve-link.ts';
import { stderrLog } from './stderr-log.ts';
import { linkToStore } from './store-link.ts';

/** Studies as commands ask for them: of the `serve` that holds the store, else of the store itself. */
export interface StudiesLink {
  /** Whether a running `serve` does the work: it goes on when the command has ended. */
  readonly running: boolean;
  /** StudyInstanceUIDs, oldest change first. */
  find(query: Pick<StudyQuery, 'state' | 'code'>): Promise<readonly string[]>;
  /** Resolves when it is on the disk. Raises `nothing-to-retract` for a retraction of nothing. */
  ask(event: StudyEvent): Promise<void>;
  /** What the run that was asked for came to. */
  result(studyInstanceUid: string): Promise<StudyResult>;
}

/** What `--json` prints, alone or through a running gateway. */
export interface StudyResult {
  readonly studyInstanceUid: string;
  readonly state: JobState;
  readonly code: string | null;
  readonly partial: boolean;
  readonly decision: StudyRow['decision'];
  readonly score: number | null;
  readonly instances: readonly Pick<InstanceOutcome, 'outcome' | 'reason' | 'view' | 'score' | 'decision'>[];
}

/** Gives `work` a link and closes behind it. Raises `store-locked` when a process without an API holds the store. */
export async function withStudies<T>(config: Config, work: (link: StudiesLink) => Promise<T>): Promise<T> {
  const gateway = await openAlone(config);
  if (!gateway) return work(linkToServe(config));
  try {
    if (gateway.heldBack) throw new Failure(gateway.heldBack);
    const link = linkToStore(gateway, config);
    try {
      return await work(link);
    } finally {
      await link.close();
    }
  } finally {
    await gateway.close();
  }
}

/** Null when a `serve` holds the store. */
async function openAlone(config: Config): Promise<Gateway | null> {
  try {
    return await wireGateway(config, stderrLog());
  } catch (thrown) {
    if (asFailure(thrown).code === 'store-locked') return null;
    throw thrown;
  }
}

export function sentenceOf({ state, code, decision, score }: StudyResult): string {
  const result =
    decision === null || score === null || state === 'retracted'
      ? ''
      : `: ${decision}, score ${score.toFixed(4)}. AI output, not reviewed`;
  return `${state}${code === null ? '' : ` (${code})`}${result}`;
}

/** A skip is an answer, and so is a retraction that reached everybody; a failure has the exit code of its code. */
export function exitCodeOfState({ state, code }: StudyResult): number {
  if (state === 'done' || state === 'skipped' || (state === 'retracted' && code === null)) return exitCodes.ok;
  return exitCodeOfCode(code);
}
