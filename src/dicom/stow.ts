import { sha256 } from '../core/ids.ts';
import type { Artifact } from '../core/ports.ts';
import type { Dataset } from '../core/study.ts';
import type { Http } from '../net/http.ts';
import { datasetFromJson, items, number, text } from './dataset.ts';
import { withoutTrailingSlash } from './dicomweb.ts';

/** STOW-RS (PS3.18 10.5): several objects in one POST, and what the archive says about each of them. */

export interface StoreOptions {
  readonly http: Http;
  readonly stowUrl: string;
  /** Time for the request, beside what its size takes. */
  readonly timeoutMs: number;
}

/** What the answer says about one object. Not listed is no verdict: it may be stored all the same. */
export type Verdict =
  | { readonly kind: 'stored'; readonly warning: number | null }
  | { readonly kind: 'failed'; readonly reason: number | null }
  | { readonly kind: 'unlisted' };

export interface StoreAnswer {
  readonly status: number;
  verdict(sopInstanceUid: string): Verdict;
}

/** Bad syntax and conflict (PS3.18 table 10.5.3-1): Orthanc answers them with a verdict, or with a good part stored. */
const judgedStatuses = [400, 409];
const mostAnswerBytes = 4 * 1024 * 1024;
const slowestBytesPerMs = 1000;

/** Sends the artifacts in their order. Raises what the HTTP client raises; the status alone decides nothing. */
export async function storeInstances(
  { http, stowUrl, timeoutMs }: StoreOptions,
  artifacts: readonly Artifact[],
): Promise<StoreAnswer> {
  const boundary = `cxr-gateway-${sha256(artifacts.map((artifact) => artifact.sha256).join()).slice(0, 32)}`;
  const pieces = [...artifacts.flatMap(({ bytes }) => [partHeader(boundary, bytes), bytes, lineEnd]), close(boundary)];
  const length = pieces.reduce((total, piece) => total + piece.length, 0);
  const answer = await http.request({
    method: 'POST',
    url: `${withoutTrailingSlash(stowUrl)}/studies`,
    headers: {
      accept: 'application/dicom+json',
      'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
      'content-length': String(length),
    },
    body: stream(pieces),
    timeoutMs: timeoutMs + length / slowestBytesPerMs,
    maxBytes: mostAnswerBytes,
    expectStatus: judgedStatuses,
  });
  return { status: answer.status, verdict: readVerdicts(parse(await answer.bytes())) };
}

const lineEnd = Buffer.from('\r\n');
const close = (boundary: string): Buffer => Buffer.from(`--${boundary}--\r\n`);

const partHeader = (boundary: string, bytes: Uint8Array): Buffer =>
  Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\nContent-Length: ${bytes.length}\r\n\r\n`);

/** From the first piece each time that it is iterated. */
const stream = (pieces: readonly Uint8Array[]): AsyncIterable<Uint8Array> => ({
  async *[Symbol.asyncIterator]() {
    yield* pieces;
  },
});

/** Null for what is no data set: an empty answer, a page, a text. */
function parse(bytes: Uint8Array): Dataset | null {
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    // Some archives wrap the one data set into an array, as searches do.
    return datasetFromJson(Array.isArray(json) ? json[0] : json);
  } catch {
    return null;
  }
}

/** Store Instances Response Module (PS3.18 table 10.5.3-2). Orthanc leaves FailedSOPSequence without items on success. */
export function readVerdicts(answer: Dataset | null): StoreAnswer['verdict'] {
  const verdicts = new Map<string, Verdict>();
  for (const item of answer ? items(answer, 'ReferencedSOPSequence') : []) {
    const uid = text(item, 'ReferencedSOPInstanceUID');
    if (uid !== null) verdicts.set(uid, { kind: 'stored', warning: number(item, 'WarningReason') });
  }
  // An object in both lists counts as failed: the read-back has the last word.
  for (const item of answer ? items(answer, 'FailedSOPSequence') : []) {
    const uid = text(item, 'ReferencedSOPInstanceUID');
    if (uid !== null) verdicts.set(uid, { kind: 'failed', reason: number(item, 'FailureReason') });
  }
  return (uid) => verdicts.get(uid) ?? { kind: 'unlisted' };
}
