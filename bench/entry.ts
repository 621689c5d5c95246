import type { Contestant } from './measure.ts';

/** One line of the table of reading before it is measured. */
export interface Entry {
  readonly id: string;
  readonly what: string;
  /** Threads of all its processes together, by which its share of the machine's peak is told; null: not on the processor. */
  readonly threads: number | null;
  /** Images in one run of the network. */
  readonly batch: number;
  /** Other arithmetic than that of the peak, of which it has no share. */
  readonly eightBit?: true;
  /** The entry that it is held against, at equal batch and threads; null: none. */
  readonly against: string | null;
  /** Null: not there, and `note` says why. Its name is `id`. */
  readonly contestant: Contestant | null;
  /** Version and setting. */
  readonly note?: string;
}

/** Entries, and how what they hold is given back. */
export interface Entered {
  readonly entries: readonly Entry[];
  readonly close: () => Promise<unknown>;
  /** Processes whose memory is told, by the words of the table. */
  readonly pids?: ReadonlyMap<string, readonly number[]>;
}

export const threadsInWords = (threads: number): string => `${threads} thread${threads > 1 ? 's' : ''}`;

/** Images in one run, of everyone on the processor. */
export const batches = [1, 4] as const;

/** Names of the entries that others are held against: bare ONNX Runtime at that batch and those threads. */
export const bareId = (threads: number | string, batch = 1): string =>
  `bare ${threads}${batch > 1 ? ` b${batch}` : ''}`;

/** Names of the settings with one process and several threads, or several processes of one thread. */
export const bareInTwo = '2x1';
