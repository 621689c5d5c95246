-- The store of schema version 1, as its gateway left it: one job in each condition.
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

INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at) VALUES ('1.1', 'qido-poll', 0, 'announced', 100, 100, 100);
INSERT INTO job (study, source, stat, state, code, attempt, announced_at, due_at, updated_at, failing_since) VALUES ('1.2', 'webhook', 1, 'retrying', 'pacs-busy', 2, 101, 9000, 300, 200);
INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at, claimed, announced_again) VALUES ('1.3', 'webhook', 0, 'delivering', 102, 102, 310, 1, 1);
INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at, settling_count, settling_since) VALUES ('1.4', 'qido-poll', 0, 'settling', 103, 8000, 320, 4, 320);
INSERT INTO job (study, source, stat, state, announced_at, due_at, updated_at, partial) VALUES ('1.5', 'qido-poll', 0, 'done', 104, 104, 330, 1);
INSERT INTO history (job, at, state, code, cause, attempt, duration_ms) VALUES (2, 300, 'retrying', 'pacs-busy', NULL, 2, 200);
INSERT INTO memory (owner, key, json) VALUES ('qido-poll', 'cursor', '7');
PRAGMA user_version = 1;
PRAGMA application_id = 1129861703;
