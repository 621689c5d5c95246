import { Failure } from '../core/failure.ts';
import { settingsDigest, sha256 } from '../core/ids.ts';
import type { Artifact, Ledger, Receipt, Recorded } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { ArtifactFiles } from './artifacts.ts';
import { type Database, transaction } from './database.ts';

/**
 * The ledger on SQLite, the bytes in files.
 *
 * A reading is the same as another when it was made of the same: study, model, settings, source images and revision. The first
 * one recorded is given back whole. A SOP Instance UID means its first bytes for ever, in later readings too (a late image does
 * not redraw the heat-map of the first); a FHIR id is updated in place, so that each reading has its own bundle.
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
        if (first) makeCurrent(statements, files, first, artifacts);
        statements.show.run(row.id, job.number);
        return recorded(statements, files, row);
      });
    },
    async receive(reading, receipts) {
      transaction(database, where, () => {
        const row = statements.byKey.get(contentKey(reading)) as ReadingRow | undefined;
        if (!row) refuse('a recorded reading', 'another');
        for (const receipt of receipts) {
          const artifact = statements.named.get(row.id, receipt.artifact, receipt.artifact) as
            | { name: string }
            | undefined;
          if (!artifact) refuse('receipts of artifacts of the reading', 'another');
          statements.receive.run(row.id, artifact.name, receipt.destination, JSON.stringify(receipt));
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
export function contentKey(reading: Reading): string {
  const sources = [...reading.images.map(({ image }) => image), ...reading.failures].map(
    (image) => image.SOPInstanceUID,
  );
  const { model, study, settings, revision } = reading;
  return sha256(
    JSON.stringify([
      study.StudyInstanceUID,
      model.id,
      model.sha256,
      settingsDigest(settings, model),
      sources.sort(),
      revision,
    ]),
  );
}

interface ReadingRow {
  readonly id: number;
  readonly study: string;
  readonly model_id: string;
  readonly turn: number;
  readonly json: string;
}

interface ArtifactRow extends Omit<Artifact, 'bytes' | 'fileName' | 'mediaType'> {
  readonly file_name: string;
  readonly media_type: Artifact['mediaType'];
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
  const row = statements.insert.get(key, study.StudyInstanceUID, model.id, decision, score, readAt, json);
  const { id } = row as unknown as ReadingRow;
  for (const [position, artifact] of artifacts.entries()) {
    const { name, kind, fileName, mediaType } = artifact;
    const first =
      mediaType === 'application/dicom' ? (statements.firstBytes.get(artifact.id) as FileRow | undefined) : undefined;
    if (!first) files.write(artifact.sha256, artifact.bytes);
    const { sha256: digest, purged_at } = first ?? { sha256: artifact.sha256, purged_at: null };
    statements.insertArtifact.run(id, name, position, artifact.id, kind, fileName, mediaType, digest, purged_at);
  }
  return row as unknown as ReadingRow;
}

type FileRow = Pick<ArtifactRow, 'sha256' | 'purged_at'>;

/**
 * A reading that comes back after another one (a setting changed and changed back) is current again. What is updated in place
 * must then be sent again: its receipts tell of a state that the other reading has overwritten since. If its bytes were purged,
 * those offered now take their place.
 */
function makeCurrent(
  statements: Statements,
  files: ArtifactFiles,
  row: ReadingRow,
  offered: readonly Artifact[],
): void {
  const latest = statements.latest.get(row.study, row.model_id) as unknown as ReadingRow;
  if (latest.id === row.id) return;
  statements.takeTurn.run(row.id);
  statements.forgetReceipts.run(row.id, row.id);
  const purged = statements.purgedInPlace.all(row.id) as { name: string }[];
  for (const artifact of offered.filter(({ name }) => purged.some((entry) => entry.name === name))) {
    files.write(artifact.sha256, artifact.bytes);
    statements.replaceBytes.run(artifact.sha256, row.id, artifact.name);
  }
}

/** Artifacts whose bytes were purged after their delivery are left out: nothing is left to deliver of them. */
function recorded(statements: Statements, files: ArtifactFiles, row: ReadingRow): Recorded {
  const artifacts = (statements.artifacts.all(row.id) as unknown as ArtifactRow[])
    .filter(({ purged_at }) => purged_at === null)
    .map(({ name, id, kind, file_name: fileName, media_type: mediaType, sha256: digest }): Artifact => {
      return { kind, name, fileName, mediaType, id, bytes: files.read(digest), sha256: digest };
    });
  const receipts = (statements.receipts.all(row.id) as { json: string }[]).map(
    ({ json }) => JSON.parse(json) as Receipt,
  );
  return { reading: JSON.parse(row.json) as Reading, artifacts, receipts };
}

function refuse(expected: string, got: string): never {
  throw new Failure('internal', { where, expected, got });
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: Database) {
  return {
    byKey: database.prepare('SELECT * FROM reading WHERE content_key = ?'),
    latest: database.prepare('SELECT * FROM reading WHERE study = ? AND model_id = ? ORDER BY turn DESC LIMIT 1'),
    insert: database.prepare(`INSERT INTO reading (content_key, study, model_id, turn, decision, score, read_at, json)
      VALUES (?, ?, ?, (SELECT coalesce(max(turn), 0) + 1 FROM reading), ?, ?, ?, ?) RETURNING *`),
    takeTurn: database.prepare('UPDATE reading SET turn = (SELECT max(turn) + 1 FROM reading) WHERE id = ?'),
    show: database.prepare('UPDATE job SET reading = ? WHERE number = ?'),
    firstBytes: database.prepare('SELECT sha256, purged_at FROM artifact WHERE id = ? ORDER BY reading LIMIT 1'),
    insertArtifact: database.prepare(`INSERT INTO artifact
      (reading, name, position, id, kind, file_name, media_type, sha256, purged_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    artifacts: database.prepare('SELECT * FROM artifact WHERE reading = ? ORDER BY position'),
    named: database.prepare('SELECT name FROM artifact WHERE reading = ? AND (name = ? OR id = ?)'),
    receipts: database.prepare('SELECT json FROM receipt WHERE reading = ? ORDER BY rowid'),
    receive: database.prepare(
      'INSERT OR REPLACE INTO receipt (reading, artifact, destination, json) VALUES (?, ?, ?, ?)',
    ),
    forgetReceipts: database.prepare(`DELETE FROM receipt WHERE reading = ? AND artifact IN
      (SELECT name FROM artifact WHERE reading = ? AND media_type <> 'application/dicom')`),
    purgedInPlace: database.prepare(`SELECT name FROM artifact
      WHERE reading = ? AND media_type <> 'application/dicom' AND purged_at IS NOT NULL`),
    replaceBytes: database.prepare('UPDATE artifact SET sha256 = ?, purged_at = NULL WHERE reading = ? AND name = ?'),
    forgetOutcomes: database.prepare('DELETE FROM outcome WHERE job = ?'),
    recordOutcome: database.prepare('INSERT INTO outcome (job, position, reason, json) VALUES (?, ?, ?, ?)'),
  };
}
