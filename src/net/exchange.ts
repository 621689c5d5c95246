import { Readable } from 'node:stream';
import { type Dispatcher, request as send } from 'undici';
import type { HttpRequest } from './http.ts';
import type { Pin, Pinned } from './pinning.ts';
import { fail, type Peer } from './statuses.ts';

/** One request on the wire: its deadline, its redirects, and one repetition where a connection had gone stale. */

const mostRedirects = 3;
const redirects = new Set([301, 302, 303, 307, 308]);
/** An error body up to this size is read to its end, which keeps the connection; its text is thrown away. */
export const dumpedBytes = 16_384;

export interface Transport {
  readonly peer: Peer;
  readonly pin: Pin;
  readonly dispatcher: Dispatcher;
}

/** One request under its deadline. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly pinned: Pinned;
  readonly authorization: string | null;
  readonly signal: AbortSignal;
  /** Ends the deadline and gives the place up. */
  readonly done: () => void;
}

export function begin(
  { request, pinned, authorization }: Pick<Exchange, 'request' | 'pinned' | 'authorization'>,
  timeoutMs: number,
  release: () => void,
): Exchange {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  const done = () => {
    clearTimeout(timer);
    release();
  };
  controller.signal.addEventListener('abort', done, { once: true });
  return { request, pinned, authorization, signal: controller.signal, done };
}

/** The final answer: redirects are followed for GET only, below the roots only, so that credentials stay there. */
export async function exchangeAnswers(tools: Transport, exchange: Exchange): Promise<Dispatcher.ResponseData> {
  const { request, signal } = exchange;
  let pinned = exchange.pinned;
  for (let hops = 0; ; hops++) {
    const answer = await sendOnceOrAgain(tools, exchange, pinned.url);
    const location = answer.headers['location'];
    const isRedirect = redirects.has(answer.statusCode) && !request.expectStatus?.includes(answer.statusCode);
    if (!isRedirect) return answer;
    await answer.body.dump({ limit: dumpedBytes, signal });
    const next = followable(tools, request.method, pinned, typeof location === 'string' ? location : null);
    if (!next || hops === mostRedirects) {
      const got = next ? 'too many redirects' : 'a redirect elsewhere';
      throw fail(tools.peer, 'strange', {
        where: exchange.pinned.where,
        expected: 'an answer of the server itself',
        got,
      });
    }
    pinned = next;
  }
}

function followable({ pin }: Transport, method: string, from: Pinned, location: string | null): Pinned | null {
  if (method !== 'GET' || location === null || !URL.canParse(location, from.url.href)) return null;
  const next = pin(method, new URL(location, from.url.href).href);
  return next?.url.origin === from.url.origin ? next : null;
}

/** A peer may close an idle connection at the moment we use it: a GET that met this is sent once more. */
async function sendOnceOrAgain(tools: Transport, exchange: Exchange, url: URL): Promise<Dispatcher.ResponseData> {
  try {
    return await sendOnce(tools, exchange, url);
  } catch (thrown) {
    const stale = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOfError(thrown));
    if (!stale || exchange.request.method !== 'GET' || exchange.signal.aborted) throw thrown;
    return sendOnce(tools, exchange, url);
  }
}

function sendOnce({ dispatcher }: Transport, { request, signal, authorization }: Exchange, url: URL) {
  const { method, headers, body } = request;
  const own = authorization === null ? {} : { authorization };
  return send(url, {
    dispatcher,
    method,
    signal,
    headers: { 'accept-encoding': 'identity', ...lowerCase(headers), ...own },
    body:
      body === undefined ? null : typeof body === 'string' || body instanceof Uint8Array ? body : Readable.from(body),
  });
}

const lowerCase = (headers: HttpRequest['headers'] = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** Of Node, of OpenSSL or of undici; empty when there is none. */
export function codeOfError(thrown: unknown): string {
  const { code, errors } = (thrown ?? {}) as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  if (typeof code === 'string') return code.slice(0, 60);
  return errors?.[0] ? codeOfError(errors[0]) : '';
}
