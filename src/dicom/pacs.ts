import { rm } from 'node:fs/promises';
import { asFailure, Failure } from '../core/failure.ts';
import { isUid } from '../core/ids.ts';
import type { Archive } from '../core/ports.ts';
import type { Dataset, Instance } from '../core/study.ts';
import { number, type Row, text } from './dataset.ts';
import { createDicomweb, type Dicomweb, type DicomwebOptions, type InstancePath } from './dicomweb.ts';
import { patientsOf } from './qido.ts';
import { createRetriever } from './wado.ts';

export { createPacsDestination, type PacsDestinationOptions } from './pacs-destination.ts';

/** A DICOMweb archive as the place where studies lie. */

export interface PacsOptions extends DicomwebOptions {
  readonly name?: string;
  readonly spoolFolder: string;
  /** Time for one answer; the retrieval of an object gets more with its size. */
  readonly timeoutMs: number;
  /** Most bytes of an object; 512 MiB by default. */
  readonly maxObjectBytes?: number;
}

const MiB = 1024 * 1024;
/** An archive that sends less than a megabyte a second is waited for no longer. */
const slowestBytesPerMs = 1000;

export function createPacs(options: PacsOptions): Archive {
  const { name = 'pacs', timeoutMs, maxObjectBytes = 512 * MiB } = options;
  const dicomweb = createDicomweb(options);
  const retrieve = createRetriever({ ...options, maxObjectBytes });
  return {
    name,
    list: async (studyInstanceUid) => {
      const found = await unlessGone(dicomweb, studyInstanceUid, () => dicomweb.studyMetadata(studyInstanceUid));
      if (found.length === 0) throw await missing(dicomweb, studyInstanceUid);
      return instancesOf(found, studyInstanceUid);
    },
    patients: (studyInstanceUid) => patientsOf(dicomweb, studyInstanceUid),
    fetch: async ({ header }) => {
      const path = pathOf(header);
      const expectedMs = Math.min(expectedBytes(header), maxObjectBytes) / slowestBytesPerMs;
      const retrieval = { path, timeoutMs: timeoutMs + expectedMs };
      return unlessGone(dicomweb, path.StudyInstanceUID, () => retrieve(retrieval));
    },
    release: (path) => rm(path, { force: true }),
  };
}

async function unlessGone<T>(dicomweb: Dicomweb, studyInstanceUid: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const failure = asFailure(thrown);
    throw failure.code === 'pacs-not-found' ? await missing(dicomweb, studyInstanceUid) : failure;
  }
}

/**
 * Why an archive that announced a study does not give it: gone, or hidden behind a second patient under the same UID
 * (Orthanc then lists two rows and answers 404 to retrieval). A study that is listed and yet not given is asked for again.
 */
async function missing(dicomweb: Dicomweb, studyInstanceUid: string): Promise<Failure> {
  const rows = await patientsOf(dicomweb, studyInstanceUid);
  if (rows.length === 0) return new Failure('source-gone', { where: 'QIDO-RS', expected: 'the study' });
  if (new Set(rows.map((row) => JSON.stringify(row))).size > 1) {
    return new Failure('identity-conflict', { where: 'QIDO-RS', expected: 'one patient', got: 'several' });
  }
  return new Failure('pacs-incomplete', { where: 'WADO-RS', expected: 'a study that QIDO-RS lists', got: 'not found' });
}

/** An object that cannot be named or asked for is an instance with a failure: nothing of the listing is dropped. */
function instancesOf(found: readonly Row[], studyInstanceUid: string): readonly Instance[] {
  const keys = createKeys();
  return found.map((header, index) => {
    const uid = header instanceof Failure ? null : text(header, 'SOPInstanceUID');
    const key = keys(uid !== null && isUid(uid) ? uid : `object ${index + 1}`);
    const failure = header instanceof Failure ? header : faultIn(header, studyInstanceUid);
    if (header instanceof Failure || failure) return { key, header: null, failure: noteOf(failure) };
    return { key, header, failure: null };
  });
}

/** A UID that is listed twice gets two keys. */
function createKeys(): (name: string) => string {
  const times = new Map<string, number>();
  return (name) => {
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return time === 1 ? name : `${name} (${time})`;
  };
}

function faultIn(header: Dataset, studyInstanceUid: string): Failure | null {
  for (const keyword of ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'SOPClassUID'] as const) {
    const uid = text(header, keyword);
    if (uid === null) return new Failure('malformed-dicom', { where: keyword, expected: 'a UID', got: 'none' });
    if (!isUid(uid)) return new Failure('invalid-identifier', { where: keyword, expected: 'a UID' });
  }
  if (text(header, 'StudyInstanceUID') === studyInstanceUid) return null;
  return new Failure('wrong-object', { where: 'StudyInstanceUID', expected: 'the study asked for', got: 'another' });
}

const noteOf = (failure: Failure | null) =>
  failure && { code: failure.code, detail: [failure.detail.where, failure.detail.expected].filter(Boolean).join(': ') };

function pathOf(header: Dataset | null): InstancePath {
  const uid = (keyword: 'StudyInstanceUID' | 'SeriesInstanceUID' | 'SOPInstanceUID') =>
    (header && text(header, keyword)) ?? '';
  return {
    StudyInstanceUID: uid('StudyInstanceUID'),
    SeriesInstanceUID: uid('SeriesInstanceUID'),
    SOPInstanceUID: uid('SOPInstanceUID'),
  };
}

/** Size of the pixels as the header tells it; compressed ones are smaller. */
function expectedBytes(header: Dataset | null): number {
  if (!header) return 0;
  const [rows, columns, bits] = [number(header, 'Rows'), number(header, 'Columns'), number(header, 'BitsAllocated')];
  return ((rows ?? 0) * (columns ?? 0) * (bits ?? 16)) / 8;
}
