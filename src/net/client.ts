import { Readable } from 'node:stream';
import { Agent, type Dispatcher, request as send } from 'undici';
import { Failure } from '../core/failure.ts';
import { collect, readBody } from './body.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import type { Credentials } from './options.ts';
import { createPin, type Pin, type Pinned } from './pinning.ts';
import { createSlots } from './slots.ts';
import { fail, type Peer, statusFailure } from './statuses.ts';

export interface HttpOptions {
  /** Whose codes the failures carry. */
  readonly peer: Peer;
  /** Absolute base URLs; every request lies below one of them, and so does every redirect that is followed. */
  readonly roots: readonly string[];
  readonly credentials: Credentials;
  /** PEM text of the authorities to trust instead of the built-in ones. */
  readonly ca: string | null;
  /** Total time of one request, from the first byte sent to the last byte read; waiting for a free place is not counted. */
  readonly timeoutMs: number;
  /** Most bytes of an answer, after content decoding. */
  readonly maxBytes: number;
  /** Requests at the same time; an answer holds its place until its body is read. */
  readonly maxInFlight: number;
  /** Milliseconds since 1970, for Retry-After dates. */
  readonly now?: () => number;
}

const mostRedirects = 3;
const redirects = new Set([301, 302, 303, 307, 308]);
/** An error body up to this size is read to its end, which keeps the connection; its text is thrown away. */
const dumpedBytes = 16_384;

interface Tools extends HttpOptions {
  readonly pin: Pin;
  readonly dispatcher: Dispatcher;
  readonly authorization: string | null;
}

/** One request under its deadline. */
interface Exchange {
  readonly request: HttpRequest;
  readonly pinned: Pinned;
  readonly signal: AbortSignal;
  /** Ends the deadline and gives the place up. */
  readonly done: () => void;
}

/** A client for one peer. Every failure is a Failure of that peer and holds no address, no credential and no text of an answer. */
export function createHttp(options: HttpOptions): Http {
  const { ca, timeoutMs, maxInFlight } = options;
  const connect = { timeout: timeoutMs, ...(ca === null ? {} : { ca }) };
  const dispatcher = new Agent({ connect, connections: maxInFlight, headersTimeout: 0, bodyTimeout: 0 });
  const authorization = authorizationOf(options.credentials);
  const tools: Tools = { ...options, dispatcher, authorization, pin: createPin(options.roots) };
  const slots = createSlots(maxInFlight);
  return {
    async request(request) {
      const pinned = pinOrRefuse(tools, request.method, request.url);
      const release = await slots.take();
      const exchange = begin(request, pinned, request.timeoutMs ?? timeoutMs, release);
      try {
        return await respond(tools, exchange, await exchangeAnswers(tools, exchange));
      } catch (thrown) {
        exchange.done();
        throw requestFailure(tools.peer, thrown, exchange);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

function authorizationOf(credentials: Credentials): string | null {
  if (credentials.kind === 'none') return null;
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64')}`;
}

function pinOrRefuse({ pin }: Tools, method: string, url: string): Pinned {
  const pinned = pin(method, url);
  if (!pinned)
    throw new Failure('internal', { where: `${method} request`, expected: 'an address below a configured root' });
  return pinned;
}

function begin(request: HttpRequest, pinned: Pinned, timeoutMs: number, release: () => void): Exchange {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  const done = () => {
    clearTimeout(timer);
    release();
  };
  controller.signal.addEventListener('abort', done, { once: true });
  return { request, pinned, signal: controller.signal, done };
}

/** The final answer: redirects are followed for GET only, below the roots only, so that credentials stay there. */
async function exchangeAnswers(tools: Tools, exchange: Exchange): Promise<Dispatcher.ResponseData> {
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

function followable({ pin }: Tools, method: string, from: Pinned, location: string | null): Pinned | null {
  if (method !== 'GET' || location === null || !URL.canParse(location, from.url.href)) return null;
  const next = pin(method, new URL(location, from.url.href).href);
  return next?.url.origin === from.url.origin ? next : null;
}

/** A peer may close an idle connection at the moment we use it: a GET that met this is sent once more. */
async function sendOnceOrAgain(tools: Tools, exchange: Exchange, url: URL): Promise<Dispatcher.ResponseData> {
  try {
    return await sendOnce(tools, exchange, url);
  } catch (thrown) {
    const stale = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(codeOfError(thrown));
    if (!stale || exchange.request.method !== 'GET' || exchange.signal.aborted) throw thrown;
    return sendOnce(tools, exchange, url);
  }
}

function sendOnce({ dispatcher, authorization }: Tools, { request, signal }: Exchange, url: URL) {
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

async function respond(tools: Tools, exchange: Exchange, answer: Dispatcher.ResponseData): Promise<HttpResponse> {
  const { peer, now = Date.now } = tools;
  const { request, signal, done, pinned } = exchange;
  const headers = headersOf(answer);
  const { statusCode: status, body: stream } = answer;
  const { where } = pinned;
  const maxBytes = request.maxBytes ?? tools.maxBytes;
  if ((status < 200 || status > 299) && !request.expectStatus?.includes(status)) {
    await stream.dump({ limit: dumpedBytes, signal }).catch(() => {});
    throw statusFailure(peer, { status, retryAfter: headers.get('retry-after'), where }, now());
  }
  if (Number(headers.get('content-length') ?? 0) > maxBytes) {
    stream.on('error', () => {}).destroy();
    throw fail(peer, 'too-large', { where, expected: `at most ${maxBytes} bytes`, got: 'a longer Content-Length' });
  }
  const body = readBody(stream, headers.get('content-encoding'), { peer, where, maxBytes, signal, done });
  const bytes = () => collect(body);
  return { status, headers, body, bytes, json: async () => parseJson(peer, where, await bytes()) };
}

function headersOf({ headers }: Dispatcher.ResponseData): Headers {
  const pairs = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [value].flat().map((each) => [name, each]),
  );
  return new Headers(pairs);
}

function parseJson(peer: Peer, where: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw fail(peer, 'strange', { where, expected: 'JSON', got: `${bytes.length} bytes of something else` });
  }
}

/** `got` is a code of Node, of OpenSSL or of undici; their texts may hold an address. */
function requestFailure(peer: Peer, thrown: unknown, { pinned: { where }, signal }: Exchange): Failure {
  if (thrown instanceof Failure) return thrown;
  if (signal.aborted) return fail(peer, 'timeout', { where, expected: 'an answer in time', got: 'none' });
  if ((thrown as Error).name === 'HTTPParserError')
    return fail(peer, 'strange', { where, expected: 'HTTP', got: 'something else' });
  const code = codeOfError(thrown);
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return fail(peer, 'timeout', { where, expected: 'a connection', got: 'none' });
  if (code.startsWith('UND_ERR_INVALID') || code === '') return new Failure('internal', { where, cause: thrown });
  return fail(peer, 'unavailable', { where, expected: 'an answer', got: code });
}

function codeOfError(thrown: unknown): string {
  const { code, errors } = (thrown ?? {}) as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  if (typeof code === 'string') return code.slice(0, 60);
  return errors?.[0] ? codeOfError(errors[0]) : '';
}
