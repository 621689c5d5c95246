import { writeSync } from 'node:fs';
import { constants, DatabaseSync } from 'node:sqlite';
import { Failure } from '../../src/core/failure.ts';
import { openStore, runJobs } from '../../src/jobs/index.ts';
import { acknowledgedReading, acknowledgedSr } from './acknowledged.ts';
import { event } from './event.ts';

/** A process on a store, to be killed: `node child.ts hold|work|serve|upgrade FOLDER`. Says one line for each thing that is on the disk. */

const [mode, folder] = process.argv.slice(2) as [string, string];
const say = (line: string): void => void writeSync(1, `${line}\n`);
/** Keeps the process alive until somebody ends it. */
const wait = (): void => void setInterval(() => {}, 60_000);

const modes: Readonly<Record<string, () => Promise<void>>> = { hold, work, serve, upgrade };

/** Holds the lock, or says who does. Keeps no reference to the store and collects garbage: the lock must not hang on that. */
async function hold(): Promise<void> {
  try {
    openStore(folder);
    globalThis.gc?.();
    say(`open ${process.pid}`);
    wait();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(`${error.code} ${error.message}`);
    process.exitCode = 75;
  }
}

/** Opens the store of an older gateway and dies at the n-th thing that a change of its tables asks of SQLite. */
async function upgrade(): Promise<void> {
  let left = Number(process.argv[4]);
  const exec = DatabaseSync.prototype.exec;
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
    if (/ALTER TABLE|CREATE INDEX/.test(sql))
      this.setAuthorizer(() => {
        if (--left === 0) process.kill(process.pid, 'SIGKILL');
        return constants.SQLITE_OK;
      });
    exec.call(this, sql);
  };
  openStore(folder);
  say('open');
}

/** Announces, records and delivers without end; never polite enough to close. */
async function work(): Promise<void> {
  const { queue, ledger } = openStore(folder);
  await queue.recover(0);
  for (let index = Number(process.argv[4]); ; index++) {
    const uid = `1.${index}`;
    await queue.announce(event(uid), 0);
    say(`announced ${index}`);
    const job = (await queue.claim(0))!;
    await queue.advance(job, 'delivering', 0);
    const reading = acknowledgedReading(job.studyInstanceUid);
    await ledger.record(job, reading, [acknowledgedSr(job.studyInstanceUid)]);
    say(`recorded ${job.studyInstanceUid}`);
    await ledger.receive(reading, [{ artifact: 'sr', destination: 'pacs', storedAt: '', note: '' }]);
    say(`received ${job.studyInstanceUid}`);
    await queue.settle(job, { state: 'done', partial: false }, 0);
    say(`done ${job.studyInstanceUid}`);
  }
}

/** Runs jobs of which the study 1.1 never ends, until SIGTERM. */
async function serve(): Promise<void> {
  const store = openStore(folder);
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  const runner = runJobs({
    queue: store.queue,
    readStudy: async ({ studyInstanceUid }) => {
      say(`reading ${studyInstanceUid}`);
      if (studyInstanceUid === '1.1') await new Promise(wait);
      return { state: 'done', partial: false };
    },
    log: () => {},
    now: Date.now,
    random: Math.random,
    concurrency: 2,
    retryWindowMs: 1,
    graceMs: 300,
    signal: stop.signal,
  });
  await runner.done;
  store.close();
  process.exit(0);
}

await modes[mode]!();
