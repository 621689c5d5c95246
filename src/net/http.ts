/** The one HTTP client of the gateway: every byte to or from a PACS or a FHIR server goes through it. */

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Absolute; its origin and path must lie below one of the configured roots. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is iterated must be so a second time: a request whose credentials were refused is sent once more. */
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  /** Total, from the first byte sent to the last byte read. */
  readonly timeoutMs?: number;
  /** Most bytes of the answer, after content decoding. */
  readonly maxBytes?: number;
  /** Statuses handed back to the caller although they are not 2xx; all others raise a Failure. */
  readonly expectStatus?: readonly number[];
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it arrives, counted against `maxBytes` and the deadline. Read it once. */
  readonly body: AsyncIterable<Uint8Array>;
  bytes(): Promise<Uint8Array>;
  json(): Promise<unknown>;
}

export interface Http {
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}
