import { Failure } from '../core/failure.ts';
import { settingsDigest, sha256 } from '../core/ids.ts';
import type { Artifact, Job, Ledger, LostReceipt, Receipt } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { ArtifactBytes } from './artifacts.ts';
import { claimLost } from './queue.ts';
import { keepArtifact, type ReadingRow, recorded } from './readings.ts';
import { type Dialect, type Engine, one, run, type Work } from './work.ts';

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

/** A run that lost its claim must not record: the run that has it now may have recorded something else. Raises `claim-lost`. */
export function* mustHold({ lock }: Dialect, job: Job): Work<void> {
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
  for (const [position, artifact] of artifacts.entries()) {
    yield* keepArtifact(bytes, artifact);
    yield* run(sql.link, row.id, artifact.name, position, artifact.id, artifact.fileName);
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

/** False when bytes of one of them were purged: then not all could be delivered again, and all keep their receipts. */
export function forgetReceipts(engine: Engine, lost: readonly LostReceipt[]): Promise<boolean> {
  return engine.transaction(where, function* () {
    for (const { artifactId } of lost) if (!(yield* one(sql.kept, artifactId))) return false;
    for (const { artifactId, destination } of lost) yield* run(sql.forgetReceipt, artifactId, destination);
    return true;
  });
}

function refuse(expected: string): never {
  throw new Failure('internal', { where, expected, got: 'another' });
}

const sql = {
  byKey: 'SELECT id, json, withdrawal FROM reading WHERE content_key = $1',
  latest: `SELECT id, json, withdrawal FROM reading
    WHERE study = $1 AND (CAST($2 AS TEXT) IS NULL OR model_id = $2) ORDER BY id DESC LIMIT 1`,
  insert: `INSERT INTO reading (content_key, study, model_id, decision, score, read_at, json)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, json, withdrawal`,
  show: `UPDATE job SET reading = reading.id, score = reading.score, decision = reading.decision
    FROM reading WHERE reading.id = $1 AND job.number = $2`,
  link: `INSERT INTO reading_artifact (reading, name, position, artifact, file_name)
    VALUES ($1, $2, $3, $4, $5)`,
  named: 'SELECT artifact AS id FROM reading_artifact WHERE reading = $1 AND name = $2',
  receive: `INSERT INTO receipt (artifact, destination, stored_at, note) VALUES ($1, $2, $3, $4)
    ON CONFLICT (artifact, destination) DO UPDATE SET stored_at = excluded.stored_at, note = excluded.note`,
  kept: 'SELECT 1 AS kept FROM artifact WHERE id = $1 AND purged_at IS NULL',
  forgetReceipt: 'DELETE FROM receipt WHERE artifact = $1 AND destination = $2',
  forgetOutcomes: 'DELETE FROM outcome WHERE job = $1',
  recordOutcome: 'INSERT INTO outcome (job, position, reason, json) VALUES ($1, $2, $3, $4)',
} as const;
