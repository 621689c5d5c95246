import type { Request, RequestHandler } from 'express';
import { type Answer, type Exchange, openExchange } from './exchange.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { shapeOf } from './requests.ts';
import type { Script } from './script.ts';

/** What a simulator was asked, and the places where a test can look in, or stop the world. */

export interface RequestLine {
  /** From 0, in the order of arrival. */
  readonly index: number;
  readonly method: string;
  /** Method and path without UIDs, and the names in the query. */
  readonly shape: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Requests in flight when it arrived, itself counted. */
  readonly inFlight: number;
  readonly misbehaviour: string | null;
  /** What went over the wire; `cut` when the connection was cut before the end, null while it is in flight. */
  readonly status: number | 'cut' | null;
}

export interface RequestObserver {
  /** The request is there and nothing was done yet; what is awaited here holds it back. `body` gives all that was sent. */
  readonly before?: (line: RequestLine, request: Request, body: Exchange['body']) => void | Promise<void>;
  /** The handler did its work, and nothing was answered yet. Not called when it did none. */
  readonly after?: (line: RequestLine, request: Request) => void | Promise<void>;
}

export interface Journal {
  readonly requests: readonly RequestLine[];
  /** Requests that are being answered now. */
  inFlight(): number;
  highestInFlight(): number;
}

export interface SimulatorOptions {
  readonly script?: Script;
  readonly onRequest?: RequestObserver;
  /** Lines of the journal that are kept; the oldest go first. 100,000 when absent. */
  readonly mostLines?: number;
}

/** Put into a request by a test itself: neither met by the script nor noted. */
export const bypass = 'x-simulator-bypass';

interface Line extends RequestLine {
  status: number | 'cut' | null;
}

export interface Recorder extends Journal {
  readonly handler: RequestHandler;
  setScript(script: Script | null): void;
  setObserver(observer: RequestObserver): void;
}

export function createRecorder({ script, onRequest, mostLines = 100_000 }: SimulatorOptions): Recorder {
  const requests: Line[] = [];
  let current: Script | null = script ?? null;
  let observer: RequestObserver = onRequest ?? {};
  let [count, inFlight, highest] = [0, 0, 0];
  const begin = (request: Request, misbehaviour: Misbehaviour | null): Line => {
    inFlight++;
    highest = Math.max(highest, inFlight);
    const { method } = request;
    const name = misbehaviour?.name ?? null;
    const about = { index: count++, method, shape: shapeOf(request), at: Date.now() };
    const line: Line = { ...about, inFlight, misbehaviour: name, status: null };
    requests.push(line);
    if (requests.length > mostLines) requests.splice(0, requests.length - mostLines);
    return line;
  };
  const handler: RequestHandler = async (request, response, next) => {
    if (request.get(bypass) !== undefined) return next();
    const misbehaviour = current?.(request) ?? null;
    const line = begin(request, misbehaviour);
    response.once('close', () => {
      inFlight--;
      line.status = response.writableFinished ? response.statusCode : 'cut';
    });
    const open = openExchange(request, response, next);
    await observer.before?.(line, request, open.body);
    const exchange = observed(open, () => observer.after?.(line, request));
    if (misbehaviour) await misbehaviour.handle(exchange);
    else exchange.send(await exchange.serve());
  };
  return {
    requests,
    inFlight: () => inFlight,
    highestInFlight: () => highest,
    handler,
    setScript(next) {
      current = next;
    },
    setObserver(next) {
      observer = next;
    },
  };
}

function observed(exchange: Exchange, after: () => void | Promise<void>): Exchange {
  return {
    ...exchange,
    async serve(): Promise<Answer> {
      const answer = await exchange.serve();
      await after();
      return answer;
    },
  };
}
