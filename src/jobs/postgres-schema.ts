import type pg from 'pg';
import { postgresDepthTables } from './depth-tables.ts';
import { refuseSchema } from './schema.ts';

/** Tables of the PostgreSQL store. A later version is a new entry at the end of `migrations`; old entries are never edited. */

/** Our tables have a schema of their own, so that the database may hold other things. */
export const schemaName = 'cxr_gateway';

/** One process changes the tables, the others wait for it. "CXRG" in ASCII, in the 64-bit space. */
const migrationLock = 0x43585247;

/** See `schema.ts` for what the columns mean. `instance` is the process that claimed, while it holds its advisory lock. */
const jobTables = `
CREATE SEQUENCE instance_number AS integer;
CREATE TABLE reading (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  content_key TEXT NOT NULL UNIQUE,
  study TEXT NOT NULL,
  model_id TEXT NOT NULL,
  decision TEXT NOT NULL,
  score DOUBLE PRECISION,
  read_at TEXT NOT NULL,
  json TEXT NOT NULL
);
CREATE INDEX reading_by_study ON reading (study, model_id, id);

CREATE TABLE job (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  study TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  stat SMALLINT NOT NULL CHECK (stat IN (0, 1)),
  state TEXT NOT NULL,
  code TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  announced_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  settling_count INTEGER,
  settling_since BIGINT,
  partial SMALLINT NOT NULL DEFAULT 0 CHECK (partial IN (0, 1)),
  claimed SMALLINT NOT NULL DEFAULT 0 CHECK (claimed IN (0, 1)),
  announced_again SMALLINT NOT NULL DEFAULT 0 CHECK (announced_again IN (0, 1)),
  failing_since BIGINT,
  interrupted INTEGER NOT NULL DEFAULT 0,
  reading BIGINT REFERENCES reading (id),
  ready SMALLINT NOT NULL DEFAULT 0 CHECK (ready IN (0, 1)),
  demand TEXT,
  next_demand TEXT,
  claim TEXT,
  instance INTEGER,
  ended_claim TEXT,
  waiting SMALLINT NOT NULL GENERATED ALWAYS AS
    (CASE WHEN claimed = 0 AND state IN ('announced', 'settling', 'retrying') THEN 1 ELSE 0 END) STORED,
  CHECK ((claimed = 1) = (claim IS NOT NULL AND instance IS NOT NULL))
);
CREATE INDEX job_by_turn ON job (ready, stat, due_at, number) WHERE waiting = 1;
CREATE INDEX job_by_arrival ON job (ready, stat, announced_at, number) WHERE waiting = 1;
CREATE UNIQUE INDEX job_by_claim ON job (claim) WHERE claimed = 1;
CREATE INDEX job_by_state ON job (state);
CREATE INDEX job_by_update ON job (updated_at);

CREATE TABLE history (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job BIGINT NOT NULL REFERENCES job (number),
  at BIGINT NOT NULL,
  state TEXT NOT NULL,
  code TEXT,
  cause TEXT,
  attempt INTEGER NOT NULL,
  duration_ms BIGINT NOT NULL
);
CREATE INDEX history_by_job ON history (job);

CREATE TABLE outcome (
  job BIGINT NOT NULL REFERENCES job (number),
  position INTEGER NOT NULL,
  reason TEXT,
  json TEXT NOT NULL,
  PRIMARY KEY (job, position)
);
CREATE INDEX outcome_by_reason ON outcome (reason) WHERE reason IS NOT NULL;
`;

const ledgerTables = `
CREATE TABLE artifact (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sop_class_uid TEXT,
  sha256 TEXT NOT NULL,
  purged_at BIGINT
);
CREATE TABLE artifact_bytes (
  artifact TEXT PRIMARY KEY REFERENCES artifact (id),
  bytes BYTEA NOT NULL
);
ALTER TABLE artifact_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE reading_artifact (
  reading BIGINT NOT NULL REFERENCES reading (id),
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  artifact TEXT NOT NULL REFERENCES artifact (id),
  file_name TEXT NOT NULL,
  PRIMARY KEY (reading, name)
);
CREATE INDEX reading_artifact_by_artifact ON reading_artifact (artifact);
CREATE TABLE receipt (
  artifact TEXT NOT NULL REFERENCES artifact (id),
  destination TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (artifact, destination)
);
CREATE TABLE memory (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (owner, key)
);
CREATE TABLE site_secret (
  one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
  secret TEXT NOT NULL
);
`;

/** See `schema.ts`. */
const withdrawalTables = `
CREATE TABLE withdrawal (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  study TEXT NOT NULL,
  demand TEXT NOT NULL,
  at TEXT NOT NULL,
  note TEXT REFERENCES artifact (id),
  code TEXT
);
CREATE INDEX withdrawal_by_study ON withdrawal (study, number);

CREATE TABLE withdrawal_receipt (
  withdrawal BIGINT NOT NULL REFERENCES withdrawal (number),
  artifact TEXT NOT NULL,
  destination TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (withdrawal, artifact, destination)
);

ALTER TABLE reading ADD COLUMN withdrawal BIGINT REFERENCES withdrawal (number);
CREATE INDEX reading_by_withdrawal ON reading (withdrawal);
CREATE INDEX reading_of_study ON reading (study, id);
ALTER TABLE history ADD COLUMN demand TEXT;
`;

const migrations: readonly string[] = [jobTables + ledgerTables, postgresDepthTables, withdrawalTables];

export const postgresSchemaVersion = migrations.length;

/**
 * Brings the tables to this version in one transaction, one process at a time; refuses a schema of a newer gateway or of another
 * program.
 */
export async function migratePostgres(client: pg.ClientBase): Promise<void> {
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
  await mustBeUtf8(client);
  const version = await versionOf(client);
  if (version > postgresSchemaVersion)
    refuseSchema(`schema version ${postgresSchemaVersion} or older`, `${version}, of a newer gateway`);
  for (const migration of migrations.slice(version)) await client.query(migration);
  if (version < postgresSchemaVersion)
    await client.query(`UPDATE schema_version SET version = ${postgresSchemaVersion}`);
  await client.query('COMMIT');
}

/** A name in another character set could not be kept. */
async function mustBeUtf8(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>('SHOW server_encoding');
  const got = rows[0]!.server_encoding;
  if (got !== 'UTF8') refuseSchema('a database with the encoding UTF8', got);
}

/** 0 for a schema that was empty or not there; it has its table of versions afterwards. */
async function versionOf(client: pg.ClientBase): Promise<number> {
  const { rows: tables } = await client.query<{ name: string | null }>(
    `SELECT relname AS name FROM pg_namespace LEFT JOIN pg_class ON relnamespace = pg_namespace.oid
    WHERE nspname = '${schemaName}'`,
  );
  const names = tables.flatMap(({ name }) => name ?? []);
  if (tables.length === 0) await client.query(`CREATE SCHEMA ${schemaName}`);
  if (names.length === 0) {
    await client.query(`CREATE TABLE schema_version (application TEXT NOT NULL, version INTEGER NOT NULL);
      INSERT INTO schema_version VALUES ('cxr-gateway', 0)`);
    return 0;
  }
  const ours = names.includes('schema_version');
  const rows = ours ? (await client.query<{ json: Version }>(selectVersion)).rows : [];
  const [row] = rows;
  if (rows.length !== 1 || row?.json.application !== 'cxr-gateway')
    refuseSchema('a schema of this gateway, or none', "another program's");
  return row.json.version;
}

/** As JSON: another program's table of this name has other columns. */
const selectVersion = 'SELECT to_json(schema_version) AS json FROM schema_version';

interface Version {
  readonly application: string;
  readonly version: number;
}
