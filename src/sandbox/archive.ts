import { randomUUID } from 'node:crypto';
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { isUid } from '../core/ids.ts';
import type { InstanceReference } from '../core/study.ts';
import { keywords } from '../dicom/keywords.ts';
import { folderStore, memoryStore, type ObjectStore, type StoredObject } from './archive-store.ts';
import { listen } from './listen.ts';
import { mediaParameter, readMultipart, writeMultipart } from './multipart.ts';
import { answer, type Query, readQuery } from './qido.ts';
import { type Level, type Row, rowsOf } from './qido-rows.ts';
import { renderObject } from './rendered.ts';
import { storeParts } from './stow.ts';

/**
 * A small DICOMweb archive: QIDO-RS, WADO-RS and STOW-RS as an Orthanc speaks them, and no more. Without users, events
 * or transcoding; on loopback only. The demo runs on it, and the tests' simulators make it misbehave through `before`.
 */

export interface ArchiveOptions {
  /** Where the objects lie; in memory only when absent. */
  readonly folder?: string;
  /** In place of `folder`: a store that the caller holds and may change. */
  readonly store?: ObjectStore;
  /** A free one when absent. */
  readonly port?: number;
  /** Stands before every handler; may answer in the archive's place, delay, or cut the connection. */
  readonly before?: RequestHandler;
}

export interface StoredStudy {
  readonly StudyInstanceUID: string;
  readonly instances: readonly (InstanceReference & { readonly bytes: Uint8Array })[];
}

export interface RunningArchive {
  /** DICOMweb root, no slash at the end. */
  readonly url: string;
  /** What is stored now, in the order of arrival. */
  studies(): readonly StoredStudy[];
  close(): Promise<void>;
}

/** Most bytes of one STOW request. */
const maxStoreBytes = 512 * 1024 * 1024;

export async function startArchive(options: ArchiveOptions = {}): Promise<RunningArchive> {
  const store = options.store ?? (options.folder === undefined ? memoryStore() : folderStore(options.folder));
  const app = express();
  app.disable('x-powered-by');
  if (options.before) app.use(options.before);
  addRoutes(app, store);
  const { origin, close } = await listen(app, options.port ?? 0);
  return { url: `${origin}${rootPath}`, close, studies: () => studiesOf(store) };
}

const studiesOf = (store: ObjectStore): readonly StoredStudy[] =>
  store.studies().map((StudyInstanceUID) => ({ StudyInstanceUID, instances: store.ofStudy(StudyInstanceUID) }));

const rootPath = '/dicom-web';
const study = `${rootPath}/studies/:study`;
const series = `${study}/series/:series`;
const instance = `${series}/instances/:instance`;

function addRoutes(app: Express, store: ObjectStore): void {
  const search = (path: string, level: Level) => app.get(path, searchHandler(store, level));
  search(`${rootPath}/studies`, 'study');
  search(`${rootPath}/series`, 'series');
  search(`${rootPath}/instances`, 'instance');
  search(`${study}/series`, 'series');
  search(`${study}/instances`, 'instance');
  search(`${series}/instances`, 'instance');
  for (const path of [study, series, instance]) {
    app.get(path, retrieveHandler(store));
    app.get(`${path}/metadata`, metadataHandler(store));
  }
  app.get(`${instance}/rendered`, renderedHandler(store));
  const body = express.raw({ type: () => true, limit: maxStoreBytes });
  app.post([`${rootPath}/studies`, study], body, storeHandler(store));
  app.use((_request, response) => refuse(response, 404, 'There is no such resource.'));
}

const rootOf = (request: Request): string => `${request.protocol}://${request.get('host') ?? '127.0.0.1'}${rootPath}`;

function refuse(response: Response, status: number, message: string): void {
  response.status(status).type('text/plain').send(message);
}

/** The objects of the study that the path names. */
function named(store: ObjectStore, request: Request): readonly StoredObject[] {
  const { study, series, instance } = request.params;
  return store
    .ofStudy(String(study))
    .filter((object) => series === undefined || object.SeriesInstanceUID === series)
    .filter((object) => instance === undefined || object.SOPInstanceUID === instance);
}

function searchHandler(store: ObjectStore, level: Level): RequestHandler {
  const rowsOfStudy = rowsByStudy(store, level);
  return (request, response) => {
    const query = readQuery(new URL(request.url, 'http://archive').searchParams);
    if (!query) return refuse(response, 400, 'limit and offset must be counts.');
    const { study, series } = request.params;
    const studies = study === undefined ? candidates(store, query) : [String(study)];
    const rows = studies
      .flatMap((uid) => rowsOfStudy(uid, rootOf(request)))
      .filter(({ full }) => series === undefined || full[keywords.SeriesInstanceUID[0]]?.Value?.[0] === series);
    const { rows: page, remaining } = answer(rows, query);
    if (remaining > 0) response.set('Warning', `299 cxr-gateway-sandbox "There are ${remaining} additional results"`);
    response.type('application/dicom+json').send(JSON.stringify(page));
  };
}

/** The studies that may hold what is asked for: a UID is looked up, so that an archive of many studies stays fast. */
function candidates(store: ObjectStore, { matches }: Query): readonly string[] {
  const asked = (keyword: 'StudyInstanceUID' | 'SOPInstanceUID') => {
    const keys = matches[keywords[keyword][0]]?.flatMap((key) => key.split(',')) ?? [];
    return keys.length > 0 && keys.every(isUid) ? new Set(keys) : null;
  };
  const [studies, instances] = [asked('StudyInstanceUID'), asked('SOPInstanceUID')];
  if (studies?.size === 1) return [...studies];
  if (instances?.size === 1) return [...instances].flatMap((uid) => store.get(uid)?.StudyInstanceUID ?? []);
  return studies ? store.studies().filter((uid) => studies.has(uid)) : store.studies();
}

/** Rows are made once for the objects of a study as they are. */
function rowsByStudy(store: ObjectStore, level: Level): (uid: string, root: string) => readonly Row[] {
  const made = new WeakMap<readonly StoredObject[], { readonly root: string; readonly rows: readonly Row[] }>();
  return (uid, root) => {
    const objects = store.ofStudy(uid);
    const known = made.get(objects);
    if (known?.root === root) return known.rows;
    const rows = rowsOf(level, objects, root);
    made.set(objects, { root, rows });
    return rows;
  };
}

function retrieveHandler(store: ObjectStore): RequestHandler {
  return (request, response) => {
    const objects = named(store, request);
    if (objects.length === 0) return refuse(response, 404, 'No such object.');
    const accepted = acceptedSyntaxes(request.get('accept') ?? '*/*');
    if (!accepted) return refuse(response, 400, 'Accept must be multipart/related; type="application/dicom".');
    // Nothing is transcoded; without a transfer-syntax parameter the objects go out as stored, as Orthanc does.
    const fits = ({ transferSyntaxUID }: StoredObject) => accepted.has('*') || accepted.has(transferSyntaxUID);
    if (!objects.every(fits)) return refuse(response, 406, 'The object is stored in another transfer syntax.');
    const boundary = randomUUID();
    const body = writeMultipart(
      objects.map(({ bytes }) => bytes),
      'application/dicom',
      boundary,
    );
    response.set('Content-Type', `multipart/related; type="application/dicom"; boundary=${boundary}`).send(body);
  };
}

/** Transfer syntaxes of the Accept entries that allow DICOM parts; null when none does. */
function acceptedSyntaxes(accept: string): ReadonlySet<string> | null {
  const entries = accept.split(',').map((entry) => entry.trim());
  const fitting = entries.filter((entry) => {
    const mediaType = entry.split(';', 1)[0]!.trim().toLowerCase();
    const type = mediaParameter(entry, 'type') ?? 'application/dicom';
    return mediaType === '*/*' || (mediaType.startsWith('multipart/') && type === 'application/dicom');
  });
  if (fitting.length === 0) return null;
  return new Set(fitting.map((entry) => mediaParameter(entry, 'transfer-syntax') ?? '*'));
}

function metadataHandler(store: ObjectStore): RequestHandler {
  return (request, response) => {
    const objects = named(store, request);
    if (objects.length === 0) return refuse(response, 404, 'No such object.');
    response.type('application/dicom+json').send(JSON.stringify(objects.map(({ header }) => header)));
  };
}

function renderedHandler(store: ObjectStore): RequestHandler {
  return async (request, response) => {
    const [object] = named(store, request);
    if (!object) return refuse(response, 404, 'No such object.');
    const rendered = await renderObject(object);
    if (!rendered) return refuse(response, 406, 'This object cannot be shown.');
    response.set('Content-Type', rendered.mediaType).send(rendered.body);
  };
}

function storeHandler(store: ObjectStore): RequestHandler {
  return (request, response) => {
    const contentType = request.get('content-type') ?? '';
    const isDicom =
      /^multipart\/related\b/i.test(contentType) && mediaParameter(contentType, 'type') === 'application/dicom';
    if (!isDicom) return refuse(response, 415, 'Expected multipart/related; type="application/dicom".');
    const parts = readMultipart(request.body as Buffer, contentType);
    if (!parts || parts.length === 0) return refuse(response, 400, 'The multipart body is empty or broken.');
    const { study } = request.params;
    const { status, body } = storeParts(parts, store, rootOf(request), typeof study === 'string' ? study : null);
    response.status(status).type('application/dicom+json').send(JSON.stringify(body));
  };
}
