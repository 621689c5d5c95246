import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { Failure } from '../../src/core/failure.ts';
import { createHttp, type HttpOptions } from '../../src/net/client.ts';

/** A small server on loopback that answers as a test tells it, and keeps what it was asked. */

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly accept: string | null;
  readonly body: Buffer;
}

export interface Peer {
  /** Without a slash at its end. */
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

export type Answer = (response: ServerResponse, asked: Asked) => void;

export async function startPeer(answer: Answer): Promise<Peer> {
  const asked: Asked[] = [];
  const listener: RequestListener = async (request, response) => {
    response.on('error', () => {});
    const entry = await read(request);
    asked.push(entry);
    answer(response, entry);
  };
  const server = createServer(listener);
  const url = await listen(server);
  return { url, asked, close: () => closeServer(server) };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // A client that gave up.
  }
  const { method = '', url = '', headers } = request;
  const { authorization = null, accept = null } = headers;
  return { method, path: url, authorization, accept, body: Buffer.concat(chunks) };
}

export async function listen(server: NetServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

export function makeHttp(url: string, overrides: Partial<HttpOptions> = {}) {
  return createHttp({
    peer: 'pacs',
    roots: [url],
    credentials: { kind: 'none' },
    ca: null,
    timeoutMs: 5000,
    maxBytes: 10_000_000,
    maxInFlight: 2,
    ...overrides,
  });
}

/** The Failure that the work ends in; ends the test when it does not fail, or with something else. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error('it did not fail');
}
