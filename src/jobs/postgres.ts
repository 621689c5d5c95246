import { resolve } from 'node:path';
import type { Log } from '../core/ports.ts';
import { type ArtifactBytes, mustMatch, verified } from './artifacts.ts';
import { createBoard, createHistory } from './board.ts';
import { foldTally } from './depth-tables.ts';
import { createLedger, forgetReceipts } from './ledger.ts';
import { lockFolder } from './lock.ts';
import { createPast } from './past.ts';
import { type Connection, connect, createPostgresEngine, defaultPatienceMs } from './postgres-engine.ts';
import { translated } from './postgres-errors.ts';
import { migratePostgres } from './postgres-schema.ts';
import { openSession, type Session } from './postgres-session.ts';
import { purge } from './purge.ts';
import { createQueue, type StoreQueue } from './queue.ts';
import { checkedSecret, newSecret } from './secret.ts';
import { createMemory } from './source-memory.ts';
import { makePrivate } from './state-folder.ts';
import type { Store } from './store.ts';
import { createWithdrawals } from './withdrawals.ts';
import { type Engine, one, run } from './work.ts';

/** The store on PostgreSQL: several gateways share one database, and each has a state folder of its own. */

export interface PostgresOptions {
  readonly url: string;
  readonly password?: string;
  /** Spool, token and address of this gateway; locked by it. */
  readonly stateFolder: string;
  /** How long a database that does not answer is waited for. */
  readonly patienceMs?: number;
}

/** How often the claims of processes that are gone are looked for. */
const watchMs = 5_000;

/**
 * Opens the database, its tables made when they are not there.
 * @param log hears one line per change of state of a job that this process made, after the commit.
 * @throws Failure `store-locked` (another process has the state folder), `store-failed` (no answer, newer schema, no rights).
 */
export async function openPostgresStore(options: PostgresOptions, log: Log = () => {}): Promise<Store> {
  const { url, password, stateFolder, patienceMs = defaultPatienceMs } = options;
  const folder = resolve(stateFolder);
  makePrivate(folder);
  const lock = lockFolder(folder);
  const connection = connect(url, password, patienceMs);
  try {
    await migrate(connection);
    const session = await openSession(connection, patienceMs);
    return assemble(connection, session, log, () => lock.release());
  } catch (error) {
    await connection.close();
    lock.release();
    throw error;
  }
}

async function migrate({ pool, patiently }: Connection): Promise<void> {
  await patiently('the schema of the job store', async () => {
    const client = await pool.connect();
    try {
      await migratePostgres(client);
    } finally {
      // Not to be used again: after a refusal it is in the middle of a transaction.
      client.release(true);
    }
  });
}

function assemble(connection: Connection, session: Session, log: Log, unlock: () => void): Store {
  const engine = createPostgresEngine(connection, session);
  const queue = createQueue(engine, log);
  const stop = watchOthers(queue, session);
  let isOpen = true;
  return {
    // Whether the database was lost shows at the archive, not here: no file of this folder tells of it.
    start: 'kept',
    setAsideAs: null,
    recovering: false,
    queue: { ...queue, watch: session.onWake },
    ledger: createLedger(engine, bytesInRows),
    withdrawals: createWithdrawals(engine, bytesInRows),
    board: createBoard(engine),
    history: createHistory(engine),
    past: createPast(engine),
    memory: (name) => createMemory(engine, name),
    secret: () => secretOf(engine),
    leads: session.leads,
    check: () => check(connection, session),
    forgetReceipts: (lost) => forgetReceipts(engine, lost),
    async purge(olderThan, now) {
      await engine.transaction('the tally of jobs', () => run(foldTally));
      return purge(engine, { bytes: bytesInRows, olderThan, now });
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await stop();
      await session.close();
      await connection.close();
      unlock();
    },
  };
}

/**
 * Frees the claims of other processes that are gone. One is gone when it was so at two looks in a row: after a restart of the server
 * all come back, and who comes first must not take the work of the others.
 */
function watchOthers(queue: StoreQueue, session: Session): () => Promise<void> {
  let missing: readonly number[] = [];
  let looking = Promise.resolve();
  const look = async () => {
    if (!session.isHeld()) return;
    const lost = await queue.lost();
    const gone = lost.filter((instance) => missing.includes(instance));
    missing = lost;
    if (gone.length > 0) await queue.recoverFrom(gone, Date.now());
  };
  const timer = setInterval(() => {
    // What fails here fails where the runner claims too, and there it counts.
    looking = looking.then(look).catch(() => {});
  }, watchMs).unref();
  return () => {
    clearInterval(timer);
    return looking;
  };
}

async function check({ pool }: Connection, session: Session): Promise<void> {
  const where = 'the job store';
  if (!session.isHeld()) throw translated(where, new Error('connection terminated'));
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    throw translated(where, error);
  }
}

async function secretOf(engine: Engine): Promise<string> {
  const row = await engine.transaction('the site secret', function* () {
    yield* run('INSERT INTO site_secret (secret) VALUES ($1) ON CONFLICT DO NOTHING', newSecret());
    return yield* one<{ readonly secret: string }>('SELECT secret FROM site_secret');
  });
  return checkedSecret('the table site_secret', row!.secret);
}

/**
 * In rows, not in files: the process that recorded may be gone, and the one that goes on with the delivery may run on another
 * machine. They come with the reading, since nothing can be fetched while somebody reads `bytes`.
 */
const bytesInRows: ArtifactBytes = {
  *write(artifact, digest, bytes) {
    mustMatch(digest, bytes);
    yield* run('INSERT INTO artifact_bytes (artifact, bytes) VALUES ($1, $2)', artifact, bytes);
  },
  *read(artifact, digest) {
    const select = 'SELECT bytes FROM artifact_bytes WHERE artifact = $1';
    const row = yield* one<{ readonly bytes: Uint8Array }>(select, artifact);
    return () => verified(digest, row?.bytes ?? new Uint8Array());
  },
  *sweep() {
    const sweep = `WITH gone AS (DELETE FROM artifact_bytes USING artifact
      WHERE artifact.id = artifact_bytes.artifact AND purged_at IS NOT NULL RETURNING 1)
      SELECT count(*) AS count FROM gone`;
    return (yield* one<{ readonly count: number }>(sweep))!.count;
  },
};
