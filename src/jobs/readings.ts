import { Failure } from '../core/failure.ts';
import type { Artifact, Receipt, Recorded } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { ArtifactBytes } from './artifacts.ts';
import { all, one, run, type Work } from './work.ts';

/** Rows of readings and artifacts, as the ledger and the record of withdrawals read them. */

export interface ReadingRow {
  readonly id: number;
  readonly json: string;
  /** Number of the withdrawal that took it back. */
  readonly withdrawal: number | null;
}

export interface ArtifactRow {
  readonly kind: Artifact['kind'];
  readonly name: string;
  readonly file_name: string;
  readonly media_type: Artifact['mediaType'];
  readonly id: string;
  readonly sop_class_uid: string | null;
  readonly sha256: string;
  readonly purged_at: number | null;
}

export function* recorded(bytes: ArtifactBytes, { id, json, withdrawal }: ReadingRow): Work<Recorded> {
  const artifacts: Artifact[] = [];
  for (const row of yield* all<ArtifactRow>(sql.artifacts, id)) artifacts.push(yield* toArtifact(bytes, row));
  const receipts = yield* receiptsOf(id);
  const withdrawn = withdrawal === null ? undefined : yield* one<WithdrawnRow>(sql.withdrawal, withdrawal);
  return {
    reading: JSON.parse(json) as Reading,
    artifacts,
    receipts,
    ...(withdrawn && { withdrawn: { at: withdrawn.at, code: withdrawn.code } }),
  };
}

type WithdrawnRow = NonNullable<Recorded['withdrawn']>;

/** Receipts of a reading, in the order of its artifacts. */
export function* receiptsOf(reading: number | null): Work<readonly Receipt[]> {
  return (yield* all<Receipt>(sql.receipts, reading)).map((receipt) => ({ ...receipt }));
}

/**
 * `bytes` are verified when somebody asks for them: a delivered study is recalled without a look at its megabytes. It raises a
 * Failure when they are not what was recorded, or were purged after the delivery.
 */
export function* toArtifact(bytes: ArtifactBytes, row: ArtifactRow): Work<Artifact> {
  const read = yield* bytesOf(bytes, row);
  return {
    kind: row.kind,
    name: row.name,
    fileName: row.file_name,
    mediaType: row.media_type,
    id: row.id,
    ...(row.sop_class_uid !== null && { SOPClassUID: row.sop_class_uid }),
    sha256: row.sha256,
    get bytes() {
      return read();
    },
  };
}

function* bytesOf(bytes: ArtifactBytes, { id, sha256: digest, purged_at: purgedAt }: ArtifactRow) {
  if (purgedAt === null) return yield* bytes.read(id, digest);
  return () => {
    const expected = 'a use within jobs.retentionDays of the delivery';
    throw new Failure('internal', { where: 'bytes of a delivered artifact', expected, got: 'a later one' });
  };
}

/** An artifact id means its first bytes for ever. */
export function* keepArtifact(bytes: ArtifactBytes, artifact: Artifact): Work<void> {
  const { id, kind, mediaType, SOPClassUID = null, sha256 } = artifact;
  if (yield* one(sql.known, id)) return;
  yield* run(sql.insertArtifact, id, kind, mediaType, SOPClassUID, sha256);
  yield* bytes.write(id, sha256, artifact.bytes);
}

const sql = {
  artifacts: `SELECT artifact.*, name, file_name FROM reading_artifact
    JOIN artifact ON artifact.id = reading_artifact.artifact WHERE reading = $1 ORDER BY position`,
  receipts: `SELECT name AS artifact, destination, stored_at AS "storedAt", note
    FROM reading_artifact JOIN receipt USING (artifact) WHERE reading = $1 ORDER BY position, destination`,
  known: 'SELECT 1 AS known FROM artifact WHERE id = $1',
  insertArtifact: `INSERT INTO artifact (id, kind, media_type, sop_class_uid, sha256)
    VALUES ($1, $2, $3, $4, $5)`,
  withdrawal: 'SELECT at, code FROM withdrawal WHERE number = $1',
} as const;
