import { Failure } from '../core/failure.ts';
import { settingsDigest, sha256 } from '../core/ids.ts';
import type { Artifact, Ledger, Receipt, Recorded } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { ArtifactFiles } from './artifacts.ts';
import { type Database, transaction } from './database.ts';

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
        const row = statements.latest.get(studyInstanceUid, modelId) as ReadingRow | undefined;
        return row ? recorded(statements, files, row) : null;
      });
    },
    async record(job, reading, artifacts) {
      return transaction(database, where, () => {
        const key = contentKey(reading);
        const first = statements.byKey.get(key) as ReadingRow | undefined;
        const row = first ?? insert(statements, files, key, reading, artifacts);
        statements.show.run(row.id, job.number);
        return recorded(statements, files, row);
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

interface ReadingRow {
  readonly id: number;
  readonly json: string;
}

interface ArtifactRow {
  readonly kind: Artifact['kind'];
  readonly name: string;
  readonly file_name: string;
  readonly media_type: Artifact['mediaType'];
  readonly id: string;
  readonly sop_class_uid: string | null;
  readonly sha256: string;
  readonly purged_at: number | null;
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
  for (const [position, { id, name, fileName, ...artifact }] of artifacts.entries()) {
    if (!statements.known.get(id)) {
      files.write(artifact.sha256, artifact.bytes);
      const { kind, mediaType, SOPClassUID = null } = artifact;
      statements.insertArtifact.run(id, kind, mediaType, SOPClassUID, artifact.sha256);
    }
    statements.link.run(row.id, name, position, id, fileName);
  }
  return row;
}

function recorded(statements: Statements, files: ArtifactFiles, { id, json }: ReadingRow): Recorded {
  const artifacts = statements.artifacts.all(id) as unknown as ArtifactRow[];
  const receipts = statements.receipts.all(id) as unknown as Receipt[];
  return {
    reading: JSON.parse(json) as Reading,
    artifacts: artifacts.map((row) => toArtifact(files, row)),
    receipts: receipts.map((receipt) => ({ ...receipt })),
  };
}

/**
 * `bytes` reads and verifies its file when somebody asks for it: a delivered study is recalled without its megabytes. It raises
 * a Failure when the file is not what was recorded, or was purged after the delivery.
 */
function toArtifact(files: ArtifactFiles, row: ArtifactRow): Artifact {
  return {
    kind: row.kind,
    name: row.name,
    fileName: row.file_name,
    mediaType: row.media_type,
    id: row.id,
    ...(row.sop_class_uid !== null && { SOPClassUID: row.sop_class_uid }),
    sha256: row.sha256,
    get bytes() {
      if (row.purged_at === null) return files.read(row.sha256);
      const expected = 'a use within jobs.retentionDays of the delivery';
      throw new Failure('internal', { where: 'bytes of a delivered artifact', expected, got: 'a later one' });
    },
  };
}

function refuse(expected: string): never {
  throw new Failure('internal', { where, expected, got: 'another' });
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: Database) {
  return {
    byKey: database.prepare('SELECT id, json FROM reading WHERE content_key = ?'),
    latest: database.prepare('SELECT id, json FROM reading WHERE study = ? AND model_id = ? ORDER BY id DESC LIMIT 1'),
    insert: database.prepare(`INSERT INTO reading (content_key, study, model_id, decision, score, read_at, json)
      VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id, json`),
    show: database.prepare('UPDATE job SET reading = ? WHERE number = ?'),
    known: database.prepare('SELECT 1 FROM artifact WHERE id = ?'),
    insertArtifact: database.prepare(`INSERT INTO artifact (id, kind, media_type, sop_class_uid, sha256)
      VALUES (?, ?, ?, ?, ?)`),
    link: database.prepare(`INSERT INTO reading_artifact (reading, name, position, artifact, file_name)
      VALUES (?, ?, ?, ?, ?)`),
    artifacts: database.prepare(`SELECT artifact.*, name, file_name FROM reading_artifact
      JOIN artifact ON artifact.id = reading_artifact.artifact WHERE reading = ? ORDER BY position`),
    named: database.prepare('SELECT artifact AS id FROM reading_artifact WHERE reading = ? AND name = ?'),
    receipts: database.prepare(selectReceipts),
    receive: database.prepare(`INSERT OR REPLACE INTO receipt (artifact, destination, stored_at, note)
      VALUES (?, ?, ?, ?)`),
    forgetOutcomes: database.prepare('DELETE FROM outcome WHERE job = ?'),
    recordOutcome: database.prepare('INSERT INTO outcome (job, position, reason, json) VALUES (?, ?, ?, ?)'),
  };
}

/** Receipts of a reading, in the order of its artifacts. */
export const selectReceipts = `SELECT name AS artifact, destination, stored_at AS storedAt, note
  FROM reading_artifact JOIN receipt USING (artifact) WHERE reading = ? ORDER BY position, destination`;
