import { type RequestHandler, Router } from 'express';

/** Is the process alive, and does it take studies? Both without a token: nothing here is secret. */

export interface Check {
  /** Kebab-case; what is looked at: `model`, `store`, `intake`. */
  readonly name: string;
  /** Null when all is well, else a kebab-case code: `model-untrained`, `intake-paused`. */
  readonly run: () => Promise<string | null> | string | null;
  /** A code that an operator should see although studies are read; asked when `run` finds nothing. */
  readonly note?: () => string | null;
}

export interface CheckResult {
  readonly name: string;
  readonly status: 'ok' | 'fail';
  readonly code: string | null;
}

export function createHealth(checks: readonly Check[]): Router {
  const alive: RequestHandler = (_request, response) => {
    response.json({ status: 'ok' });
  };
  const ready: RequestHandler = async (_request, response) => {
    const results = await Promise.all(checks.map(runCheck));
    const ok = results.every(({ status }) => status === 'ok');
    response.status(ok ? 200 : 503).json({ status: ok ? 'ok' : 'fail', checks: results });
  };
  return Router({ caseSensitive: true, strict: true }).get('/healthz', alive).get('/readyz', ready);
}

/** A check that throws has failed, and says no more than that. */
async function runCheck({ name, run, note = () => null }: Check): Promise<CheckResult> {
  try {
    const code = await run();
    return code === null ? { name, status: 'ok', code: note() } : { name, status: 'fail', code };
  } catch {
    return { name, status: 'fail', code: 'check-failed' };
  }
}
