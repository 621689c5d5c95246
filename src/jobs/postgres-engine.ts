import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { isPassing, translated } from './postgres-errors.ts';
import { schemaName } from './postgres-schema.ts';
import type { Engine, Row, Statement, Value, Work } from './work.ts';

/** Drives the work of a store on PostgreSQL. What a restart of the server breaks off is begun anew for a while. */

/** A server that restarts or fails over is back by then; one that is not is a matter for a person, and the process ends. */
export const defaultPatienceMs = 60_000;

const longestPauseMs = 1_000;

export interface Connection {
  readonly config: pg.PoolConfig;
  readonly pool: pg.Pool;
  /** Tries again what failed only for now; raises `store-failed` when the patience is over or the failure will stay. */
  patiently<T>(where: string, attempt: (again: boolean) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Server settings of every connection: a network that dies silently is noticed in half a minute, on both ends. */
const settings = {
  search_path: schemaName,
  statement_timeout: '30s',
  idle_in_transaction_session_timeout: '30s',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  // A promise is kept on the disk of this server at least, whatever the default of the database.
  synchronous_commit: 'on',
};

export function connect(url: string, password: string | undefined, patienceMs: number): Connection {
  const address = new URL(url);
  if (password !== undefined) address.password = encodeURIComponent(password);
  const config = {
    connectionString: address.href,
    application_name: 'cxr-gateway',
    options: Object.entries(settings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    query_timeout: 35_000,
    types: { getTypeParser },
  };
  const pool = new pg.Pool({ ...config, max: 6 });
  // Each failure shows at the next statement; without a listener it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const ended = new AbortController();
  return {
    config,
    pool,
    patiently: (where, attempt) => patiently(where, attempt, patienceMs, ended.signal),
    async close() {
      ended.abort();
      await Promise.race([pool.end(), sleep(2_000, undefined, { ref: false })]);
    },
  };
}

/** 64-bit integers as numbers: ours are counts and milliseconds. */
const getTypeParser = ((oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;

async function patiently<T>(
  where: string,
  attempt: (again: boolean) => Promise<T>,
  patienceMs: number,
  ended: AbortSignal,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let failed = 0; ; failed++) {
    try {
      return await attempt(failed > 0);
    } catch (error) {
      if (!isPassing(error) || ended.aborted || performance.now() > deadline) throw translated(where, error);
      await sleep(Math.min(longestPauseMs, 25 * 2 ** failed));
    }
  }
}

const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED';
/** One state of the store for all statements. */
const beginRead = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** What holds the claims of this process; see `postgres-session.ts`. */
export interface Holder {
  instance(): Promise<number>;
  wake(): Work<void>;
  readonly orphaned: string;
}

export function createPostgresEngine({ pool, patiently }: Connection, holder: Holder): Engine {
  const inTransaction = <T>(where: string, beginning: string, work: (again: boolean) => Work<T>) =>
    patiently(where, (again) => withClient(pool, (client) => transact(client, beginning, work(again))));
  return {
    transaction: (where, work) => inTransaction(where, begin, work),
    read: (where, work) => inTransaction(where, beginRead, work),
    instance: holder.instance,
    wake: holder.wake,
    dialect: { lock: ' FOR UPDATE', lockFree: ' FOR UPDATE SKIP LOCKED', orphaned: holder.orphaned },
  };
}

/** A client whose transaction failed is thrown away: nobody knows what state its connection is in. */
async function withClient<T>(pool: pg.Pool, use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await use(client);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

export async function transact<T>(client: pg.ClientBase, beginning: string, work: Work<T>): Promise<T> {
  await client.query(beginning);
  let step = work.next();
  while (!step.done) step = work.next(await answer(client, step.value));
  await client.query('COMMIT');
  return step.value;
}

/** Each text is prepared once a connection. */
const names = new Map<string, string>();

async function answer(client: pg.ClientBase, { text, values }: Statement): Promise<readonly Row[]> {
  const name = names.get(text) ?? `s${names.size}`;
  names.set(text, name);
  const { rows } = await client.query<Row>({ name, text, values: values.map(sendable) });
  return rows;
}

/** U+0000 fits no text of PostgreSQL; what a peer answered may hold one. */
const sendable = (value: Value): Value => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value);
