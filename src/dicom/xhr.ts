import { asFailure, Failure } from '../core/failure.ts';
import type { Http } from '../net/http.ts';
import { datasetOrFailure, type Row } from './dataset.ts';
import { itemsOf, NoJsonArray, oversized } from './json-array.ts';
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
        state.response = await getRows(options, sent.url, sent.headers);
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

/** Most bytes of a data set in JSON: a header of 8 MB would hold the event loop for long, and no film has one. */
const maxRowBytes = 4 * 1024 * 1024;

/** The rows of a QIDO-RS or metadata answer; nothing found is an empty list (PS3.18 10.6.3: 204, or 200 and `[]`). */
async function getRows(
  { http, maxBytes, where }: JsonRequestOptions,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly Row[]> {
  const answer = await http.request({ method: 'GET', url, headers, maxBytes });
  const rows: Row[] = [];
  try {
    for await (const item of itemsOf(answer.body, maxRowBytes)) rows.push(rowOf(item));
  } catch (thrown) {
    if (!(thrown instanceof NoJsonArray)) throw thrown;
    if (answer.status === 204) return [];
    const { type } = mediaTypeOf(answer.headers.get('content-type'));
    const isJson = type === 'application/dicom+json' || type === 'application/json';
    const detail = { where, expected: 'a DICOM JSON array', got: isJson ? thrown.message : 'another media type' };
    throw new Failure(isJson && !thrown.otherJson ? 'pacs-incomplete' : 'pacs-not-dicomweb', detail);
  }
  return rows;
}

function rowOf(item: unknown): Row {
  if (item !== oversized) return datasetOrFailure(item);
  return new Failure('limit-exceeded', { where: 'data set in JSON', expected: `at most ${maxRowBytes} bytes` });
}
