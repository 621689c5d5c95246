import type { Artifact, ArtifactKind, Receipt } from './artifact.ts';
import type { FailureCode } from './failure.ts';
import type { Decision, Reading, View } from './reading.ts';
import type { Demand, StudyEvent } from './study.ts';

/** The durable side of the ports: jobs, the ledger of readings and receipts, and the board that shows them. */

export type JobState =
  | 'announced'
  | 'settling'
  | 'selected'
  | 'read'
  | 'delivering'
  | 'retrying'
  | 'done'
  | 'skipped'
  | 'quarantined'
  | 'source-gone'
  | 'dead'
  | 'superseded'
  | 'retracted';

/** The durable work for one study. */
export interface Job {
  readonly number: number;
  readonly studyInstanceUid: string;
  readonly source: string;
  readonly priority: StudyEvent['priority'];
  readonly state: JobState;
  /** Code of the last failure or of the skip; null when there is none. */
  readonly code: FailureCode | null;
  /** Failed attempts since the study was last announced. */
  readonly attempt: number;
  /** Milliseconds since 1970. */
  readonly announcedAt: number;
  readonly dueAt: number;
  readonly updatedAt: number;
  /** Scratch of the settling rule: the foreign instances last counted, and since when that count stands. */
  readonly settling: { readonly count: number; readonly since: number } | null;
  readonly partial: boolean;
  /** What a person wants of the next run, or of this one; the run that ends with it clears it. */
  readonly demand: Demand | null;
  /** Of a claimed job: names this claim. Who took the job over has another, and what is done under the old one is refused. */
  readonly claim?: string;
}

/** The study is still growing; `priority` raises the job when its order turns out to be urgent. */
export interface Settling {
  readonly state: 'settling';
  readonly dueAt: number;
  readonly settling: NonNullable<Job['settling']>;
  readonly priority?: 'stat';
}

/** What became of one run of a job. */
export type Settlement =
  | Settling
  | { readonly state: 'done'; readonly partial: boolean }
  /** `code`: what could not be taken back, or null. */
  | { readonly state: 'retracted'; readonly code: FailureCode | null }
  | { readonly state: 'skipped' | 'quarantined' | 'source-gone' | 'dead'; readonly code: FailureCode }
  | { readonly state: 'retrying'; readonly dueAt: number; readonly code: FailureCode };

export interface JobQueue {
  /**
   * One job a study: a second announcement of a waiting job changes nothing, of a running or ended one asks for another run. One
   * with a demand sets it, and a waiting job is then due at once; one without never clears it.
   */
  announce(event: StudyEvent, now: number): Promise<void>;
  /** The due job whose lane has the turn, now claimed by this process; null when there is none. */
  claim(now: number): Promise<Job | null>;
  /** Progress of a claimed job that is worth a line in the log. This and `settle` raise `claim-lost` when the claim is not held. */
  advance(job: Job, state: 'selected' | 'read' | 'delivering', now: number): Promise<void>;
  /** Ends the run. A study announced again meanwhile is due at once. */
  settle(job: Job, settlement: Settlement, now: number): Promise<void>;
  /** When the next job is due; null when nothing waits. */
  nextDueAt(): Promise<number | null>;
  /** Claims of a process that died are free again. Call at start. */
  recover(now: number): Promise<void>;
}

/** An instance of a study and what became of it. */
export interface InstanceOutcome {
  readonly key: string;
  readonly SOPInstanceUID: string | null;
  readonly outcome: 'reported' | 'skipped' | 'quarantined';
  readonly reason: FailureCode | null;
  /** Tag values that decided, without patient data. */
  readonly because: readonly string[];
  readonly view: View | null;
  readonly score: number | null;
  readonly decision: Decision | null;
}

/** A reading with its composed bytes, as it was first recorded. */
export interface Recorded {
  readonly reading: Reading;
  readonly artifacts: readonly Artifact[];
  readonly receipts: readonly Receipt[];
  /** Left out where the result stands. */
  readonly withdrawn?: { readonly at: string; readonly code: FailureCode | null };
}

/** The record of readings and receipts. */
export interface Ledger {
  /** The newest recording of a study and model id; null: of any model. */
  latest(studyInstanceUid: string, modelId: string | null): Promise<Recorded | null>;
  /**
   * Records before the first delivery. The bytes recorded first win: a second recording of the same ids gives back the first.
   * Raises `claim-lost`, as does `recordOutcomes`, when the job is not the caller's any more.
   */
  record(job: Job, reading: Reading, artifacts: readonly Artifact[]): Promise<Recorded>;
  receive(reading: Reading, receipts: readonly Receipt[]): Promise<void>;
  /** What became of every instance of the study in its last run. */
  recordOutcomes(job: Job, outcomes: readonly InstanceOutcome[]): Promise<void>;
}

/** Results of a study that a person took back, all that stood at that moment. Recorded before anybody is told. */
export interface Withdrawal {
  readonly number: number;
  readonly demand: Demand;
  /** RFC 3339 UTC. */
  readonly at: string;
  /** What it takes back, oldest first. */
  readonly readings: readonly Recorded[];
  /** The rejection note for the archive; null where none of our objects lies there. */
  readonly note: Artifact | null;
  /** `artifact` is the id of the note, or of the report that was taken back. */
  readonly receipts: readonly Receipt[];
  /** What could not be taken back. */
  readonly code: FailureCode | null;
}

/** The record of what was taken back. */
export interface Withdrawals {
  /** Recordings of a study that stand, oldest first. */
  standing(studyInstanceUid: string): Promise<readonly Recorded[]>;
  /** The newest of the study, or null. */
  latest(studyInstanceUid: string): Promise<Withdrawal | null>;
  /** The readings of the study stand no more. Raises `claim-lost` when the job is not the caller's any more. */
  record(job: Job, withdrawal: Pick<Withdrawal, 'demand' | 'at' | 'note'>): Promise<Withdrawal>;
  receive(withdrawal: Withdrawal, receipts: readonly Receipt[], code: FailureCode | null): Promise<void>;
}

/** A study as the HTTP API and the dashboard show it. */
export interface StudyRow {
  readonly job: Job;
  readonly modelId: string | null;
  readonly decision: Reading['decision'] | null;
  readonly score: number | null;
  readonly readAt: string | null;
  readonly instances: readonly InstanceOutcome[];
  readonly artifacts: readonly { readonly name: string; readonly id: string; readonly kind: ArtifactKind }[];
  readonly receipts: readonly Receipt[];
}

export interface StudyQuery {
  readonly state?: JobState;
  readonly decision?: Reading['decision'];
  readonly code?: string;
  readonly sort: 'score' | '-score' | 'updatedAt' | '-updatedAt';
  readonly limit: number;
  readonly offset: number;
}

/** What the HTTP API reads. */
export interface StudyBoard {
  find(query: StudyQuery): Promise<{ readonly total: number; readonly studies: readonly StudyRow[] }>;
  get(studyInstanceUid: string): Promise<StudyRow | null>;
  countsByState(): Promise<Readonly<Record<string, number>>>;
  /** What waits to be taken up, also what settles or is tried again later. */
  waiting(): Promise<Readonly<Record<StudyEvent['priority'], Waiting>>>;
}

export interface Waiting {
  readonly count: number;
  /** When the oldest of them was announced, milliseconds since 1970; null when nothing waits. */
  readonly oldestAt: number | null;
}
