import type { FailureCode } from '../core/failure.ts';
import type {
  Job,
  JobQueue,
  JobState,
  Ledger,
  LostReceipt,
  Memory,
  Settlement,
  StudyBoard,
  Withdrawals,
} from '../core/ports.ts';
import type { Demand } from '../core/study.ts';
import type { ClaimedJob, RetrySettlement } from './backoff.ts';
import type { StoreStart } from './damage.ts';
import type { StudyPast } from './past.ts';

/** What a store gives, whatever engine holds it. Every implementation passes the suites in `test/contracts`. */

/** One change of a job's state, as the history keeps it and the log tells it. */
export interface JobChange {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly state: JobState;
  readonly code: FailureCode | null;
  /** The last failure of a job that ran out of retries; else null. */
  readonly cause: FailureCode | null;
  readonly attempt: number;
  /** Time spent in the state before. */
  readonly durationMs: number;
  /** What a person asked for at that moment; else null. */
  readonly demand: Demand | null;
}

/** The queue with what the runner needs beyond the port. */
export interface DurableQueue extends JobQueue {
  claim(now: number): Promise<ClaimedJob | null>;
  /** The job of this study if it waits, whatever its due time and its lane; else null. */
  claimStudy(studyInstanceUid: string, now: number): Promise<ClaimedJob | null>;
  settle(job: Job, settlement: Settlement | RetrySettlement, now: number): Promise<void>;
  /** Gives a claim back unsettled: the job is due at once, for whoever claims next, and nothing counts as failed. */
  park(job: Job, now: number): Promise<void>;
  /**
   * The clock was set back by `byMs`: what waits for a time keeps the length of its wait (fault 75). On a store that several gateways
   * share, what the others wait for comes early: each study is looked at again, and is found to be not yet due.
   */
  setBack(byMs: number): Promise<void>;
  /** Of a store that several processes share: calls back when one of them made work, until the signal aborts. */
  watch?(ring: () => void, signal: AbortSignal): void;
}

export interface Store {
  readonly start: StoreStart;
  /** Name of the damaged database in the state folder, when `start` is `damaged`; else null. */
  readonly setAsideAs: string | null;
  /** Whether this store was begun in place of one that was lost or damaged, at this start or at an earlier one. */
  readonly recovering: boolean;
  readonly queue: DurableQueue;
  readonly ledger: Ledger;
  readonly withdrawals: Withdrawals;
  readonly board: StudyBoard;
  /** Every change of state of a study's job, oldest first; empty when the study is unknown. */
  history(studyInstanceUid: string): Promise<readonly JobChange[]>;
  /** Every reading of a study and every withdrawal. */
  past(studyInstanceUid: string): Promise<StudyPast>;
  /** The memory of the source `name`. */
  memory(name: string): Memory;
  /** Site secret, 64 hex digits; made once. */
  secret(): Promise<string>;
  /** Whether this process is the one that does `task`: of several on one store only one is, until it ends. */
  leads(task: string): Promise<boolean>;
  /** Raises `store-failed` when the store cannot be asked now; does not wait for it. */
  check(): Promise<void>;
  /**
   * Removes the bytes of delivered artifacts of studies that ended before `olderThan` (milliseconds since 1970), and what crashes
   * left over. An artifact without a receipt is never removed. Gives the number of artifacts removed.
   */
  purge(olderThan: number, now: number): Promise<number>;
  /**
   * The artifacts are no longer at these destinations: they are delivered again at the next run. False, and nothing is forgotten, when
   * the bytes of one of them were purged.
   */
  forgetReceipts(lost: readonly LostReceipt[]): Promise<boolean>;
  /** Closes the store and unlocks the folder; a second call changes nothing. */
  close(): Promise<void>;
}
