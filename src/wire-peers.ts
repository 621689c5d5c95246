import { readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { Failure, type FailureCode } from './core/failure.ts';
import type { Archive, Destination, Log, Orders } from './core/ports.ts';
import type { StudyHeader } from './core/reading.ts';
import type { Dataset } from './core/study.ts';
import type { TakeOverPorts } from './core/take-over.ts';
import { describe } from './dicom/header.ts';
import { requestedPriority } from './dicom/order-priority.ts';
import { createPacs, createPacsDestination } from './dicom/pacs.ts';
import { createStudySearch } from './dicom/qido.ts';
import { createOrderPriority } from './fhir/order-priority.ts';
import { createReportFinder } from './fhir/report-finder.ts';
import { createFhirDestination, type FhirDestinationOptions, type FhirNotice } from './fhir/server.ts';
import { createHttp } from './net/client.ts';
import type { Http } from './net/http.ts';
import { type Credentials, credentialsOf, type PeerOptions } from './net/options.ts';
import { searchDays } from './sources/days.ts';

/** Builds what stands for the servers: archive, destinations and the clients that speak to them. */

const MiB = 1024 * 1024;
/** A study under way waits as long for a server that asked for a pause; the end of `serve` waits twice as long for the study. */
const patienceMs = 5_000;
/** An archive sends films; what a FHIR server sends is parsed in one go, and its largest is a bundle of ours with pictures in it. */
const mostAnswerBytes = { pacs: 512 * MiB, fhir: 16 * MiB };

export interface Peers {
  readonly clients: readonly Http[];
  /** The client of the archive, also for an Orthanc's REST API. */
  readonly pacs: Http;
  readonly archive: Archive;
  /** Where results go; null where that is the archive itself. */
  readonly results: Archive | null;
  /** Finds a report of ours at the FHIR server. */
  readonly findReport: TakeOverPorts['report'];
  readonly destinations: readonly Destination[];
  readonly orders: Orders;
}

/** An archive to look at. */
export interface ArchiveLook extends Pick<Archive, 'list'> {
  /** The CR and DX studies of each day (`YYYY-MM-DD`); `report` hears of an archive that hides studies. */
  days(days: readonly string[], report: (failure: Failure) => void): ReturnType<typeof searchDays>;
  readonly close: () => Promise<void>;
}

/** The archive of the configuration and nothing else: for looking, beside a gateway that runs. Nothing is fetched into a spool. */
export function wireArchive({ pacs, jobs, sources }: Config): ArchiveLook {
  const roots = rootsOf(pacs);
  const http = client('pacs', pacs, Object.values(roots));
  const spoolFolder = join(resolve(jobs.stateFolder), 'spool');
  const { list } = createPacs({ http, ...roots, spoolFolder, timeoutMs: pacs.timeoutSeconds * 1000 });
  const paging = { search: createStudySearch({ http, ...roots }), limit: sources.qidoPoll.pageSize };
  return {
    list,
    days: (days, report) => searchDays({ ...paging, report }, days),
    close: () => http.close(),
  };
}

/** Who hears what the clients meet at the servers; `peer` is `pacs`, `fhir` or `pacs.results`. */
export interface PeerWatch {
  readonly refused: (peer: string, code: FailureCode) => void;
  readonly certificate: (peer: string, validUntil: number) => void;
}

const unwatched: PeerWatch = { refused: () => {}, certificate: () => {} };

export function wirePeers(
  { pacs, fhir, sources, jobs }: Config,
  spoolFolder: string,
  told: Required<Pick<FhirDestinationOptions, 'onUnresolvedPatient' | 'onNotice'>>,
  watch: PeerWatch = unwatched,
): Peers {
  rmSync(spoolFolder, { recursive: true, force: true });
  const roots = rootsOf(pacs);
  const orthanc = sources.orthancChanges.orthancUrl;
  const pacsHttp = client('pacs', pacs, [...Object.values(roots), ...(orthanc ? [orthanc] : [])], watch);
  const fhirHttp = client('fhir', fhir, [fhir.url], watch);
  const results = pacs.results;
  const resultsHttp = results ? client('pacs', results, [results.url], watch, 'pacs.results') : pacsHttp;
  const resultRoots = results ? rootsOf(results) : roots;
  const timeoutMs = pacs.timeoutSeconds * 1000;
  return {
    clients: [pacsHttp, fhirHttp, ...(results ? [resultsHttp] : [])],
    pacs: pacsHttp,
    archive: createPacs({ http: pacsHttp, ...roots, spoolFolder, timeoutMs }),
    results: results ? createPacs({ http: resultsHttp, ...resultRoots, spoolFolder, timeoutMs }) : null,
    findReport: createReportFinder(fhirHttp, fhir.url),
    destinations: [
      createPacsDestination({
        http: resultsHttp,
        ...resultRoots,
        timeoutMs: (results ?? pacs).timeoutSeconds * 1000,
      }),
      createFhirDestination({ http: fhirHttp, root: fhir.url, options: fhir, now: Date.now, ...told }),
    ],
    orders: createOrders(fhir, jobs.orderPriority ? fhirHttp : null),
  };
}

/** The films' own headers first; then the EHR, unless the site does not want it asked. */
function createOrders(fhir: Config['fhir'], http: Http | null): Orders {
  const now = () => performance.now();
  const ask = http && createOrderPriority({ http, root: fhir.url, options: fhir, now });
  return {
    async priority(headers) {
      if (headers.some((header) => requestedPriority(header) === 'stat')) return 'stat';
      const study = ask && headers.map(describedStudy).find((described) => described !== null);
      return study ? ask(study) : 'routine';
    },
  };
}

/** Null for a header with an identifier that stops its film later. */
function describedStudy(header: Dataset): StudyHeader | null {
  try {
    return describe(header).study;
  } catch {
    return null;
  }
}

/** To the log what a FHIR server did: an alert where a person must look, else a line. */
export const logNotices =
  (log: Log, now: () => number) =>
  ({ kind, detail }: FhirNotice): void => {
    const event = kind === 'ids' || kind === 'sequence' ? 'fhir' : 'alert';
    log({ time: new Date(now()).toISOString(), event, code: `fhir-${kind}`, detail });
  };

export function rootsOf({
  url,
  qidoUrl = url,
  wadoUrl = url,
  stowUrl = url,
}: Partial<Config['pacs']> & { readonly url: string }) {
  return { qidoUrl, wadoUrl, stowUrl };
}

function client(
  peer: 'pacs' | 'fhir',
  options: PeerOptions,
  roots: readonly string[],
  watch: PeerWatch = unwatched,
  name: string = peer,
): Http {
  const { caFile, timeoutSeconds, maxInFlight } = options;
  return createHttp({
    ...{ peer, roots, maxInFlight, credentials: credentialsOf(options, peer) },
    ca: caFile === undefined ? null : readCa(caFile, peer),
    timeoutMs: timeoutSeconds * 1000,
    maxBytes: mostAnswerBytes[peer],
    patienceMs,
    renew: () => credentialsNow(options, name),
    onRefused: (code) => watch.refused(name, code),
    onCertificate: (validUntil) => watch.certificate(name, validUntil),
  });
}

/** A secret that lies in a file of its own may be replaced while we run; null where none does. */
async function credentialsNow(options: PeerOptions, where: string): Promise<Credentials | null> {
  const { passwordFile, tokenFile } = options;
  const path = tokenFile ?? passwordFile;
  const secret = path === undefined ? '' : (await readFile(path, 'utf8')).trim();
  if (secret === '') return null;
  return credentialsOf(path === tokenFile ? { token: secret } : { ...options, password: secret }, where);
}

function readCa(path: string, peer: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const got = (cause as NodeJS.ErrnoException).code ?? 'an error';
    throw new Failure('config-invalid', { where: `${peer}.caFile`, expected: 'a readable PEM file', got });
  }
}
