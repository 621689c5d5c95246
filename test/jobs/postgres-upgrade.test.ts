import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import pg from 'pg';
import { postgresSchemaVersion } from '../../src/jobs/postgres-schema.ts';
import { query } from '../services/postgres.ts';
import { goOn, postgresV1, recordedBytes, unreleased } from './old-stores.ts';
import { describePostgres, usePostgres } from './postgres-bench.ts';

describePostgres('fault 78: an upgrade of the PostgreSQL store with jobs under way', () => {
  const bench = usePostgres();

  async function oldDatabase(): Promise<string> {
    const url = await bench.server().createDatabase();
    await query(url, postgresV1());
    for (const { id, bytes } of recordedBytes)
      await query(url, 'INSERT INTO cxr_gateway.artifact_bytes VALUES ($1, $2)', [id, bytes]);
    return url;
  }

  const versionOf = async (url: string) =>
    (await query<{ version: number }>(url, 'SELECT version FROM cxr_gateway.schema_version'))[0]?.version;
  const columnsOf = (url: string) =>
    query(url, "SELECT column_name FROM information_schema.columns WHERE table_schema = 'cxr_gateway' ORDER BY 1");

  test('is tried from every version that was ever released, because a site may skip some', () => {
    expect(1 + unreleased).toBe(postgresSchemaVersion);
  });

  test('from version 1 goes on with every job, because a delivery that began must end', async () => {
    await goOn(await bench.openOn(await oldDatabase()));
  });

  test('that is cut off in the middle leaves the old, and the next try the new, because nobody can mend half a schema', async () => {
    const url = await oldDatabase();
    const before = await columnsOf(url);
    // Whoever holds a row of the ledger keeps the second half of the upgrade waiting.
    const holder = new pg.Client(url);
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE cxr_gateway.artifact');
    const opening = bench.openOn(url);
    const blocked = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    let pids: { pid: number }[] = [];
    while (pids.length === 0) {
      await sleep(20);
      pids = await query<{ pid: number }>(url, blocked);
    }
    await query(url, 'SELECT pg_terminate_backend($1)', [pids[0]!.pid]);
    expect(await versionOf(url)).toBe(1);
    expect(await columnsOf(url)).toEqual(before);
    await holder.query('ROLLBACK');
    await holder.end();
    const store = await opening;
    expect(await versionOf(url)).toBe(postgresSchemaVersion);
    await goOn(store);
  }, 120_000);
});
