import type { StatementSync } from 'node:sqlite';
import { type Database, transaction, translateErrors } from './database.ts';
import type { Engine, Row, Statement, Work } from './work.ts';

/** Drives the work of a store on SQLite: one process, one connection, no pause between two statements of one work. */
export function createSqliteEngine(database: Database): Engine {
  const prepared = new Map<string, StatementSync>();
  const answer = ({ text, values }: Statement): readonly Row[] => {
    const statement = prepared.get(text) ?? database.prepare(text);
    prepared.set(text, statement);
    return statement.all(Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value])));
  };
  return {
    transaction: async (where, work) => transaction(database, where, () => drive(work(false), answer)),
    read: async (where, work) => translateErrors(where, () => drive(work(), answer)),
    instance: async () => 0,
    *wake() {},
    // The folder is locked: whoever has claimed a job before this process asks is gone.
    dialect: { lock: '', lockFree: '', orphaned: 'TRUE' },
  };
}

function drive<T>(work: Work<T>, answer: (statement: Statement) => readonly Row[]): T {
  let step = work.next();
  while (!step.done) step = work.next(answer(step.value));
  return step.value;
}
