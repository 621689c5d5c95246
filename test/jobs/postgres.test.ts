import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { jobsOptionsSchema, openJobs, runJobs, type Store } from '../../src/jobs/index.ts';
import { postgresSchemaVersion } from '../../src/jobs/postgres-schema.ts';
import { claimStudy, makeArtifact, makeReceipt } from '../contracts/ledger.ts';
import { query } from '../services/postgres.ts';
import { makeReading, model, studyUid } from '../support/readings.ts';
import { startCuttingProxy } from './cutting-proxy.ts';
import { event } from './event.ts';
import { describePostgres, usePostgres } from './postgres-bench.ts';

const done = { state: 'done', partial: false } as const;
const lost = expect.objectContaining({ code: 'claim-lost' });
const failed = expect.objectContaining({ code: 'store-failed' });

/** Takes the claim of a study away, as another process does when it believes this one to be gone. */
const takeAway = (url: string) =>
  query(url, 'UPDATE cxr_gateway.job SET claimed = 0, claim = NULL, instance = NULL, ready = 1');

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(20)) if (await isSo()) return;
  throw new Error(`gave up waiting: ${what}`);
}

describePostgres('the schema', () => {
  const bench = usePostgres();

  test('is made once by processes that start together, because they are deployed together', async () => {
    const url = await bench.server().createDatabase();
    const stores = await Promise.all([1, 2, 3, 4].map(() => bench.openOn(url)));
    const secrets = await Promise.all(stores.map((store) => store.secret()));
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(secrets).size).toBe(1);
    expect(await query(url, 'SELECT version FROM cxr_gateway.schema_version')).toEqual([
      { version: postgresSchemaVersion },
    ]);
  });

  test('of an older gateway is brought up to date with its readings, because an upgrade must not score again', async () => {
    const url = await bench.server().createDatabase();
    const old = await bench.openOn(url);
    await old.ledger.record(await claimStudy(old), makeReading(), [makeArtifact('2.25.1', 'SR')]);
    await old.close();
    await query(
      url,
      `SET search_path = cxr_gateway; ALTER TABLE reading DROP COLUMN withdrawal; ALTER TABLE history DROP COLUMN demand;
      DROP INDEX reading_of_study; DROP TABLE withdrawal_receipt, withdrawal; UPDATE schema_version SET version = 2`,
    );
    const { ledger, past } = await bench.openOn(url);
    expect((await ledger.latest(studyUid, model.id))?.reading.revision).toBe(1);
    expect(await past(studyUid)).toMatchObject({ revisions: [{ revision: 1, withdrawnAt: null }], withdrawals: [] });
  });

  test('of a newer gateway is refused untouched, because an older one would lose what it does not know', async () => {
    const url = await bench.server().createDatabase();
    await (await bench.openOn(url)).close();
    await query(url, 'UPDATE cxr_gateway.schema_version SET version = 999');
    await expect(bench.openOn(url)).rejects.toThrow('999, of a newer gateway');
    expect(await query(url, 'SELECT version FROM cxr_gateway.schema_version')).toEqual([{ version: 999 }]);
  });

  test.each([
    ['a table of its own', 'CREATE TABLE cxr_gateway.theirs (x INTEGER)'],
    ['a table of versions', 'CREATE TABLE cxr_gateway.schema_version (major INTEGER, minor INTEGER)'],
  ])('of another program with %s is refused, because it is not ours to change', async (_, table) => {
    const url = await bench.server().createDatabase();
    await query(url, `CREATE SCHEMA cxr_gateway; ${table}`);
    await expect(bench.openOn(url)).rejects.toThrow("another program's");
    expect(await query(url, "SELECT FROM pg_tables WHERE schemaname = 'cxr_gateway'")).toHaveLength(1);
  });

  test('leaves other tables of the database alone, because a site may have one server for all', async () => {
    const url = await bench.server().createDatabase();
    await query(url, 'CREATE TABLE job (theirs INTEGER); INSERT INTO job VALUES (7)');
    const store = await bench.openOn(url);
    await store.queue.announce(event('1.2'), 0);
    expect(await query(url, 'SELECT * FROM public.job')).toEqual([{ theirs: 7 }]);
  });
});

describePostgres('several processes on one database', () => {
  const bench = usePostgres();

  async function pair(): Promise<{ url: string; first: Store; second: Store }> {
    const url = await bench.server().createDatabase();
    const [first, second] = await Promise.all([bench.openOn(url), bench.openOn(url)]);
    return { url, first: first!, second: second! };
  }

  test('never claim the same study, because two runs of it would race', async () => {
    const { first, second } = await pair();
    await Promise.all(Array.from({ length: 60 }, (_, index) => first.queue.announce(event(`1.${index}`), 0)));
    const drain = async ({ queue }: Store) => {
      const taken: string[] = [];
      for (let job = await queue.claim(1); job; job = await queue.claim(1)) taken.push(job.studyInstanceUid);
      return taken;
    };
    const taken = await Promise.all([drain(first), drain(first), drain(second), drain(second)]);
    expect(taken.flat()).toHaveLength(60);
    expect(new Set(taken.flat()).size).toBe(60);
    expect(taken.every((each) => each.length > 0)).toBe(true);
  });

  test('keep each other from recovering what is under way, because a start is no death of the others', async () => {
    const { first, second } = await pair();
    await first.queue.announce(event('1.2'), 0);
    const job = (await first.queue.claim(0))!;
    await second.queue.recover(1);
    expect(await second.queue.claim(1)).toBeNull();
    await first.queue.settle(job, done, 2);
  });

  test('announce the same page at the same time without loss, because each of them may hear of it', async () => {
    const { first, second } = await pair();
    const page = Array.from({ length: 200 }, (_, index) => `1.${index}`);
    const announceAll = ({ queue }: Store, uids: readonly string[]) =>
      Promise.all(uids.map((uid) => queue.announce(event(uid), 0)));
    await Promise.all([announceAll(first, page), announceAll(second, page.toReversed())]);
    expect(await first.board.countsByState()).toEqual({ announced: 200 });
    expect(await second.history('1.7')).toHaveLength(1);
  });

  test('hear of work that another one announced, because an idle one must not sleep beside a busy one', async () => {
    const { first, second } = await pair();
    let rings = 0;
    second.queue.watch!(() => rings++, new AbortController().signal);
    await first.queue.announce(event('1.2'), 0);
    await until('the bell', () => rings > 0);
  });

  test('have one that polls, and another when it is gone, because three must not ask the PACS three times', async () => {
    const { first, second } = await pair();
    expect([await first.leads('qido-poll'), await second.leads('qido-poll')]).toEqual([true, false]);
    expect([await first.leads('qido-poll'), await second.leads('orthanc-changes')]).toEqual([true, true]);
    await first.close();
    await until('the lead', () => second.leads('qido-poll'));
  });

  test('go on with what another one recorded, because the bytes lie where both can read them', async () => {
    const { url, first, second } = await pair();
    await first.ledger.record(await claimStudy(first), makeReading(), [makeArtifact('2.25.1', 'the SR')]);
    await takeAway(url);
    const job = (await second.queue.claim(1))!;
    const again = await second.ledger.record(job, makeReading(), [makeArtifact('2.25.1', 'scored again')]);
    expect(String(again.artifacts[0]!.bytes)).toBe('the SR');
  });

  test('refuse whatever a run does that lost its claim, because the one that took over may have done it', async () => {
    const { url, first, second } = await pair();
    const old = await claimStudy(first);
    await takeAway(url);
    const job = (await second.queue.claim(1))!;
    await expect(first.queue.advance(old, 'read', 2)).rejects.toEqual(lost);
    await expect(first.ledger.record(old, makeReading(), [makeArtifact('2.25.1', 'x')])).rejects.toEqual(lost);
    await expect(first.ledger.recordOutcomes(old, [])).rejects.toEqual(lost);
    await expect(first.queue.settle(old, done, 2)).rejects.toEqual(lost);
    await expect(first.queue.park(old, 2)).rejects.toEqual(lost);
    expect(await first.ledger.latest(studyUid, model.id)).toBeNull();
    await second.queue.settle(job, done, 3);
    expect((await first.board.get(studyUid))?.job.state).toBe('done');
  });

  test('drop a run that lost its claim and go on with the next, because a lost race is no fault', async () => {
    const { url, first, second } = await pair();
    const stop = new AbortController();
    const lines: Record<string, unknown>[] = [];
    const runs: string[] = [];
    const runner = runJobs({
      queue: first.queue,
      async readStudy({ studyInstanceUid }) {
        runs.push(studyInstanceUid);
        if (studyInstanceUid === '1.1') {
          await takeAway(url);
          await second.queue.claim(Date.now());
        }
        return done;
      },
      log: (line) => lines.push(line),
      ...{ now: Date.now, random: Math.random, concurrency: 1, retryWindowMs: 1, signal: stop.signal },
    });
    await first.queue.announce(event('1.1', { priority: 'stat' }), Date.now());
    runner.poke();
    await until('the first run', () => lines.some(({ code }) => code === 'claim-lost'));
    await first.queue.announce(event('1.2'), Date.now());
    runner.poke();
    await until('the second run', async () => (await first.board.get('1.2'))?.job.state === 'done');
    stop.abort();
    await runner.done;
    expect(runs).toEqual(['1.1', '1.2']);
  });
});

describePostgres('the network and the server', () => {
  const bench = usePostgres();

  test('that restarts costs neither a promise nor a claim, because an upgrade of the database is no outage of ours', async () => {
    const url = await bench.server().createDatabase();
    const [store, other] = [await bench.openOn(url), await bench.openOn(url)];
    await store.queue.announce(event('1.1'), 0);
    const job = (await store.queue.claim(0))!;
    const restarted = bench.server().restart(1_500);
    await until('the store says that it cannot be asked', () =>
      store.check().then(
        () => false,
        () => true,
      ),
    );
    await expect(store.check()).rejects.toEqual(failed);
    const announced = other.queue.announce(event('1.2'), 1);
    const settled = store.queue.settle(job, done, 1);
    await restarted;
    await Promise.all([announced, settled]);
    expect(await other.board.countsByState()).toEqual({ announced: 1, done: 1 });
    expect(await other.queue.claim(2)).toMatchObject({ studyInstanceUid: '1.2' });
    await until('the store is back', () =>
      store.check().then(
        () => true,
        () => false,
      ),
    );
    expect(await store.leads('qido-poll')).toBe(true);
  }, 60_000);

  test('that ends the session of a process takes nothing from it, because it comes back under the same number', async () => {
    const url = await bench.server().createDatabase();
    const [store, other] = [await bench.openOn(url), await bench.openOn(url)];
    await store.queue.announce(event('1.1'), 0);
    const job = (await store.queue.claim(0))!;
    await query(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_locks JOIN job ON objid::bigint = instance
      WHERE locktype = 'advisory' AND objsubid = 2`.replace(' job ', ' cxr_gateway.job '),
    );
    await until('the session is back', () =>
      store.check().then(
        () => true,
        () => false,
      ),
    );
    await other.queue.recover(1);
    await store.queue.settle(job, done, 2);
  });

  test('that does not come back ends the work in bounded time, because a process that pretends helps nobody', async () => {
    const proxy = await startCuttingProxy(await bench.server().createDatabase());
    const store = await bench.openOn(proxy.url, undefined, 300);
    await proxy.close();
    await expect(store.queue.announce(event('1.2'), 0)).rejects.toEqual(failed);
    await expect(store.queue.claim(0)).rejects.toEqual(failed);
    await expect(store.check()).rejects.toEqual(failed);
  });

  test('that was never there is named without address and password, because the log is read by many', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as { readonly port: number };
    await new Promise((resolve) => closed.close(resolve));
    const url = `postgresql://cxr:secret-1@127.0.0.1:${port}/secret-2`;
    const thrown = await bench.openOn(url, undefined, 100).catch((error: Error) => error);
    expect(thrown).toEqual(failed);
    expect((thrown as Error).message).toContain('ECONNREFUSED');
    expect((thrown as Error).message).not.toMatch(/secret|127\.0\.0\.1/);
  });

  test.each([
    ['an announcement', 'announced', 1],
    ['a claim', 'announced', 1],
    ['a settlement', 'done', 2],
  ] as const)(
    'that loses the answer to the commit of %s neither loses nor doubles it, because it may have been done',
    async (what, state, changes) => {
      const url = await bench.server().createDatabase();
      const proxy = await startCuttingProxy(url);
      try {
        const store = await bench.openOn(proxy.url);
        const cut = (name: string) => (name === what ? proxy.cutNextCommit() : undefined);
        cut('an announcement');
        await store.queue.announce(event('1.2'), 0);
        cut('a claim');
        const job = (await store.queue.claim(0))!;
        expect(job).toMatchObject({ studyInstanceUid: '1.2' });
        if (state === 'done') {
          cut('a settlement');
          await store.queue.settle(job, done, 1);
        } else {
          await store.queue.advance(job, 'read', 1);
        }
        expect(proxy.cuts()).toBe(1);
        expect(await store.history('1.2')).toHaveLength(state === 'done' ? changes : changes + 1);
        await store.close();
      } finally {
        await proxy.close();
      }
    },
  );
});

describePostgres('artifacts in the database', () => {
  const bench = usePostgres();

  test('that were altered or lost are never handed out, because they would go to a PACS', async () => {
    const url = await bench.server().createDatabase();
    const store = await bench.openOn(url);
    await store.ledger.record(await claimStudy(store), makeReading(), [makeArtifact('2.25.1', 'the SR')]);
    const bytes = async () => (await store.ledger.latest(studyUid, model.id))!.artifacts[0]!.bytes;
    expect(String(await bytes())).toBe('the SR');
    await query(url, "UPDATE cxr_gateway.artifact_bytes SET bytes = 'the SX'");
    await expect(bytes()).rejects.toMatchObject({ code: 'internal' });
    await query(url, 'DELETE FROM cxr_gateway.artifact_bytes');
    await expect(bytes()).rejects.toMatchObject({ code: 'internal' });
  });

  test('go some days after their delivery and not before, because only what was not delivered is still needed', async () => {
    const url = await bench.server().createDatabase();
    const store = await bench.openOn(url);
    const job = await claimStudy(store);
    const map = makeArtifact('2.25.2', 'map', { name: 'map' });
    await store.ledger.record(job, makeReading(), [makeArtifact('2.25.1', 'SR'), map]);
    await store.ledger.receive(makeReading(), [makeReceipt('sr')]);
    expect(await store.purge(9_000, 9_000)).toBe(0);
    await store.queue.settle(job, done, 1_000);
    expect(await store.purge(1_000, 5_000)).toBe(0);
    expect(await store.purge(1_001, 5_000)).toBe(1);
    const { artifacts } = (await store.ledger.latest(studyUid, model.id))!;
    expect(() => artifacts[0]!.bytes).toThrow('jobs.retentionDays');
    expect(String(artifacts[1]!.bytes)).toBe('map');
    expect(await query(url, 'SELECT artifact FROM cxr_gateway.artifact_bytes')).toEqual([{ artifact: '2.25.2' }]);
  });

  test('keep a receipt whose note holds U+0000, because the note is what a peer answered', async () => {
    const store = await bench.open();
    await store.ledger.record(await claimStudy(store), makeReading(), [makeArtifact('2.25.1', 'SR')]);
    await store.ledger.receive(makeReading(), [{ ...makeReceipt('sr'), note: 'a\0b' }]);
    expect((await store.ledger.latest(studyUid, model.id))!.receipts[0]!.note).toBe('a\uFFFDb');
  });
});

describePostgres('the configuration', () => {
  const bench = usePostgres();

  test('is kind and url, because that is the whole change for a user', async () => {
    const url = await bench.server().createDatabase();
    const options = jobsOptionsSchema.parse({ kind: 'postgres', url, stateFolder: bench.folder() });
    const store = await openJobs({ ...options, password: 'p%@/ä' }, () => {});
    await expect(openJobs(options, () => {})).rejects.toMatchObject({ code: 'store-locked' });
    expect(await query(url, 'SELECT FROM cxr_gateway.job')).toEqual([]);
    await store.close();
    await store.close();
  });
});
