import { Failure, type FailureCode } from '../core/failure.ts';

/**
 * Leaves a server alone that asked for it, or that refuses our credentials (faults 23 and 25). A request that would be sent meanwhile fails
 * at once, with the same code and the seconds that are left: the job waits for as long, and nothing reaches the server.
 * Other failures open nothing: what one study meets must not stop the next, and each job backs off by itself.
 */
export interface Breaker {
  /** Before a request is sent. Raises the failure of a server that must be left alone. */
  enter(where: string): Permit;
}

/** One request that may be sent; tell what became of it. */
export interface Permit {
  succeeded(): void;
  failed(failure: Failure): void;
}

export interface BreakerOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told once when a server begins to refuse our credentials, until it takes them again. */
  readonly onRefused: (code: FailureCode) => void;
}

/** Credentials that were refused are tried once in this time. */
export const refusedPauseMs = 60_000;
/** 401 is about who asks; 403 may be about one study, until nothing else comes. */
const most403InARow = 3;

interface Closure {
  readonly untilMs: number;
  readonly code: FailureCode;
}

export function createBreaker({ now, onRefused }: BreakerOptions): Breaker {
  let busy: Closure | null = null;
  let refused: Closure | null = null;
  let forbidden = 0;
  const refuse = (code: FailureCode): void => {
    if (!refused) onRefused(code);
    refused = { untilMs: now() + refusedPauseMs, code };
  };
  const leave = (isProbe: boolean): void => {
    forbidden = 0;
    if (isProbe) refused = null;
  };
  return {
    enter(where) {
      if (busy && now() < busy.untilMs) throw leftAlone(where, busy, now());
      busy = null;
      if (refused && now() < refused.untilMs) throw leftAlone(where, refused, now());
      const isProbe = refused !== null;
      // One request tries whether the credentials are taken now; the others wait for what it meets.
      if (refused) refused = { ...refused, untilMs: now() + refusedPauseMs };
      return {
        succeeded: () => leave(isProbe),
        failed({ code, detail: { got, retryAfterSeconds = 0 } }) {
          if (got === 'status 401') return refuse(code);
          forbidden = got === 'status 403' ? forbidden + 1 : 0;
          if (forbidden >= most403InARow) return refuse(code);
          if (isProbe && got !== 'status 403') refused = null;
          if (retryAfterSeconds > 0) busy = { untilMs: now() + retryAfterSeconds * 1000, code };
        },
      };
    },
  };
}

function leftAlone(where: string, { code, untilMs }: Closure, now: number): Failure {
  const retryAfterSeconds = Math.ceil((untilMs - now) / 1000);
  return new Failure(code, { where, expected: 'a server that may be asked now', got: 'not asked', retryAfterSeconds });
}
