import { Failure } from '../core/failure.ts';
import { settingsDigest, sha256 } from '../core/ids.ts';
import type { Artifact, Ledger } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { ArtifactFiles } from './artifacts.ts';
import { type Database, transaction } from './database.ts';
import { keepArtifact, prepareReadings, type ReadingRow, recorded } from './readings.ts';

/**
 * The ledger on SQLite, the bytes in files.
 *
 * A reading is the same as another when it was made of the same: study, model, settings, source images and revision; the one
 * recorded first is given back whole. An artifact id means its first bytes for ever, in later readings too: a late image does
 * not redraw the heat-map of an earlier one, and what was delivered of it stays delivered.
 */

const where = 'the ledger';

export function createLedger(database: Database, files: ArtifactFiles): Ledger {
  const statements = prepare(database);
  return {
    async latest(studyInstanceUid, modelId) {
      return transaction(database, where, () => {
        const row = statements.latest.get({ $study: studyInstanceUid, $model: modelId }) as ReadingRow | undefined;
        return row ? recorded(statements.readings, files, row) : null;
      });
    },
    async record(job, reading, artifacts) {
      return transaction(database, where, () => {
        const key = contentKey(reading);
        const first = statements.byKey.get(key) as ReadingRow | undefined;
        const row = first ?? insert(statements, files, key, reading, artifacts);
        statements.show.run(row.id, job.number);
        return recorded(statements.readings, files, row);
      });
    },
    async receive(reading, receipts) {
      transaction(database, where, () => {
        const row = statements.byKey.get(contentKey(reading)) as ReadingRow | undefined;
        if (!row) refuse('a recorded reading');
        for (const { artifact: name, destination, storedAt, note } of receipts) {
          const artifact = statements.named.get(row.id, name) as { id: string } | undefined;
          if (!artifact) refuse('the name of an artifact of the reading');
          statements.receive.run(artifact.id, destination, storedAt, note);
        }
      });
    },
    async recordOutcomes(job, outcomes) {
      transaction(database, where, () => {
        statements.forgetOutcomes.run(job.number);
        for (const [position, outcome] of outcomes.entries()) {
          statements.recordOutcome.run(job.number, position, outcome.reason, JSON.stringify(outcome));
        }
      });
    },
  };
}

/** Names what a reading was made of: everything that the SR's UID hangs on, and the model's id. */
export function contentKey({ study, model, settings, images, failures, revision }: Reading): string {
  const sources = [...images.map(({ image }) => image), ...failures].map((image) => image.SOPInstanceUID).sort();
  const content = settingsDigest(settings, model);
  return sha256(JSON.stringify([study.StudyInstanceUID, model.id, model.sha256, content, sources, revision]));
}

function insert(
  statements: Statements,
  files: ArtifactFiles,
  key: string,
  reading: Reading,
  artifacts: readonly Artifact[],
): ReadingRow {
  const { study, model, decision, score, readAt } = reading;
  const json = JSON.stringify(reading);
  const inserted = statements.insert.get(key, study.StudyInstanceUID, model.id, decision, score, readAt, json);
  const row = inserted as unknown as ReadingRow;
  for (const [position, artifact] of artifacts.entries()) {
    keepArtifact(statements.readings, files, artifact);
    statements.link.run(row.id, artifact.name, position, artifact.id, artifact.fileName);
  }
  return row;
}

function refuse(expected: string): never {
  throw new Failure('internal', { where, expected, got: 'another' });
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: Database) {
  return {
    readings: prepareReadings(database),
    byKey: database.prepare('SELECT * FROM reading WHERE content_key = ?'),
    latest: database.prepare(`SELECT * FROM reading WHERE study = $study AND ($model IS NULL OR model_id = $model)
      ORDER BY id DESC LIMIT 1`),
    insert: database.prepare(`INSERT INTO reading (content_key, study, model_id, decision, score, read_at, json)
      VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *`),
    show: database.prepare('UPDATE job SET reading = ? WHERE number = ?'),
    link: database.prepare(`INSERT INTO reading_artifact (reading, name, position, artifact, file_name)
      VALUES (?, ?, ?, ?, ?)`),
    named: database.prepare('SELECT artifact AS id FROM reading_artifact WHERE reading = ? AND name = ?'),
    receive: database.prepare(`INSERT OR REPLACE INTO receipt (artifact, destination, stored_at, note)
      VALUES (?, ?, ?, ?)`),
    forgetOutcomes: database.prepare('DELETE FROM outcome WHERE job = ?'),
    recordOutcome: database.prepare('INSERT INTO outcome (job, position, reason, json) VALUES (?, ?, ?, ?)'),
  };
}
