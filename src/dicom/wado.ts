import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Http, HttpResponse } from '../net/http.ts';
import { type InstancePath, pathSegment, withoutTrailingSlash } from './dicomweb.ts';
import { mediaTypeOf } from './media-type.ts';
import { readOnePart } from './multipart.ts';

/** WADO-RS of one instance (PS3.18 10.4), streamed into a file of the spool folder: whole, or not at all. */

export interface RetrievalOptions {
  readonly http: Http;
  readonly wadoUrl: string;
  /** Made when it is missing, 0700. File names in it are random: none comes from data. */
  readonly spoolFolder: string;
  /** Most bytes of one object. */
  readonly maxObjectBytes: number;
}

export interface Retrieval {
  readonly path: InstancePath;
  /** Total time for it. */
  readonly timeoutMs: number;
}

/**
 * As stored, if the archive can; else in Explicit VR Little Endian; else as a single part (PS3.18 8.7.3, 10.4.4). Orthanc 1.7
 * answers 400 to the last, others 406 to the first.
 */
export const acceptLadder = [
  'multipart/related; type="application/dicom"; transfer-syntax=*',
  'multipart/related; type="application/dicom"',
  'application/dicom',
] as const;
const unacceptable = [400, 406, 415];

const where = 'GET studies/…/series/…/instances/…';

/** Gives the path of the file. What the archive accepted last is asked first. */
export function createRetriever(options: RetrievalOptions): (retrieval: Retrieval) => Promise<string> {
  let accepted: string = acceptLadder[0];
  return async (retrieval) => {
    for (const accept of [accepted, ...acceptLadder.filter((rung) => rung !== accepted)]) {
      const answer = await ask(options, retrieval, accept);
      if (!answer) continue;
      accepted = accept;
      return await keep(options.spoolFolder, answer);
    }
    throw new Failure('pacs-refused', { where, expected: 'application/dicom', got: 'no type that we can take' });
  };
}

/** Null when the archive does not know the type that was asked for. */
async function ask(
  { http, wadoUrl, maxObjectBytes }: RetrievalOptions,
  { path, timeoutMs }: Retrieval,
  accept: string,
): Promise<HttpResponse | null> {
  const study = pathSegment(path.StudyInstanceUID, 'StudyInstanceUID');
  const series = pathSegment(path.SeriesInstanceUID, 'SeriesInstanceUID');
  const instance = pathSegment(path.SOPInstanceUID, 'SOPInstanceUID');
  const answer = await http.request({
    method: 'GET',
    url: `${withoutTrailingSlash(wadoUrl)}/studies/${study}/series/${series}/instances/${instance}`,
    headers: { accept },
    timeoutMs,
    maxBytes: maxObjectBytes,
    expectStatus: unacceptable,
  });
  if (!unacceptable.includes(answer.status)) return answer;
  await abandon(answer.body);
  return null;
}

async function keep(folder: string, answer: HttpResponse): Promise<string> {
  try {
    return await spool(folder, partOf(answer));
  } catch (thrown) {
    await abandon(answer.body);
    throw thrown;
  }
}

/** The file in the answer. Archives answer in one part or in a multipart of one, whichever was asked for. */
function partOf({ headers, body }: HttpResponse): AsyncIterable<Uint8Array> {
  const type = mediaTypeOf(headers.get('content-type'));
  if (type.type === 'multipart/related') return readOnePart(body, type);
  const isDicom = type.type === 'application/dicom' || type.type === 'application/octet-stream';
  // A single part has no terminator of its own: without a length or chunks a cut body would look whole.
  const isFramed = headers.has('content-length') || /\bchunked\b/i.test(headers.get('transfer-encoding') ?? '');
  if (isDicom && isFramed) return body;
  if (isDicom) throw new Failure('pacs-incomplete', { where, expected: 'Content-Length or chunks', got: 'neither' });
  throw new Failure('pacs-not-dicomweb', { where, expected: 'application/dicom', got: 'another type' });
}

/** Gives the connection back without reading on; a body that is read or broken has done so itself. */
async function abandon(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const _ of body) break;
  } catch {
    // Nothing of it is wanted.
  }
}

async function spool(folder: string, bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const path = join(folder, `${randomUUID()}.dcm`);
  const partial = `${path}.partial`;
  try {
    await write(folder, partial, bytes);
    await onDisk(rename(partial, path));
    return path;
  } catch (thrown) {
    await rm(partial, { force: true }).catch(() => {});
    throw thrown;
  }
}

async function write(folder: string, path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await onDisk(mkdir(folder, { recursive: true, mode: 0o700 }));
  const file = await onDisk(open(path, 'wx', 0o600));
  let written = 0;
  try {
    for await (const block of inBlocks(bytes)) {
      await onDisk(file.appendFile(block));
      written += block.length;
    }
  } finally {
    await onDisk(file.close());
  }
  if (written === 0) throw new Failure('pacs-incomplete', { where, expected: 'an object', got: 'no bytes' });
}

const blockBytes = 2 ** 20;

/** The pieces of a socket put together, and what is left at the end: a write of its own for each would take longer than the disk. */
async function* inBlocks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    pieces.push(piece);
    length += piece.length;
    if (length < blockBytes) continue;
    yield Buffer.concat(pieces, length);
    [pieces, length] = [[], 0];
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}

/** A full or missing disk is ours to mend, not the archive's. */
async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const got = (cause as NodeJS.ErrnoException).code ?? 'an error';
    const code = got === 'ENOSPC' || got === 'EDQUOT' ? 'disk-full' : 'store-failed';
    throw new Failure(code, { where: 'spool folder', got, cause });
  }
}
