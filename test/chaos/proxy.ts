import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from '../../src/sandbox/random.ts';

/** Stands before a real server and lets the network misbehave: what a cable, a balancer or a restart does to a request. */

export interface ProxyOptions {
  readonly target: string;
  readonly random: Random;
  /** Share of the requests that are met by a fault. */
  readonly rate: number;
  /** Told before a request goes on, and when it was carried out and is not yet answered. */
  readonly observe: (moment: 'before' | 'after', request: SeenRequest) => void;
}

export interface SeenRequest {
  readonly method: string;
  readonly contentType: string;
  readonly body: Buffer;
}

export interface Proxy {
  /** The target's address with the proxy's port. */
  readonly url: string;
  readonly misbehaved: Readonly<Record<string, number>>;
  close(): Promise<void>;
}

const faults = ['refused 503', 'failed 502', 'reset before', 'response dropped', 'response cut'] as const;
type Fault = (typeof faults)[number];

export async function startProxy({ target, random, rate, observe }: ProxyOptions): Promise<Proxy> {
  const misbehaved: Record<string, number> = {};
  const draw = (): Fault | null => {
    if (random() >= rate) return null;
    const fault = faults[Math.floor(random() * faults.length)]!;
    misbehaved[fault] = (misbehaved[fault] ?? 0) + 1;
    return fault;
  };
  const server = createServer((request, response) => {
    forward(new URL(target), request, response, { fault: draw(), observe }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href.replace(/\/$/, ''),
    misbehaved,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Way {
  readonly fault: Fault | null;
  readonly observe: ProxyOptions['observe'];
}

async function forward(
  target: URL,
  request: IncomingMessage,
  response: ServerResponse,
  { fault, observe }: Way,
): Promise<void> {
  const body = await bytesOf(request);
  const seen = { method: request.method ?? 'GET', contentType: request.headers['content-type'] ?? '', body };
  observe('before', seen);
  if (fault === 'reset before') return void request.socket.destroy();
  if (fault === 'refused 503') return void response.writeHead(503, { 'retry-after': '1' }).end();
  if (fault === 'failed 502') return void response.writeHead(502).end('<html>Bad Gateway</html>');
  const answer = await ask(target, request, body);
  observe('after', seen);
  if (fault === 'response dropped') return void request.socket.destroy();
  const { 'transfer-encoding': _, connection: __, ...headers } = answer.headers;
  response.writeHead(answer.status, { ...headers, 'content-length': answer.body.length });
  if (fault === 'response cut') {
    response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)));
    return void setTimeout(() => request.socket.destroy(), 5);
  }
  response.end(answer.body);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function ask(target: URL, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const own = { ...headers, host: headers.host ?? target.host };
  const outgoing = send({ host: target.hostname, port: target.port, method, path: url, headers: own }, (incoming) => {
    bytesOf(incoming).then(
      (bytes) => resolve({ status: incoming.statusCode ?? 502, headers: incoming.headers, body: bytes }),
      reject,
    );
  });
  outgoing.once('error', reject).end(body);
  return promise;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
