import type { NextFunction, Request, Response } from 'express';

/** One request at a simulator, with everything that a misbehaviour may do to it. */

/** What the handler would have sent. */
export interface Answer {
  readonly status: number;
  /** Lower case; without Content-Length, which follows from the body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Exchange {
  readonly request: Request;
  readonly response: Response;
  /** The whole body of the request; it is still there for the handler. */
  body(): Promise<Buffer>;
  /** Puts another body before the handler: bytes for an archive, a resource for a FHIR server. */
  replaceBody(body: unknown): void;
  /** Has the handler do its work and holds its answer back. */
  serve(): Promise<Answer>;
  send(answer: Answer): void;
  /** Cuts the connection as a crash does: nothing more is sent. */
  reset(): void;
}

export function openExchange(request: Request, response: Response, next: NextFunction): Exchange {
  let read: Promise<Buffer> | null = null;
  return {
    request,
    response,
    body() {
      read ??= readAll(request).then((bytes) => {
        request.body = isJson(request) ? (parse(bytes) ?? {}) : bytes;
        return bytes;
      });
      return read;
    },
    replaceBody(body) {
      request.body = body;
    },
    serve: () => serve(response, next),
    send: (answer) => send(response, answer),
    reset: () => reset(request, response),
  };
}

const isJson = (request: Request): boolean => /\bjson\b/.test(request.get('content-type') ?? '');

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

async function readAll(request: Request): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function serve(response: Response, next: NextFunction): Promise<Answer> {
  const { end } = response;
  return new Promise((resolve) => {
    response.end = (chunk?: unknown) => {
      response.end = end;
      const headers = Object.entries(response.getHeaders()).filter(([name]) => name !== 'content-length');
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      resolve({
        status: response.statusCode,
        headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
        body: chunk === undefined || typeof chunk === 'function' ? Buffer.alloc(0) : Buffer.from(chunk as Uint8Array),
      });
      return response;
    };
    next();
  });
}

export function send(response: Response, { status, headers, body }: Answer): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': String(body.length) });
  response.end(body);
}

/** Drains the request first where it can, so that the peer sees a reset and not a broken pipe alone. */
function reset(request: Request, response: Response): void {
  const { socket } = response;
  request.unpipe();
  if (socket && !socket.destroyed) socket.resetAndDestroy();
}

/** A JSON body of one of the two sides. */
export const jsonAnswer = (status: number, contentType: string, body: unknown): Answer => ({
  status,
  headers: { 'content-type': contentType },
  body: Buffer.from(JSON.stringify(body)),
});
