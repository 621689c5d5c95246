import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from 'express';
import { type Exchange, send } from './exchange.ts';

/** What a server may do wrong with one request; those that an archive and a FHIR server have in common. */

export type Side = 'pacs' | 'fhir';

export interface Misbehaviour {
  readonly name: string;
  /**
   * `passing`: who asks again, correctly, gets in the end what a good server gives, and nothing twice.
   * `pausing`: the same, but the server is left alone for a minute or more: too long for a run that meets it often.
   * `lasting`: the study cannot end as reported: refused for good, or stopped for a person.
   */
  readonly kind: 'passing' | 'pausing' | 'lasting';
  readonly fits: (request: Request) => boolean;
  readonly handle: (exchange: Exchange) => void | Promise<void>;
}

type Handle = Misbehaviour['handle'];
type Fits = Misbehaviour['fits'];

export const everyRequest: Fits = () => true;

export const passing = (name: string, handle: Handle, fits: Fits = everyRequest): Misbehaviour => ({
  name,
  kind: 'passing',
  fits,
  handle,
});

export const lasting = (name: string, handle: Handle, fits: Fits = everyRequest): Misbehaviour => ({
  name,
  kind: 'lasting',
  fits,
  handle,
});

const html = '<!doctype html><html><title>Sign in</title><form action="/login"></form></html>';

/** An answer in the place of the handler's: nothing is done. */
export const refusal =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Handle =>
  ({ send: answer }) =>
    answer({ status, headers, body: Buffer.from(body) });

export const busy = (status: 429 | 503, retryAfterSeconds: number): Misbehaviour =>
  passing(
    `${status} with Retry-After ${retryAfterSeconds}`,
    refusal(status, { 'retry-after': String(retryAfterSeconds) }),
  );

export const serverError = (status: 500 | 502 | 504): Misbehaviour =>
  passing(`${status}`, refusal(status, { 'content-type': 'text/html' }, '<h1>Bad gateway</h1>'));

export const unauthorized = (status: 401 | 403 = 401): Misbehaviour => ({
  ...passing(`${status}`, refusal(status, { 'www-authenticate': 'Bearer' })),
  kind: 'pausing',
});

export const loginPage: Misbehaviour = passing(
  'an HTML login page with 200',
  refusal(200, { 'content-type': 'text/html;charset=utf-8' }, html),
);

export const emptyAnswer: Misbehaviour = passing('an empty 200', refusal(200));

/** The handler did its work, and the peer hears nothing of use. */
export const emptyAfterWork: Misbehaviour = passing('an empty 200 after the work', async ({ serve, send: answer }) => {
  await serve();
  answer({ status: 200, headers: {}, body: Buffer.alloc(0) });
});

export const resetBefore: Misbehaviour = passing('reset before the work', ({ reset }) => reset());

export const resetAfter: Misbehaviour = passing('reset after the work', async ({ serve, reset }) => {
  await serve();
  reset();
});

/** Half of the body, with the length of the whole announced or with no length at all. */
export const cutBody = (announced: boolean): Misbehaviour =>
  passing(`a body cut ${announced ? 'below its Content-Length' : 'without Content-Length'}`, async (exchange) => {
    const { status, headers, body } = await exchange.serve();
    const { response } = exchange;
    response.writeHead(status, { ...headers, ...(announced ? { 'content-length': String(body.length) } : {}) });
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => exchange.reset());
    // Without a byte to write there is no callback to wait for.
    if (body.length < 2) exchange.reset();
  });

/** A few bytes at a time; ends when the peer does. */
export const drip = (pauseMs: number, bytes = 1): Misbehaviour =>
  passing(`${bytes} bytes every ${pauseMs} ms`, async ({ serve, response }) => {
    const { status, headers, body } = await serve();
    response.writeHead(status, { ...headers, 'content-length': String(body.length) });
    for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
      response.write(body.subarray(at, at + bytes));
      await sleep(pauseMs);
    }
    response.end();
  });

/** Takes the request, does the work when told to, and answers after a time or never; ends when the peer does. */
export const stalled = (ms: number | null, { work = true } = {}): Misbehaviour =>
  passing(`no answer ${ms === null ? 'ever' : `for ${ms} ms`}${work ? '' : ', and no work'}`, async (exchange) => {
    const { response, serve, reset } = exchange;
    const answer = work ? await serve() : null;
    const ended = new AbortController();
    response.once('close', () => ended.abort());
    await sleep(ms ?? 600_000, null, { signal: ended.signal }).catch(() => null);
    if (answer) send(response, answer);
    else reset();
  });

/** Those of both sides that a chaos run draws from; waiting is kept short. */
export const commonMisbehaviours: readonly Misbehaviour[] = [
  busy(503, 1),
  busy(429, 0),
  serverError(500),
  serverError(502),
  serverError(504),
  unauthorized(401),
  loginPage,
  emptyAnswer,
  emptyAfterWork,
  resetBefore,
  resetAfter,
  cutBody(true),
  cutBody(false),
  drip(2, 2048),
  stalled(300),
];
