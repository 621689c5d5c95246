import { Agent, type Dispatcher } from 'undici';
import { asFailure, Failure, type FailureCode } from '../core/failure.ts';
import { collect, readBody } from './body.ts';
import { type Breaker, createBreaker, type Permit } from './breaker.ts';
import { createConnect } from './connect.ts';
import { begin, codeOfError, dumpedBytes, type Exchange, exchangeAnswers, type Transport } from './exchange.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import { createLogin, type Login } from './login.ts';
import type { Credentials } from './options.ts';
import { createPin, type Pinned } from './pinning.ts';
import { createSlots, type Slots } from './slots.ts';
import { fail, type Peer, statusFailure } from './statuses.ts';

export interface HttpOptions {
  /** Whose codes the failures carry. */
  readonly peer: Peer;
  /** Absolute base URLs; every request lies below one of them, and so does every redirect that is followed. */
  readonly roots: readonly string[];
  readonly credentials: Credentials;
  /** The credentials as they are kept now, for a server that has just refused those that we have; null: nothing else is kept. */
  readonly renew?: () => Promise<Credentials | null>;
  /** PEM text of the authorities to trust instead of the built-in ones. */
  readonly ca: string | null;
  /** Total time of one request, from the first byte sent to the last byte read; waiting for a free place is not counted. */
  readonly timeoutMs: number;
  /** Most bytes of an answer, after content decoding. */
  readonly maxBytes: number;
  /** Requests at the same time; an answer holds its place until its body is read. */
  readonly maxInFlight: number;
  /** Milliseconds since 1970, for Retry-After dates and pauses. */
  readonly now?: () => number;
  /** Told once when a server begins to refuse our credentials. */
  readonly onRefused?: (code: FailureCode) => void;
  /** Told of the certificate of each new TLS connection: until when it is valid, milliseconds since 1970. */
  readonly onCertificate?: (validUntil: number) => void;
}

interface Tools extends HttpOptions, Transport {
  readonly login: Login;
  readonly slots: Slots;
  readonly breakerOf: (origin: string) => Breaker;
}

/** A client for one peer. Every failure is a Failure of that peer and holds no address, no credential and no text of an answer. */
export function createHttp(options: HttpOptions): Http {
  const { maxInFlight, now = Date.now, onRefused = () => {} } = options;
  const connect = createConnect(options);
  const dispatcher = new Agent({ connect, connections: maxInFlight, headersTimeout: 0, bodyTimeout: 0 });
  const breakers = new Map<string, Breaker>();
  const breakerOf = (origin: string): Breaker => {
    const breaker = breakers.get(origin) ?? createBreaker({ now, onRefused });
    breakers.set(origin, breaker);
    return breaker;
  };
  const pin = createPin(options.roots);
  const login = createLogin(options.credentials, options.renew);
  const tools: Tools = { ...options, dispatcher, breakerOf, login, pin, slots: createSlots(maxInFlight) };
  return { request: (request) => ask(tools, request), close: () => dispatcher.destroy() };
}

/** A place is given up a turn later: the breaker must have heard of a failure before the next in line is let in. */
async function takePlace({ slots }: Tools): Promise<() => void> {
  const release = await slots.take();
  return () => void setImmediate(release);
}

async function ask(tools: Tools, request: HttpRequest): Promise<HttpResponse> {
  const pinned = pinOrRefuse(tools, request.method, request.url);
  const release = await takePlace(tools);
  let permit: Permit;
  try {
    // Behind the place: whoever waited for it may find that the server must be left alone by now.
    permit = tools.breakerOf(pinned.url.origin).enter(pinned.where);
  } catch (thrown) {
    release();
    throw thrown;
  }
  try {
    const answer = await askWithLogin(tools, request, pinned, release);
    permit.succeeded();
    return answer;
  } catch (thrown) {
    permit.failed(asFailure(thrown));
    throw thrown;
  }
}

/** A server that refuses our credentials is asked once more if others are kept by now: a token is replaced before it ends. */
async function askWithLogin(tools: Tools, request: HttpRequest, pinned: Pinned, release: () => void) {
  const { login } = tools;
  const authorization = login.authorization();
  try {
    return await askOnce(tools, { request, pinned, authorization }, release);
  } catch (thrown) {
    if (asFailure(thrown).detail.got !== 'status 401' || !(await login.renew(authorization))) throw thrown;
    return askOnce(tools, { request, pinned, authorization: login.authorization() }, await takePlace(tools));
  }
}

type Question = Pick<Exchange, 'request' | 'pinned' | 'authorization'>;

async function askOnce(tools: Tools, question: Question, release: () => void): Promise<HttpResponse> {
  const exchange = begin(question, question.request.timeoutMs ?? tools.timeoutMs, release);
  try {
    return await respond(tools, exchange, await exchangeAnswers(tools, exchange));
  } catch (thrown) {
    exchange.done();
    throw requestFailure(tools.peer, thrown, exchange);
  }
}

function pinOrRefuse({ pin }: Tools, method: string, url: string): Pinned {
  const pinned = pin(method, url);
  if (!pinned)
    throw new Failure('internal', { where: `${method} request`, expected: 'an address below a configured root' });
  return pinned;
}

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
