import type { ErrorRequestHandler, Response } from 'express';
import { asFailure, describe } from '../core/failure.ts';
import type { Log } from '../core/ports.ts';

/** Errors as `application/problem+json` (RFC 9457): a status, a sentence of ours, never a stack and never what was sent. */

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Kebab-case, for machines. */
  readonly code: string;
}

/** A refusal that the caller can mend. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem';
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(problem: Problem, headers: Readonly<Record<string, string>> = {}) {
    super(problem.code);
    this.problem = problem;
    this.headers = headers;
  }
}

export const notFound = (): RequestProblem =>
  new RequestProblem({ status: 404, title: 'Not found', detail: 'Nothing is here.', code: 'not-found' });

export function sendProblem(response: Response, problem: Problem): void {
  response.status(problem.status).type('application/problem+json');
  response.send(JSON.stringify({ type: 'about:blank', ...problem }));
}

/** The last handler. What nobody foresaw becomes 500; the log has its code, not its text. */
export function handleErrors(log: Log, now: () => number): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    if (error instanceof RequestProblem) {
      response.set(error.headers);
      sendProblem(response, error.problem);
      return;
    }
    const refused = bodyProblem(error);
    if (refused) {
      sendProblem(response, refused);
      return;
    }
    const failure = asFailure(error);
    log({ time: new Date(now()).toISOString(), event: 'http-failure', code: failure.code, class: failure.class });
    const detail = describe(failure.code, {});
    if (failure.code === 'disk-full') {
      response.set('retry-after', String(failure.detail.retryAfterSeconds ?? 30));
      sendProblem(response, { status: 503, title: 'Service unavailable', detail, code: failure.code });
      return;
    }
    sendProblem(response, { status: 500, title: 'Internal error', detail, code: failure.code });
  };
}

/** What express raises of a path, a query or a body that it cannot read; its own text may quote the body. */
function bodyProblem(error: unknown): Problem | null {
  const { status } = error as { status?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return null;
  if (status === 413) return { status, title: 'Too large', detail: 'The body is over the limit.', code: 'too-large' };
  if (status === 415) return unsupportedMediaType;
  return { status, title: 'Bad request', detail: 'The request cannot be read.', code: 'malformed-request' };
}

export const unsupportedMediaType: Problem = {
  status: 415,
  title: 'Unsupported media type',
  detail: 'The body must be application/json in UTF-8, not compressed.',
  code: 'unsupported-media-type',
};
