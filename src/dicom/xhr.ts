import { asFailure, Failure } from '../core/failure.ts';
import type { Http } from '../net/http.ts';
import { mediaTypeOf } from './media-type.ts';

/**
 * What dicomweb-client needs of an XMLHttpRequest, over the gateway's own HTTP client: the package knows browsers only. It
 * is handed in with each request, so that no global is touched. Only JSON reaches the package: its own reader of multipart
 * takes a cut body for a shorter one. It never sends its username and password; ours sit in `net/`.
 */
export interface JsonRequest {
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  getAllResponseHeaders(): string;
  send(): void;
  onreadystatechange: (() => void) | null;
  readonly readyState: number;
  readonly status: number;
  readonly response: unknown;
  /** Why there is no answer; the package itself only says that it failed. */
  readonly failure: Failure | null;
}

export interface JsonRequestOptions {
  readonly http: Http;
  readonly maxBytes: number;
  /** Stands in messages. */
  readonly where: string;
}

export function createJsonRequest(options: JsonRequestOptions): JsonRequest {
  const sent = { url: '', headers: {} as Record<string, string> };
  const state = { readyState: 0, status: 0, response: null as unknown, failure: null as Failure | null };
  const request: JsonRequest = {
    get readyState() {
      return state.readyState;
    },
    get status() {
      return state.status;
    },
    get response() {
      return state.response;
    },
    get failure() {
      return state.failure;
    },
    onreadystatechange: null,
    open(method, url) {
      if (method.toUpperCase() !== 'GET') throw new Failure('internal', { where: 'dicomweb-client', expected: 'GET' });
      sent.url = url;
    },
    setRequestHeader(name, value) {
      sent.headers[name] = value;
    },
    getResponseHeader: () => null,
    getAllResponseHeaders: () => '',
    async send() {
      try {
        state.response = await getJson(options, sent.url, sent.headers);
        state.status = 200;
      } catch (thrown) {
        state.failure = asFailure(thrown);
      }
      state.readyState = 4;
      request.onreadystatechange?.();
    },
  };
  return request;
}

/** The array of a QIDO-RS or metadata answer; nothing found is an empty one (PS3.18 10.6.3: 204, or 200 and `[]`). */
async function getJson(
  { http, maxBytes, where }: JsonRequestOptions,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly unknown[]> {
  const answer = await http.request({ method: 'GET', url, headers, maxBytes });
  const bytes = await answer.bytes();
  if (answer.status === 204) return [];
  const { type } = mediaTypeOf(answer.headers.get('content-type'));
  const value = parse(bytes);
  if (Array.isArray(value)) return value;
  const isJson = type === 'application/dicom+json' || type === 'application/json';
  const detail = { where, expected: 'a DICOM JSON array', got: isJson ? 'other JSON' : 'another media type' };
  throw new Failure(isJson && value === undefined ? 'pacs-incomplete' : 'pacs-not-dicomweb', detail);
}

/** `undefined`: not JSON. Invalid UTF-8 becomes replacement characters, which identifiers refuse later. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
