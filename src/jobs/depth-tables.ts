/**
 * What keeps the cost of a study flat at any depth of the store (fault 77), for both engines: the end of an index for each question
 * that is asked often, and `tally`, in which triggers keep the number of jobs in each condition. `score` and `decision` of a job are
 * those of its reading, so that a page of a triage list is one end of an index too. Without `job_by_reading` SQLite looks through all
 * jobs for each reading that is recorded: whoever refers to a row that comes with RETURNING is checked.
 */

const resultColumns = `
UPDATE job SET score = reading.score, decision = reading.decision FROM reading WHERE reading.id = job.reading;
CREATE INDEX job_by_score ON job (score DESC, number DESC);
CREATE INDEX job_by_low_score ON job ((score IS NULL), score, number);
CREATE INDEX job_by_code ON job (code) WHERE code IS NOT NULL;
CREATE INDEX artifact_kept ON artifact (id) WHERE purged_at IS NULL;
DROP INDEX job_by_state;
CREATE INDEX job_by_state ON job (state, updated_at, number);
`;

const moved = 'OLD.state <> NEW.state OR OLD.stat <> NEW.stat OR OLD.waiting <> NEW.waiting';
const count = (row: 'OLD' | 'NEW', change: 1 | -1): string =>
  `INSERT INTO tally VALUES (${row}.state, ${row}.stat, ${row}.waiting, ${change})
    ON CONFLICT (state, stat, waiting) DO UPDATE SET count = count + ${change};`;

export const depthTables = `
ALTER TABLE job ADD COLUMN score REAL;
ALTER TABLE job ADD COLUMN decision TEXT;
${resultColumns}
CREATE INDEX job_by_claim ON job (claimed, claim) WHERE claimed = 1;
CREATE INDEX job_by_reading ON job (reading) WHERE reading IS NOT NULL;

CREATE TABLE tally (
  state TEXT NOT NULL,
  stat INTEGER NOT NULL,
  waiting INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (state, stat, waiting)
) STRICT, WITHOUT ROWID;
INSERT INTO tally SELECT state, stat, waiting, count(*) FROM job GROUP BY state, stat, waiting;
CREATE TRIGGER job_comes AFTER INSERT ON job BEGIN ${count('NEW', 1)} END;
CREATE TRIGGER job_moves AFTER UPDATE OF state, stat, claimed ON job WHEN ${moved}
  BEGIN ${count('OLD', -1)} ${count('NEW', 1)} END;
CREATE TRIGGER job_goes AFTER DELETE ON job BEGIN ${count('OLD', -1)} END;
`;

/**
 * Each connection counts in rows of its own (`backend`), so that two gateways never wait for each other's count; the number of jobs is
 * the sum, and `foldTally` adds up what connections that ended have left.
 */
export const postgresDepthTables = `
ALTER TABLE job ADD COLUMN score DOUBLE PRECISION, ADD COLUMN decision TEXT;
${resultColumns.replace('score DESC', 'score DESC NULLS LAST')}
DROP INDEX job_by_update;
CREATE INDEX job_by_update ON job (updated_at, number);

CREATE TABLE tally (
  backend INTEGER NOT NULL,
  state TEXT NOT NULL,
  stat SMALLINT NOT NULL,
  waiting SMALLINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (backend, state, stat, waiting)
) WITH (fillfactor = 50);
INSERT INTO tally SELECT 0, state, stat, waiting, count(*) FROM job GROUP BY state, stat, waiting;
CREATE FUNCTION count_job(state TEXT, stat SMALLINT, waiting SMALLINT, change INTEGER) RETURNS void LANGUAGE sql AS $$
  INSERT INTO cxr_gateway.tally VALUES (pg_backend_pid(), $1, $2, $3, $4)
    ON CONFLICT (backend, state, stat, waiting) DO UPDATE SET count = tally.count + excluded.count
$$;
CREATE FUNCTION tally_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP <> 'INSERT' THEN PERFORM cxr_gateway.count_job(OLD.state, OLD.stat, OLD.waiting, -1); END IF;
  IF TG_OP <> 'DELETE' THEN PERFORM cxr_gateway.count_job(NEW.state, NEW.stat, NEW.waiting, 1); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER job_comes_or_goes AFTER INSERT OR DELETE ON job FOR EACH ROW EXECUTE FUNCTION tally_job();
CREATE TRIGGER job_moves AFTER UPDATE ON job FOR EACH ROW WHEN (${moved}) EXECUTE FUNCTION tally_job();
`;

export const foldTally = `WITH ended AS (DELETE FROM tally WHERE backend <> 0 RETURNING state, stat, waiting, count)
  INSERT INTO tally SELECT 0, state, stat, waiting, sum(count) FROM ended GROUP BY state, stat, waiting
  ON CONFLICT (backend, state, stat, waiting) DO UPDATE SET count = tally.count + excluded.count`;
