import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { Failure } from './core/failure.ts';
import type { Archive, Destination, Log } from './core/ports.ts';
import { createPacs, createPacsDestination } from './dicom/pacs.ts';
import { createStudySearch } from './dicom/qido.ts';
import { createFhirDestination } from './fhir/server.ts';
import { createHttp } from './net/client.ts';
import type { Http } from './net/http.ts';
import { credentialsOf, type PeerOptions } from './net/options.ts';
import { searchDays } from './sources/days.ts';

/** Builds what stands for the servers: archive, destinations and the clients that speak to them. */

const MiB = 1024 * 1024;
/** An archive sends films; what a FHIR server sends is parsed in one go, and its largest is a bundle of ours with pictures in it. */
const mostAnswerBytes = { pacs: 512 * MiB, fhir: 16 * MiB };

export interface Peers {
  readonly clients: readonly Http[];
  /** The client of the archive, also for an Orthanc's REST API. */
  readonly pacs: Http;
  readonly archive: Archive;
  readonly destinations: readonly Destination[];
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

export function wirePeers(
  { pacs, fhir, sources }: Config,
  spoolFolder: string,
  onUnresolvedPatient: () => void,
  log: Log,
): Peers {
  rmSync(spoolFolder, { recursive: true, force: true });
  const roots = rootsOf(pacs);
  const orthanc = sources.orthancChanges.orthancUrl;
  const pacsHttp = client('pacs', pacs, [...Object.values(roots), ...(orthanc ? [orthanc] : [])]);
  const fhirHttp = client('fhir', fhir, [fhir.url]);
  const results = pacs.results;
  const resultsHttp = results ? client('pacs', results, [results.url]) : pacsHttp;
  const resultRoots = results ? rootsOf(results) : roots;
  const timeoutMs = pacs.timeoutSeconds * 1000;
  return {
    clients: [pacsHttp, fhirHttp, ...(results ? [resultsHttp] : [])],
    pacs: pacsHttp,
    archive: createPacs({ http: pacsHttp, ...roots, spoolFolder, timeoutMs }),
    destinations: [
      createPacsDestination({
        http: resultsHttp,
        ...resultRoots,
        timeoutMs: (results ?? pacs).timeoutSeconds * 1000,
      }),
      createFhirDestination({
        ...{ http: fhirHttp, root: fhir.url, options: fhir, now: Date.now, onUnresolvedPatient },
        onNotice: ({ kind, detail }) => log({ level: 'warn', event: 'fhir-notice', kind, detail }),
      }),
    ],
  };
}

export function rootsOf({
  url,
  qidoUrl = url,
  wadoUrl = url,
  stowUrl = url,
}: Partial<Config['pacs']> & { readonly url: string }) {
  return { qidoUrl, wadoUrl, stowUrl };
}

function client(peer: 'pacs' | 'fhir', options: PeerOptions, roots: readonly string[]): Http {
  const { caFile, timeoutSeconds, maxInFlight } = options;
  return createHttp({
    ...{ peer, roots, maxInFlight, credentials: credentialsOf(options, peer) },
    ca: caFile === undefined ? null : readCa(caFile, peer),
    timeoutMs: timeoutSeconds * 1000,
    maxBytes: mostAnswerBytes[peer],
  });
}

function readCa(path: string, peer: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const got = (cause as NodeJS.ErrnoException).code ?? 'an error';
    throw new Failure('config-invalid', { where: `${peer}.caFile`, expected: 'a readable PEM file', got });
  }
}
