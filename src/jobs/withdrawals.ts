import type { FailureCode } from '../core/failure.ts';
import type { Job, Receipt, Recorded, Withdrawal, Withdrawals } from '../core/ports.ts';
import type { Demand } from '../core/study.ts';
import type { ArtifactBytes } from './artifacts.ts';
import { mustHold } from './ledger.ts';
import { type ArtifactRow, keepArtifact, type ReadingRow, recorded, toArtifact } from './readings.ts';
import { all, type Engine, one, run, type Work } from './work.ts';

/** What was taken back: a withdrawal with its note is recorded together with the readings that stand no more. */

const where = 'the record of withdrawals';

interface WithdrawalRow {
  readonly number: number;
  /** A `Demand` as JSON. */
  readonly demand: string;
  readonly at: string;
  readonly note: string | null;
  readonly code: FailureCode | null;
}

export function createWithdrawals(engine: Engine, bytes: ArtifactBytes): Withdrawals {
  return {
    standing: (studyInstanceUid) => engine.read(where, () => recordings(bytes, sql.standing, studyInstanceUid)),
    latest: (studyInstanceUid) =>
      engine.read(where, function* () {
        const row = yield* one<WithdrawalRow>(sql.latest, studyInstanceUid);
        return row ? yield* toWithdrawal(bytes, row) : null;
      }),
    record: (job, withdrawal) =>
      engine.transaction(where, function* () {
        yield* mustHold(engine.dialect, job);
        return yield* insert(bytes, job, withdrawal);
      }),
    receive: ({ number }, receipts, code) =>
      engine.transaction(where, function* () {
        for (const { artifact, destination, storedAt, note } of receipts)
          yield* run(sql.receive, number, artifact, destination, storedAt, note);
        yield* run(sql.code, code, number);
      }),
  };
}

function* insert(
  bytes: ArtifactBytes,
  { studyInstanceUid }: Job,
  { demand, at, note }: Pick<Withdrawal, 'demand' | 'at' | 'note'>,
): Work<Withdrawal> {
  if (note) yield* keepArtifact(bytes, note);
  const values = [studyInstanceUid, JSON.stringify(demand), at, note?.id ?? null];
  const row = (yield* one<WithdrawalRow>(sql.insert, ...values))!;
  yield* run(sql.withdraw, row.number, studyInstanceUid);
  return yield* toWithdrawal(bytes, row);
}

function* toWithdrawal(bytes: ArtifactBytes, { number, demand, at, note, code }: WithdrawalRow): Work<Withdrawal> {
  const noteRow = note === null ? undefined : yield* one<ArtifactRow>(sql.note, note);
  return {
    number,
    demand: JSON.parse(demand) as Demand,
    at,
    readings: yield* recordings(bytes, sql.withdrawn, number),
    note: noteRow ? yield* toArtifact(bytes, noteRow) : null,
    receipts: (yield* all<Receipt>(sql.receipts, number)).map((receipt) => ({ ...receipt })),
    code,
  };
}

function* recordings(bytes: ArtifactBytes, text: string, value: string | number): Work<readonly Recorded[]> {
  const found: Recorded[] = [];
  for (const row of yield* all<ReadingRow>(text, value)) found.push(yield* recorded(bytes, row));
  return found;
}

const sql = {
  standing: 'SELECT id, json, withdrawal FROM reading WHERE study = $1 AND withdrawal IS NULL ORDER BY id',
  withdrawn: 'SELECT id, json, withdrawal FROM reading WHERE withdrawal = $1 ORDER BY id',
  latest: 'SELECT number, demand, at, note, code FROM withdrawal WHERE study = $1 ORDER BY number DESC LIMIT 1',
  insert: `INSERT INTO withdrawal (study, demand, at, note) VALUES ($1, $2, $3, $4)
    RETURNING number, demand, at, note, code`,
  withdraw: 'UPDATE reading SET withdrawal = $1 WHERE study = $2 AND withdrawal IS NULL',
  note: `SELECT artifact.*, 'rejection-note' AS name, 'rejection-note.dcm' AS file_name FROM artifact WHERE id = $1`,
  receipts: `SELECT artifact, destination, stored_at AS "storedAt", note FROM withdrawal_receipt
    WHERE withdrawal = $1 ORDER BY destination, artifact`,
  receive: `INSERT INTO withdrawal_receipt (withdrawal, artifact, destination, stored_at, note)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (withdrawal, artifact, destination)
    DO UPDATE SET stored_at = excluded.stored_at, note = excluded.note`,
  code: 'UPDATE withdrawal SET code = $1 WHERE number = $2',
} as const;
