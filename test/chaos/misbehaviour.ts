import type { Request, RequestHandler, Response } from 'express';
import type { Random } from '../../src/sandbox/random.ts';
import { objectsSent, type SentObject } from './sent.ts';

/** What servers do that they should not. Each is one request's; the next may be served. */

export type Side = 'pacs' | 'fhir';

/** What a misbehaviour may do with a request: answer it, spoil the answer, or carry it out later. */
interface Case {
  readonly request: Request;
  readonly response: Response;
  /** Carries the request out; what is sent then goes through `spoil`. */
  readonly serve: () => void;
  /** Called in place of the answer. */
  readonly spoil: (instead: (body: Buffer) => void) => void;
  readonly body: () => Promise<Buffer>;
  /** Sends the same request once more, past everything that misbehaves. */
  readonly again: (body: Buffer) => void;
}

interface Misbehaviour {
  readonly name: string;
  readonly sides: readonly Side[];
  readonly methods: readonly string[];
  readonly act: (given: Case) => void | Promise<void>;
}

const both: readonly Side[] = ['pacs', 'fhir'];
const all = ['GET', 'POST', 'PUT'];

const misbehaviours: readonly Misbehaviour[] = [
  answer('503 with Retry-After', both, all, 503, { 'retry-after': '1' }),
  answer('429 with Retry-After', both, all, 429, { 'retry-after': '1' }),
  answer('500', both, all, 500, {}),
  answer('502 of a balancer', both, all, 502, { 'content-type': 'text/html' }, '<html>Bad Gateway</html>'),
  answer('login page with 200', both, ['GET'], 200, { 'content-type': 'text/html' }, '<html>Please log in</html>'),
  answer('empty 200', both, ['GET'], 200, { 'content-type': 'application/json' }),
  {
    name: 'reset before',
    sides: both,
    methods: all,
    act: ({ request }) => void request.socket.destroy(),
  },
  {
    name: 'response dropped',
    sides: both,
    methods: all,
    act: ({ request, spoil }) => spoil(() => request.socket.destroy()),
  },
  {
    name: 'body cut',
    sides: both,
    methods: ['GET', 'POST'],
    act: ({ response, spoil }) => spoil((body) => cut(response, body, { 'content-length': String(body.length) })),
  },
  {
    name: 'body cut without a length',
    sides: both,
    methods: ['GET'],
    act: ({ response, spoil }) => spoil((body) => cut(response, body, {})),
  },
  {
    name: 'slow drip',
    sides: both,
    methods: ['GET'],
    act: ({ response, spoil }) => spoil((body) => drip(response, body)),
  },
  {
    name: 'partial STOW',
    sides: ['pacs'],
    methods: ['POST'],
    act: async (given) => {
      const [first] = withoutClosing(await given.body(), given.request);
      given.again(first!.whole);
      refuseAll(given.response, [], 500);
    },
  },
  {
    name: '400 but stored',
    sides: ['pacs'],
    methods: ['POST'],
    act: ({ response, spoil }) => spoil(() => void response.writeHead(400).end('stored all the same')),
  },
  {
    name: '409 exists',
    sides: ['pacs'],
    methods: ['POST'],
    act: async ({ request, response, spoil, body }) => {
      const objects = objectsSent(await body(), request.get('content-type') ?? '');
      spoil(() => refuseAll(response, objects, 409));
    },
  },
  {
    name: '200 but not stored',
    sides: ['pacs'],
    methods: ['POST'],
    act: async ({ request, response, body }) => {
      takeAll(response, objectsSent(await body(), request.get('content-type') ?? ''));
    },
  },
  {
    name: 'stored later',
    sides: ['pacs'],
    methods: ['POST'],
    act: async ({ request, response, body, again }) => {
      const bytes = await body();
      takeAll(response, objectsSent(bytes, request.get('content-type') ?? ''));
      setTimeout(() => again(bytes), laterMs);
    },
  },
  answer('409 conflict', ['fhir'], ['POST', 'PUT'], 409, fhirJson(), outcome('conflict')),
  answer('412 precondition', ['fhir'], ['POST', 'PUT'], 412, fhirJson(), outcome('conflict')),
  {
    name: 'lost transaction',
    sides: ['fhir'],
    methods: ['POST'],
    act: async ({ request, response, body }) => {
      const bundle = JSON.parse((await body()).toString()) as {
        readonly entry: readonly { readonly request: { readonly url: string } }[];
      };
      const entry = bundle.entry.map(({ request: { url } }) => ({
        response: { status: '200 OK', location: `${url}/_history/1`, etag: 'W/"1"' },
      }));
      void request;
      response
        .writeHead(200, fhirJson())
        .end(JSON.stringify({ resourceType: 'Bundle', type: 'transaction-response', entry }));
    },
  },
];

const laterMs = 1500;

function fhirJson(): Readonly<Record<string, string>> {
  return { 'content-type': 'application/fhir+json' };
}

function outcome(code: string): string {
  return JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] });
}

function answer(
  name: string,
  sides: readonly Side[],
  methods: readonly string[],
  status: number,
  headers: Readonly<Record<string, string>>,
  body = '',
): Misbehaviour {
  return { name, sides, methods, act: ({ response }) => void response.writeHead(status, headers).end(body) };
}

function cut(response: Response, body: Buffer, headers: Readonly<Record<string, string>>): void {
  response.writeHead(200, { 'content-type': String(response.get('content-type') ?? 'application/json'), ...headers });
  response.write(body.subarray(0, Math.floor(body.length / 2)));
  setTimeout(() => response.socket?.destroy(), 5);
}

/** Ten pieces over a second: slow, and yet whole. */
async function drip(response: Response, body: Buffer): Promise<void> {
  response.writeHead(response.statusCode, { ...response.getHeaders(), 'content-length': String(body.length) } as Record<
    string,
    string
  >);
  const size = Math.ceil(body.length / 10);
  for (let at = 0; at < body.length; at += size) {
    response.write(body.subarray(at, at + size));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  response.end();
}

interface OnePart {
  /** A body with this object alone. */
  readonly whole: Buffer;
}

/** The body cut behind its first object, with the closing boundary. */
function withoutClosing(body: Buffer, request: Request): readonly OnePart[] {
  const boundary = /boundary="?([^";,\s]+)/.exec(request.get('content-type') ?? '')?.[1] ?? '';
  const second = body.indexOf(`\r\n--${boundary}`, boundary.length);
  return [{ whole: Buffer.concat([body.subarray(0, second), Buffer.from(`\r\n--${boundary}--\r\n`)]) }];
}

const dicomJson = { 'content-type': 'application/dicom+json' };

/** FailedSOPSequence with "cannot process" for each (PS3.18 table 10.5.3-2); an answer without verdicts when none is named. */
function refuseAll(response: Response, objects: readonly SentObject[], status: number): void {
  const items = objects.map(({ uid }) => ({
    '00081155': { vr: 'UI', Value: [uid] },
    '00081197': { vr: 'US', Value: [0x0111] },
  }));
  response.writeHead(status, dicomJson).end(JSON.stringify({ '00081198': { vr: 'SQ', Value: items } }));
}

function takeAll(response: Response, objects: readonly SentObject[]): void {
  const items = objects.map(({ uid }) => ({ '00081155': { vr: 'UI', Value: [uid] } }));
  response.writeHead(200, dicomJson).end(JSON.stringify({ '00081199': { vr: 'SQ', Value: items } }));
}

export interface Script {
  readonly handler: RequestHandler;
  /** How often each misbehaviour was met. */
  readonly met: Readonly<Record<string, number>>;
  /** From now on every request is served. */
  behave(): void;
}

export interface ScriptOptions {
  readonly side: Side;
  readonly random: Random;
  /** Share of the requests that are met by a misbehaviour. */
  readonly rate: number;
  /** Requests that nothing befalls. */
  readonly past: (request: Request) => boolean;
  /** Told before a request is carried out, and when it was and is not yet answered. */
  readonly observe: (moment: 'before' | 'after', request: Request) => void;
  /** Told of what the gateway wants stored, before anything befalls it. */
  readonly onStore?: (objects: readonly SentObject[]) => void;
}

export function createScript({ side, random, rate, past, observe, onStore }: ScriptOptions): Script {
  const met: Record<string, number> = {};
  let behaving = false;
  const draw = (request: Request): Misbehaviour | null => {
    if (behaving || random() >= rate) return null;
    const fitting = misbehaviours.filter(
      ({ sides, methods }) => sides.includes(side) && methods.includes(request.method),
    );
    return fitting[Math.floor(random() * fitting.length)] ?? null;
  };
  const handler: RequestHandler = async (request, response, next) => {
    if (past(request)) return next();
    const read = bodyReader(request);
    if (onStore && request.method === 'POST') onStore(objectsSent(await read(), request.get('content-type') ?? ''));
    observe('before', request);
    const misbehaviour = draw(request);
    const send = response.send.bind(response);
    let instead: ((body: Buffer) => void) | null = null;
    response.send = (body) => {
      observe('after', request);
      if (!instead) return send(body);
      instead(Buffer.isBuffer(body) ? body : Buffer.from(String(body)));
      return response;
    };
    if (!misbehaviour) return next();
    met[misbehaviour.name] = (met[misbehaviour.name] ?? 0) + 1;
    await misbehaviour.act({
      ...{ request, response, body: read, serve: next },
      spoil(way) {
        instead = way;
        next();
      },
      again: (body) => void sendAgain(request, body),
    });
  };
  return {
    handler,
    met,
    behave() {
      behaving = true;
    },
  };
}

/** The body, once; Express's own parsers find it read. */
function bodyReader(request: Request): () => Promise<Buffer> {
  let body: Promise<Buffer> | null = null;
  return () => (body ??= read());
  async function read(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const isJson = request.get('content-type')?.includes('json');
    request.body = isJson ? (JSON.parse(bytes.toString()) as unknown) : bytes;
    return bytes;
  }
}

async function sendAgain(request: Request, body: Buffer): Promise<void> {
  const headers = { 'content-type': request.get('content-type') ?? '', 'x-chaos': 'past' };
  const url = `http://${request.get('host')}${request.originalUrl}`;
  const response = await fetch(url, { method: request.method, headers, body: new Uint8Array(body) });
  await response.arrayBuffer();
}
