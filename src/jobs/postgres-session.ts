import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Failure } from '../core/failure.ts';
import type { Connection, Holder } from './postgres-engine.ts';
import { run } from './work.ts';

/**
 * What this process holds in the database for as long as it lives: a number of its own under an advisory lock, which ends with its
 * connection, however that ends. Claims carry the number; claims of a number that nobody holds belong to a process that is gone.
 *
 * A connection that is lost is made anew and takes the same number again, so that a restart of the server costs no claims.
 */
export interface Session extends Holder {
  /** False while the connection is being made anew. */
  isHeld(): boolean;
  leads(task: string): Promise<boolean>;
  onWake(ring: () => void, signal: AbortSignal): void;
  close(): Promise<void>;
}

/** Classes of advisory locks: "CXRG" for processes, "CXRL" for tasks that one process does. */
const instances = 0x43585247;
const tasks = 0x4358524c;

const channel = 'cxr_gateway';

/** Condition on a claimed job: nobody holds the number of its process. */
const orphaned = `NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid::bigint = ${instances} AND objid::bigint = job.instance)`;

const beatMs = 5_000;
const longestPauseMs = 2_000;

interface Held {
  readonly client: pg.Client;
  readonly tasks: Set<string>;
}

export async function openSession(connection: Connection, patienceMs: number): Promise<Session> {
  const bells = new Set<() => void>();
  const ring = () => {
    for (const bell of bells) bell();
  };
  const closing = new AbortController();
  let held: Held | null = null;
  let taking = Promise.withResolvers<void>();
  const first = await connection.patiently('the session of the job store', () => hold(connection.config, null));
  const { instance } = first;
  const keep = ({ client }: { readonly client: pg.Client }) => {
    held = { client, tasks: new Set() };
    taking.resolve();
    client.on('notification', ({ payload }) => (payload === String(instance) ? undefined : ring()));
    client.once('end', () => {
      held = null;
      taking = Promise.withResolvers();
      if (!closing.signal.aborted) void holdAgain(connection.config, instance, closing.signal).then(again);
    });
    ring();
  };
  const again = (next: { readonly client: pg.Client } | null) => (next ? keep(next) : undefined);
  keep(first);
  const beat = setInterval(() => held && beatOnce(held.client), beatMs).unref();
  return {
    orphaned,
    isHeld: () => held !== null,
    async instance() {
      if (held === null) await within(patienceMs, taking.promise);
      return instance;
    },
    *wake() {
      yield* run(`SELECT pg_notify('${channel}', $1)`, String(instance));
    },
    leads: async (task) => held !== null && (await leads(held, task)),
    onWake(bell, signal) {
      bells.add(bell);
      signal.addEventListener('abort', () => bells.delete(bell), { once: true });
    },
    async close() {
      closing.abort();
      clearInterval(beat);
      await held?.client.end();
    },
  };
}

/** Connects and takes the lock of the number, or of a new one. Raises what PostgreSQL raises. */
async function hold(config: pg.ClientConfig, number: number | null) {
  const client = new pg.Client(config);
  // The end of the connection is what counts; without a listener its error would end the process.
  client.on('error', () => void client.end().catch(() => {}));
  await client.connect();
  try {
    const instance = number ?? (await value<number>(client, "SELECT nextval('instance_number')::int AS value", []));
    const lock = 'SELECT pg_try_advisory_lock($1, $2) AS value';
    if (!(await value<boolean>(client, lock, [instances, instance])))
      throw new Error('connection error: the server has not yet noticed the end of the one before');
    await client.query(`LISTEN ${channel}`);
    return { client, instance };
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** Null when the store was closed meanwhile. */
async function holdAgain(config: pg.ClientConfig, instance: number, closing: AbortSignal) {
  for (let failed = 0; !closing.aborted; failed++) {
    try {
      const next = await hold(config, instance);
      if (!closing.aborted) return next;
      await next.client.end();
    } catch {
      // Whoever waits for the session gives up in its own time.
      await sleep(Math.min(longestPauseMs, 50 * 2 ** failed), undefined, { signal: closing }).catch(() => {});
    }
  }
  return null;
}

/** A connection over which nothing comes back is as good as ended. */
async function beatOnce(client: pg.Client): Promise<void> {
  try {
    await client.query({ text: 'SELECT 1', query_timeout: beatMs } as pg.QueryConfig);
  } catch {
    (
      client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }
    ).connection.stream.destroy();
  }
}

async function leads({ client, tasks: mine }: Held, task: string): Promise<boolean> {
  if (mine.has(task)) return true;
  try {
    const lock = 'SELECT pg_try_advisory_lock($1, hashtext($2)) AS value';
    if (await value<boolean>(client, lock, [tasks, task])) mine.add(task);
  } catch {
    // Without its session this process leads nothing.
  }
  return mine.has(task);
}

async function value<T>(client: pg.Client, text: string, values: readonly unknown[]): Promise<T> {
  const { rows } = await client.query<{ readonly value: T }>(text, [...values]);
  return rows[0]!.value;
}

async function within(patienceMs: number, event: Promise<void>): Promise<void> {
  const late = new AbortController();
  const timer = sleep(patienceMs, 'late' as const, { signal: late.signal, ref: false }).catch(() => 'done' as const);
  const first = await Promise.race([event, timer]);
  late.abort();
  if (first !== 'late') return;
  throw new Failure('store-failed', { where: 'the session of the job store', got: 'PostgreSQL: no connection' });
}
