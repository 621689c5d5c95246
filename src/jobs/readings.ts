import { Failure } from '../core/failure.ts';
import type { Artifact, Receipt, Recorded } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { ArtifactFiles } from './artifacts.ts';
import type { Database } from './database.ts';

/** Rows of readings and artifacts, as the ledger and the record of withdrawals read them. */

export interface ReadingRow {
  readonly id: number;
  readonly json: string;
  /** Number of the withdrawal that took it back. */
  readonly withdrawal: number | null;
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

export function recorded(
  statements: ReadingStatements,
  files: ArtifactFiles,
  { id, json, withdrawal }: ReadingRow,
): Recorded {
  const artifacts = statements.artifacts.all(id) as unknown as ArtifactRow[];
  const receipts = statements.receipts.all(id) as unknown as Receipt[];
  const withdrawn = withdrawal === null ? null : statements.withdrawal.get(withdrawal);
  return {
    reading: JSON.parse(json) as Reading,
    artifacts: artifacts.map((row) => toArtifact(files, row)),
    receipts: receipts.map((receipt) => ({ ...receipt })),
    ...(withdrawn && { withdrawn: { ...(withdrawn as unknown as NonNullable<Recorded['withdrawn']>) } }),
  };
}

/**
 * `bytes` reads and verifies its file when somebody asks for it: a delivered study is recalled without its megabytes. It raises
 * a Failure when the file is not what was recorded, or was purged after the delivery.
 */
export function toArtifact(files: ArtifactFiles, row: ArtifactRow): Artifact {
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

/** An artifact id means its first bytes for ever. */
export function keepArtifact(statements: ReadingStatements, files: ArtifactFiles, artifact: Artifact): void {
  const { id, kind, mediaType, SOPClassUID = null, sha256 } = artifact;
  if (statements.known.get(id)) return;
  files.write(sha256, artifact.bytes);
  statements.insertArtifact.run(id, kind, mediaType, SOPClassUID, sha256);
}

export type ReadingStatements = ReturnType<typeof prepareReadings>;

export function prepareReadings(database: Database) {
  return {
    known: database.prepare('SELECT 1 FROM artifact WHERE id = ?'),
    insertArtifact: database.prepare(`INSERT INTO artifact (id, kind, media_type, sop_class_uid, sha256)
      VALUES (?, ?, ?, ?, ?)`),
    artifacts: database.prepare(`SELECT artifact.*, name, file_name FROM reading_artifact
      JOIN artifact ON artifact.id = reading_artifact.artifact WHERE reading = ? ORDER BY position`),
    receipts: database.prepare(selectReceipts),
    withdrawal: database.prepare('SELECT at, code FROM withdrawal WHERE number = ?'),
  };
}

/** Receipts of a reading, in the order of its artifacts. */
export const selectReceipts = `SELECT name AS artifact, destination, stored_at AS storedAt, note
  FROM reading_artifact JOIN receipt USING (artifact) WHERE reading = ? ORDER BY position, destination`;
