import { api } from 'dicomweb-client';
import { Failure } from '../core/failure.ts';
import { isUid } from '../core/ids.ts';
import type { InstanceReference } from '../core/study.ts';
import type { Http } from '../net/http.ts';
import type { Row } from './dataset.ts';
import { createJsonRequest, type JsonRequest } from './xhr.ts';

/** QIDO-RS and metadata through dicomweb-client. A row that is no data set is the reason why. */
export interface Dicomweb {
  searchStudies(query: Query): Promise<readonly Row[]>;
  searchInstances(query: Query): Promise<readonly Row[]>;
  studyMetadata(studyInstanceUid: string): Promise<readonly Row[]>;
  instanceMetadata(reference: InstancePath): Promise<readonly Row[]>;
}

/** Keyword or tag → value (PS3.18 8.3.4). */
export type Query = Readonly<Record<string, string>>;

export type InstancePath = Omit<InstanceReference, 'SOPClassUID'>;

export interface DicomwebOptions {
  readonly http: Http;
  /** DICOMweb roots; they may differ. */
  readonly qidoUrl: string;
  readonly wadoUrl: string;
  /** Most bytes of one JSON answer; 64 MiB by default. */
  readonly maxJsonBytes?: number;
}

export function createDicomweb({ http, qidoUrl, wadoUrl, maxJsonBytes = 64 * 1024 * 1024 }: DicomwebOptions): Dicomweb {
  const qido = createClient(qidoUrl);
  const wado = createClient(wadoUrl);
  const ask = (where: string, call: Call) => answerOf(createJsonRequest({ http, maxBytes: maxJsonBytes, where }), call);
  return {
    searchStudies: (queryParams) =>
      ask('GET studies?…', (options) => qido.searchForStudies({ queryParams, ...options })),
    searchInstances: (queryParams) =>
      ask('GET instances?…', (options) => qido.searchForInstances({ queryParams, ...options })),
    studyMetadata: async (uid) => {
      const studyInstanceUID = pathSegment(uid, 'StudyInstanceUID');
      return ask('GET studies/…/metadata', (options) => wado.retrieveStudyMetadata({ studyInstanceUID, ...options }));
    },
    instanceMetadata: async (path) => {
      const studyInstanceUID = pathSegment(path.StudyInstanceUID, 'StudyInstanceUID');
      const seriesInstanceUID = pathSegment(path.SeriesInstanceUID, 'SeriesInstanceUID');
      const sopInstanceUID = pathSegment(path.SOPInstanceUID, 'SOPInstanceUID');
      const uids = { studyInstanceUID, seriesInstanceUID, sopInstanceUID };
      const where = 'GET studies/…/series/…/instances/…/metadata';
      return ask(where, (options) => wado.retrieveInstanceMetadata({ ...uids, ...options }));
    },
  };
}

/** A UID fit to stand in a path. A hostile one (`../../x`) never becomes an address. */
export function pathSegment(uid: string, keyword: string): string {
  if (!isUid(uid))
    throw new Failure('invalid-identifier', { where: keyword, expected: 'a UID of at most 64 characters' });
  return encodeURIComponent(uid);
}

export const withoutTrailingSlash = (url: string): string => url.replace(/\/+$/, '');

function createClient(url: string) {
  // verbose would print whole requests, query included, to the console.
  return new api.DICOMwebClient({ url: withoutTrailingSlash(url), verbose: false, singlepart: false });
}

/** One call of the package, which takes the request object along. Its types promise arrays where it gives promises. */
type Call = (options: { readonly request: { readonly instance: JsonRequest } }) => unknown;

async function answerOf(request: JsonRequest, call: Call): Promise<readonly Row[]> {
  try {
    return (await call({ request: { instance: request } })) as readonly Row[];
  } catch (thrown) {
    throw request.failure ?? thrown;
  }
}
