import { types } from 'node:util';
import { Failure } from '../core/failure.ts';

/** PostgreSQL's errors in our words. Its messages may quote values, so only codes are repeated. */

/** The server restarts, fails over, is out of connections, or chose this transaction to break a deadlock: it may go well next time. */
const passingStates: readonly string[] = [
  ...['57P01', '57P02', '57P03', '57P05', '53300', '25P03', '25P04', '25006'],
  ...['40001', '40P01', '55P03', '57014'],
];

const passingCodes: readonly string[] = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'],
  ...['ENOTFOUND', 'ENOENT'],
];

/** What the client raises without a code when its connection went away. */
const passingMessages = /connection terminated|connection error|timeout exceeded when trying to connect|read timeout/i;

export function isPassing(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isPassing);
  if (!types.isNativeError(error) || error instanceof Failure) return false;
  const { code } = error as Error & { readonly code?: unknown };
  if (typeof code !== 'string') return passingMessages.test(error.message);
  return passingStates.includes(code) || passingCodes.includes(code) || code.startsWith('08');
}

/** Class 23: a broken constraint is a fault of ours and stays one. */
const isConstraint = (code: string): boolean => /^23[0-9A-Z]{3}$/.test(code);

export function translated(where: string, error: unknown): unknown {
  if (!types.isNativeError(error) || error instanceof Failure) return error;
  const { code } = error as Error & { readonly code?: unknown };
  const named = typeof code === 'string' ? code : null;
  if (named === null && !isPassing(error)) return error;
  if (named !== null && isConstraint(named)) return error;
  return new Failure('store-failed', { where, got: `PostgreSQL: ${named ?? 'no connection'}`, cause: error });
}
