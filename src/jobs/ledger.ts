import { Failure } from '../core/failure.ts';
import { settingsDigest, sha256 } from '../core/ids.ts';
import type { Artifact, Job, Ledger, Receipt, Recorded } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { ArtifactBytes } from './artifacts.ts';
import { claimLost } from './queue.ts';
import { all, type Dialect, type Engine, one, run, type Work } from './work.ts';

/**
 * The ledger on the tables of a store.
 *
 * A reading is the same as another when it was made of the same: study, model, settings, source images and revision; the one
 * recorded first is given back whole. An artifact id means its first bytes for ever, in later readings too: a late image does
 * not redraw the heat-map of an earlier one, and what was delivered of it stays delivered.
 */

const where = 'the ledger';

export function createLedger(engine: Engine, bytes: ArtifactBytes): Ledger {
  return {
    latest: (studyInstanceUid, modelId) =>
      engine.read(where, function* () {
        const row = yield* one<ReadingRow>(sql.latest, studyInstanceUid, modelId);
        return row ? yield* recorded(bytes, row) : null;
      }),
    record: (job, reading, artifacts) =>
      engine.transaction(where, function* () {
        yield* mustHold(engine.dialect, job);
        const key = contentKey(reading);
        const row = (yield* one<ReadingRow>(sql.byKey, key)) ?? (yield* insert(bytes, key, reading, artifacts));
        yield* run(sql.show, row.id, job.number);
        return yield* recorded(bytes, row);
      }),
    receive: (reading, receipts) => engine.transaction(where, () => receive(reading, receipts)),
    recordOutcomes: (job, outcomes) =>
      engine.transaction(where, function* () {
        yield* mustHold(engine.dialect, job);
        yield* run(sql.forgetOutcomes, job.number);
        for (const [position, outcome] of outcomes.entries()) {
          yield* run(sql.recordOutcome, job.number, position, outcome.reason, JSON.stringify(outcome));
        }
      }),
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

/** A run that lost its claim must not record: the run that has it now may have recorded something else. */
function* mustHold({ lock }: Dialect, job: Job): Work<void> {
  const row = yield* one<HeldRow>(`SELECT claimed, claim FROM job WHERE number = $1${lock}`, job.number);
  if (row?.claimed !== 1 || row.claim !== (job.claim ?? null)) throw claimLost(job, row);
}

interface HeldRow {
  readonly claimed: 0 | 1;
  readonly claim: string | null;
}

function* insert(
  bytes: ArtifactBytes,
  key: string,
  reading: Reading,
  artifacts: readonly Artifact[],
): Work<ReadingRow> {
  const { study, model, decision, score, readAt } = reading;
  const values = [key, study.StudyInstanceUID, model.id, decision, score, readAt, JSON.stringify(reading)];
  const row = (yield* one<ReadingRow>(sql.insert, ...values))!;
  for (const [position, { id, name, fileName, ...artifact }] of artifacts.entries()) {
    if (!(yield* one(sql.known, id))) {
      const { kind, mediaType, SOPClassUID = null } = artifact;
      yield* run(sql.insertArtifact, id, kind, mediaType, SOPClassUID, artifact.sha256);
      yield* bytes.write(id, artifact.sha256, artifact.bytes);
    }
    yield* run(sql.link, row.id, name, position, id, fileName);
  }
  return row;
}

function* receive(reading: Reading, receipts: readonly Receipt[]): Work<void> {
  const row = yield* one<ReadingRow>(sql.byKey, contentKey(reading));
  if (!row) refuse('a recorded reading');
  for (const { artifact: name, destination, storedAt, note } of receipts) {
    const artifact = yield* one<{ readonly id: string }>(sql.named, row.id, name);
    if (!artifact) refuse('the name of an artifact of the reading');
    yield* run(sql.receive, artifact.id, destination, storedAt, note);
  }
}

function* recorded(bytes: ArtifactBytes, { id, json }: ReadingRow): Work<Recorded> {
  const rows = yield* all<ArtifactRow>(sql.artifacts, id);
  const receipts = yield* receiptsOf(id);
  const artifacts: Artifact[] = [];
  for (const row of rows) artifacts.push(toArtifact(row, yield* bytesOf(bytes, row)));
  return { reading: JSON.parse(json) as Reading, artifacts, receipts };
}

/** False when its bytes were purged: then nothing could be delivered again. */
export function forgetReceipt(engine: Engine, artifactId: string, destination: string): Promise<boolean> {
  return engine.transaction(where, function* () {
    if (!(yield* one(sql.kept, artifactId))) return false;
    yield* run(sql.forgetReceipt, artifactId, destination);
    return true;
  });
}

/** Receipts of a reading, in the order of its artifacts. */
export function* receiptsOf(reading: number | null): Work<readonly Receipt[]> {
  return (yield* all<Receipt>(sql.receipts, reading)).map((receipt) => ({ ...receipt }));
}

function* bytesOf(bytes: ArtifactBytes, { id, sha256: digest, purged_at: purgedAt }: ArtifactRow) {
  if (purgedAt === null) return yield* bytes.read(id, digest);
  return () => {
    const expected = 'a use within jobs.retentionDays of the delivery';
    throw new Failure('internal', { where: 'bytes of a delivered artifact', expected, got: 'a later one' });
  };
}

/**
 * `bytes` are verified when somebody asks for them: a delivered study is recalled without a look at its megabytes. It raises a
 * Failure when they are not what was recorded, or were purged after the delivery.
 */
function toArtifact(row: ArtifactRow, read: () => Uint8Array): Artifact {
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

function refuse(expected: string): never {
  throw new Failure('internal', { where, expected, got: 'another' });
}

const sql = {
  byKey: 'SELECT id, json FROM reading WHERE content_key = $1',
  latest: 'SELECT id, json FROM reading WHERE study = $1 AND model_id = $2 ORDER BY id DESC LIMIT 1',
  insert: `INSERT INTO reading (content_key, study, model_id, decision, score, read_at, json)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, json`,
  show: `UPDATE job SET reading = reading.id, score = reading.score, decision = reading.decision
    FROM reading WHERE reading.id = $1 AND job.number = $2`,
  known: 'SELECT 1 AS known FROM artifact WHERE id = $1',
  insertArtifact: `INSERT INTO artifact (id, kind, media_type, sop_class_uid, sha256)
    VALUES ($1, $2, $3, $4, $5)`,
  link: `INSERT INTO reading_artifact (reading, name, position, artifact, file_name)
    VALUES ($1, $2, $3, $4, $5)`,
  artifacts: `SELECT artifact.*, name, file_name FROM reading_artifact
    JOIN artifact ON artifact.id = reading_artifact.artifact WHERE reading = $1 ORDER BY position`,
  named: 'SELECT artifact AS id FROM reading_artifact WHERE reading = $1 AND name = $2',
  receipts: `SELECT name AS artifact, destination, stored_at AS "storedAt", note
    FROM reading_artifact JOIN receipt USING (artifact) WHERE reading = $1 ORDER BY position, destination`,
  receive: `INSERT INTO receipt (artifact, destination, stored_at, note) VALUES ($1, $2, $3, $4)
    ON CONFLICT (artifact, destination) DO UPDATE SET stored_at = excluded.stored_at, note = excluded.note`,
  kept: 'SELECT 1 AS kept FROM artifact WHERE id = $1 AND purged_at IS NULL',
  forgetReceipt: 'DELETE FROM receipt WHERE artifact = $1 AND destination = $2',
  forgetOutcomes: 'DELETE FROM outcome WHERE job = $1',
  recordOutcome: 'INSERT INTO outcome (job, position, reason, json) VALUES ($1, $2, $3, $4)',
} as const;
