import { Failure, type FailureCode, type FailureDetail } from '../core/failure.ts';

/** What a peer's status means. One table for a PACS and a FHIR server: the codes differ by their first word only. */

export type Peer = 'pacs' | 'fhir';

type Fault =
  | 'unavailable'
  | 'timeout'
  | 'busy'
  | 'incomplete'
  | 'unauthorized'
  | 'not-found'
  | 'refused'
  | 'too-large'
  | 'strange'
  | 'conflict';

/** The code of a fault at a peer. */
export function codeOf(peer: Peer, fault: Fault): FailureCode {
  if (fault === 'strange') return peer === 'pacs' ? 'pacs-not-dicomweb' : 'fhir-not-fhir';
  if (fault === 'conflict') return peer === 'pacs' ? 'pacs-refused' : 'fhir-conflict';
  return `${peer}-${fault}`;
}

export function fail(peer: Peer, fault: Fault, detail: FailureDetail): Failure {
  return new Failure(codeOf(peer, fault), detail);
}

const faultOfStatus: Readonly<Record<number, Fault>> = {
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not-found',
  408: 'timeout',
  409: 'conflict',
  410: 'not-found',
  412: 'conflict',
  413: 'too-large',
  429: 'busy',
  503: 'busy',
};

export interface Refusal {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly where: string;
}

/** The failure of an answer that is not 2xx. `now`: milliseconds since 1970. */
export function statusFailure(peer: Peer, { status, retryAfter, where }: Refusal, now: number): Failure {
  const fault = faultOfStatus[status] ?? (status >= 500 ? 'unavailable' : 'refused');
  const seconds = fault === 'busy' ? retryAfterSeconds(retryAfter, now) : null;
  const detail = { where, expected: 'status 2xx', got: `status ${status}` };
  return fail(peer, fault, seconds === null ? detail : { ...detail, retryAfterSeconds: seconds });
}

/** A peer may keep us waiting for an hour at most: a wrong clock or a typing error there must not stop the site for longer. */
const longestWaitSeconds = 3600;

/** Retry-After as seconds (RFC 9110 10.2.3: a number of seconds or an HTTP date); null when there is none or it is neither. */
export function retryAfterSeconds(value: string | null, now: number): number | null {
  if (value === null) return null;
  const isNumber = /^\s*\d{1,9}\s*$/.test(value);
  // Date.parse takes almost anything: an HTTP date begins with the name of a day.
  const isDate = /^\s*[A-Z][a-z]{2,8},? /.test(value);
  const seconds = isNumber ? Number(value) : isDate ? (Date.parse(value) - now) / 1000 : Number.NaN;
  if (!Number.isFinite(seconds)) return null;
  return Math.min(longestWaitSeconds, Math.max(0, Math.ceil(seconds)));
}
