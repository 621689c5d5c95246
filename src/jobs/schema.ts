import { Failure } from '../core/failure.ts';
import { type Database, transaction, translateErrors } from './database.ts';
import { depthTables } from './depth-tables.ts';

/** Tables of the SQLite store. A later version is a new entry at the end of `migrations`; old entries are never edited. */

const where = 'the schema of the job store';

/** "CXRG" in ASCII: tells our database from any other. */
export const applicationId = 0x43585247;

/**
 * `waiting` is derived from claim and state, so that the three cannot disagree. `failing_since` starts the retry window,
 * `interrupted` counts deaths of the process under this job, `history` has one row per change of state.
 */
const jobTables = `
CREATE TABLE job (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  study TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  stat INTEGER NOT NULL CHECK (stat IN (0, 1)),
  state TEXT NOT NULL,
  code TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  announced_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  settling_count INTEGER,
  settling_since INTEGER,
  partial INTEGER NOT NULL DEFAULT 0 CHECK (partial IN (0, 1)),
  claimed INTEGER NOT NULL DEFAULT 0 CHECK (claimed IN (0, 1)),
  announced_again INTEGER NOT NULL DEFAULT 0 CHECK (announced_again IN (0, 1)),
  failing_since INTEGER,
  interrupted INTEGER NOT NULL DEFAULT 0,
  reading INTEGER REFERENCES reading (id),
  waiting INTEGER NOT NULL GENERATED ALWAYS AS (claimed = 0 AND state IN ('announced', 'settling', 'retrying')) VIRTUAL
) STRICT;
CREATE INDEX job_by_urgency ON job (waiting, stat, due_at, number);
CREATE INDEX job_by_state ON job (state);
CREATE INDEX job_by_update ON job (updated_at);

CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL REFERENCES job (number),
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  code TEXT,
  cause TEXT,
  attempt INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX history_by_job ON history (job);

CREATE TABLE outcome (
  job INTEGER NOT NULL REFERENCES job (number),
  position INTEGER NOT NULL,
  reason TEXT,
  json TEXT NOT NULL,
  PRIMARY KEY (job, position)
) STRICT;
CREATE INDEX outcome_by_reason ON outcome (reason) WHERE reason IS NOT NULL;
`;

/**
 * `content_key` names what a reading was made of. An artifact is its id: its first bytes, in the file named by `sha256`, and its
 * receipts belong to every reading that has it; `purged_at` says that the file was removed after the delivery.
 */
const ledgerTables = `
CREATE TABLE reading (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content_key TEXT NOT NULL UNIQUE,
  study TEXT NOT NULL,
  model_id TEXT NOT NULL,
  decision TEXT NOT NULL,
  score REAL,
  read_at TEXT NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX reading_by_study ON reading (study, model_id, id);

CREATE TABLE artifact (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sop_class_uid TEXT,
  sha256 TEXT NOT NULL,
  purged_at INTEGER
) STRICT;

CREATE TABLE reading_artifact (
  reading INTEGER NOT NULL REFERENCES reading (id),
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  artifact TEXT NOT NULL REFERENCES artifact (id),
  file_name TEXT NOT NULL,
  PRIMARY KEY (reading, name)
) STRICT;
CREATE INDEX reading_artifact_by_artifact ON reading_artifact (artifact);

CREATE TABLE receipt (
  artifact TEXT NOT NULL REFERENCES artifact (id),
  destination TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (artifact, destination)
) STRICT;

CREATE TABLE memory (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT;
`;

/**
 * Lanes and demands. `ready` marks a waiting job whose due time has come: each lane is then one end of an index. `next_demand` is
 * what a person asked for while the job ran.
 */
const laneTables = `
ALTER TABLE job ADD COLUMN ready INTEGER NOT NULL DEFAULT 0 CHECK (ready IN (0, 1));
ALTER TABLE job ADD COLUMN demand TEXT;
ALTER TABLE job ADD COLUMN next_demand TEXT;
DROP INDEX job_by_urgency;
CREATE INDEX job_by_turn ON job (waiting, ready, stat, due_at, number);
CREATE INDEX job_by_arrival ON job (waiting, ready, stat, announced_at, number);
`;

/** What names a claim, for a run that ends after it was parked; see `JobRow`. */
const claimTables = `
ALTER TABLE job ADD COLUMN claim TEXT;
ALTER TABLE job ADD COLUMN instance INTEGER;
ALTER TABLE job ADD COLUMN ended_claim TEXT;
`;

/**
 * What a person asked for stands in the history; what was taken back, in `withdrawal`: `note` is the rejection note for the archive,
 * `code` what could not be taken back, and `artifact` of a receipt the id of the note or of a report.
 */
const withdrawalTables = `
CREATE TABLE withdrawal (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  study TEXT NOT NULL,
  demand TEXT NOT NULL,
  at TEXT NOT NULL,
  note TEXT REFERENCES artifact (id),
  code TEXT
) STRICT;
CREATE INDEX withdrawal_by_study ON withdrawal (study, number);

CREATE TABLE withdrawal_receipt (
  withdrawal INTEGER NOT NULL REFERENCES withdrawal (number),
  artifact TEXT NOT NULL,
  destination TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (withdrawal, artifact, destination)
) STRICT;

ALTER TABLE reading ADD COLUMN withdrawal INTEGER REFERENCES withdrawal (number);
CREATE INDEX reading_by_withdrawal ON reading (withdrawal);
CREATE INDEX reading_of_study ON reading (study, id);
ALTER TABLE history ADD COLUMN demand TEXT;
`;

const migrations: readonly string[] = [
  jobTables + ledgerTables,
  laneTables,
  claimTables,
  depthTables,
  withdrawalTables,
];

export const schemaVersion = migrations.length;

/**
 * Brings the tables to this version in one transaction; refuses a database of a newer gateway or of another program. The folder
 * is locked: nobody writes between the copy of what was there and the change (fault 78).
 * @param keepCopy hears the version of a database with content before it is changed.
 * @returns whether there were no tables before.
 */
export function migrate(database: Database, keepCopy: (version: number) => void): boolean {
  const version = versionOf(database);
  if (version === schemaVersion) return false;
  if (version > 0) keepCopy(version);
  return transaction(database, where, () => {
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${schemaVersion}; PRAGMA application_id = ${applicationId}`);
    return version === 0;
  });
}

/** 0 for an empty database. Raises `store-failed` for one that is not ours or too new. */
function versionOf(database: Database): number {
  return translateErrors(where, () => {
    const version = readPragma(database, 'user_version');
    const owner = readPragma(database, 'application_id');
    const foreign = version === 0 ? hasTables(database) : owner !== applicationId;
    if (foreign) refuseSchema('a database of this gateway, or none', "another program's");
    if (version > schemaVersion)
      refuseSchema(`schema version ${schemaVersion} or older`, `${version}, of a newer gateway`);
    return version;
  });
}

export function refuseSchema(expected: string, got: string): never {
  throw new Failure('store-failed', { where, expected, got });
}

function readPragma(database: Database, name: 'user_version' | 'application_id'): number {
  return (database.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name]!;
}

function hasTables(database: Database): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
}
