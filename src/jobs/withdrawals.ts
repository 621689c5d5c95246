import type { FailureCode } from '../core/failure.ts';
import type { Receipt, Recorded, Withdrawal, Withdrawals } from '../core/ports.ts';
import type { Demand } from '../core/study.ts';
import type { ArtifactFiles } from './artifacts.ts';
import { type Database, transaction } from './database.ts';
import {
  keepArtifact,
  prepareReadings,
  type ReadingRow,
  type ReadingStatements,
  recorded,
  toArtifact,
} from './readings.ts';

/** What was taken back, on SQLite: a withdrawal with its note is recorded together with the readings that stand no more. */

const where = 'the record of withdrawals';

interface WithdrawalRow {
  readonly number: number;
  /** A `Demand` as JSON. */
  readonly demand: string;
  readonly at: string;
  readonly note: string | null;
  readonly code: FailureCode | null;
}

export function createWithdrawals(database: Database, files: ArtifactFiles): Withdrawals {
  const statements = prepare(database);
  const load = (row: WithdrawalRow) => toWithdrawal(statements, files, row);
  return {
    async standing(studyInstanceUid) {
      return transaction(database, where, () =>
        recordings(statements, files, statements.standing.all(studyInstanceUid) as unknown as ReadingRow[]),
      );
    },
    async latest(studyInstanceUid) {
      return transaction(database, where, () => {
        const row = statements.latest.get(studyInstanceUid) as WithdrawalRow | undefined;
        return row ? load(row) : null;
      });
    },
    async record(studyInstanceUid, { demand, at, note }) {
      return transaction(database, where, () => {
        if (note) keepArtifact(statements.readings, files, note);
        const row = statements.insert.get(studyInstanceUid, JSON.stringify(demand), at, note?.id ?? null);
        const inserted = row as unknown as WithdrawalRow;
        statements.withdraw.run(inserted.number, studyInstanceUid);
        return load(inserted);
      });
    },
    async receive({ number }, receipts, code) {
      transaction(database, where, () => {
        for (const { artifact, destination, storedAt, note } of receipts)
          statements.receive.run(number, artifact, destination, storedAt, note);
        statements.code.run(code, number);
      });
    },
  };
}

function toWithdrawal(statements: Statements, files: ArtifactFiles, row: WithdrawalRow): Withdrawal {
  const { number, demand, at, note, code } = row;
  const readings = statements.withdrawn.all(number) as unknown as ReadingRow[];
  const receipts = statements.receipts.all(number) as unknown as Receipt[];
  return {
    number,
    demand: JSON.parse(demand) as Demand,
    at,
    readings: recordings(statements, files, readings),
    note:
      note === null
        ? null
        : toArtifact(files, statements.note.get(note) as unknown as Parameters<typeof toArtifact>[1]),
    receipts: receipts.map((receipt) => ({ ...receipt })),
    code,
  };
}

const recordings = ({ readings }: Statements, files: ArtifactFiles, rows: readonly ReadingRow[]): readonly Recorded[] =>
  rows.map((row) => recorded(readings, files, row));

type Statements = ReturnType<typeof prepare> & { readonly readings: ReadingStatements };

function prepare(database: Database) {
  return {
    readings: prepareReadings(database),
    standing: database.prepare('SELECT * FROM reading WHERE study = ? AND withdrawal IS NULL ORDER BY id'),
    withdrawn: database.prepare('SELECT * FROM reading WHERE withdrawal = ? ORDER BY id'),
    latest: database.prepare('SELECT * FROM withdrawal WHERE study = ? ORDER BY number DESC LIMIT 1'),
    insert: database.prepare('INSERT INTO withdrawal (study, demand, at, note) VALUES (?, ?, ?, ?) RETURNING *'),
    withdraw: database.prepare('UPDATE reading SET withdrawal = ? WHERE study = ? AND withdrawal IS NULL'),
    note: database.prepare(
      `SELECT *, 'rejection-note' AS name, 'rejection-note.dcm' AS file_name FROM artifact WHERE id = ?`,
    ),
    receipts: database.prepare(`SELECT artifact, destination, stored_at AS storedAt, note FROM withdrawal_receipt
      WHERE withdrawal = ? ORDER BY destination, artifact`),
    receive:
      database.prepare(`INSERT OR REPLACE INTO withdrawal_receipt (withdrawal, artifact, destination, stored_at, note)
      VALUES (?, ?, ?, ?, ?)`),
    code: database.prepare('UPDATE withdrawal SET code = ? WHERE number = ?'),
  };
}
