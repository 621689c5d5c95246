/**
 * What a store does, written once for every engine: a generator yields statements and is given their rows. SQLite drives it without
 * a pause (nothing else of the process runs between its statements), PostgreSQL over the network.
 */

export type Value = string | number | null | Uint8Array;

/** Values stand in the text as $1, $2 and so on. */
export interface Statement {
  readonly text: string;
  readonly values: readonly Value[];
}

export type Row = Readonly<Record<string, unknown>>;

export type Work<T> = Generator<Statement, T, readonly Row[]>;

export interface Engine {
  /**
   * All of the work, durably, or nothing of it. It may be begun anew after a failure of the connection: `again` says that an
   * earlier try may have been committed after all. Raises `store-failed`.
   */
  transaction<T>(where: string, work: (again: boolean) => Work<T>): Promise<T>;
  /** Work that changes nothing and sees one state of the store. */
  read<T>(where: string, work: () => Work<T>): Promise<T>;
  /** Number of this process among those on the store; resolves when the process holds what its claims hang on. */
  instance(): Promise<number>;
  /** Tells the other processes that a job waits. */
  wake(): Work<void>;
  readonly dialect: Dialect;
}

/** Where the engines differ in their SQL. */
export interface Dialect {
  /** Ends the SELECT of a row that the transaction is going to change. */
  readonly lock: string;
  /** The same, but passes over what another process holds. */
  readonly lockFree: string;
  /** Condition on a claimed job: the process that claimed it is gone. */
  readonly orphaned: string;
}

export function* all<T>(text: string, ...values: Value[]): Work<readonly T[]> {
  return (yield { text, values }) as readonly T[];
}

export function* one<T>(text: string, ...values: Value[]): Work<T | undefined> {
  const [row] = yield { text, values };
  return row as T | undefined;
}

export function* run(text: string, ...values: Value[]): Work<void> {
  yield { text, values };
}
