import { randomUUID } from 'node:crypto';
import { Failure } from '../core/failure.ts';
import { type RunningArchive, startArchive } from './archive.ts';
import { accessionSystem, type DemoFilm, demoFilms, demoResources, patientSystem } from './demo-world.ts';
import { startFhirStore } from './fhir-store.ts';
import { writeMultipart } from './multipart.ts';
import { startOrthanc, whyNoOrthanc } from './orthanc.ts';

/** The world of the demo: an archive and a FHIR store on loopback, and films to send. */

export interface Sandbox {
  readonly dicomwebUrl: string;
  readonly fhirUrl: string;
  /** What a gateway must know of the hospital to link patients and orders. */
  readonly fhirOptions: { readonly issuers: Readonly<Record<string, string>>; readonly accessionSystem: string };
  /** Draws the films and sends them to the archive, one by one. */
  readonly sendFilms: (studyDate: string) => Promise<readonly DemoFilm[]>;
  /** Where the results of a study lie in the archive, for a browser. */
  readonly resultLinks: (studyInstanceUid: string) => Promise<ResultLinks>;
  /** Page of a report for a person. */
  readonly reportUrl: (diagnosticReportId: string) => string;
  readonly close: () => Promise<void>;
}

export interface ResultLinks {
  /** The SR as a page, or as DICOM JSON where the archive shows none. */
  readonly sr: string | null;
  /** The heat-map as a picture. */
  readonly heatmap: string | null;
}

export interface SandboxOptions {
  /** A real Orthanc in place of the sandbox's archive. */
  readonly orthanc: boolean;
}

export async function startSandbox({ orthanc }: SandboxOptions): Promise<Sandbox> {
  const fhir = await startFhirStore({ seed: demoResources() });
  const archive = orthanc ? await startOrthancArchive() : await startArchive();
  return {
    dicomwebUrl: archive.url,
    fhirUrl: fhir.url,
    fhirOptions: { issuers: { SANDBOX: patientSystem }, accessionSystem },
    // Orthanc shows pictures only; the sandbox's archive writes a report out as a page.
    resultLinks: (studyInstanceUid) => resultLinks(archive.url, studyInstanceUid, orthanc ? 'metadata' : 'rendered'),
    reportUrl: (id) => fhir.reportUrl(id),
    async sendFilms(studyDate) {
      const films = await demoFilms(studyDate);
      for (const film of films) await storeFilm(archive.url, film.bytes);
      return films;
    },
    async close() {
      await fhir.close();
      await archive.close();
    },
  };
}

async function startOrthancArchive(): Promise<Pick<RunningArchive, 'url' | 'close'>> {
  const why = whyNoOrthanc();
  if (why)
    throw new Failure('config-invalid', { where: '--orthanc', expected: 'Orthanc with its DICOMweb plugin', got: why });
  const { dicomwebUrl, stop } = await startOrthanc();
  return { url: dicomwebUrl, close: stop };
}

/** STOW-RS of one file, as a modality's gateway would send it. */
export async function storeFilm(root: string, bytes: Uint8Array): Promise<void> {
  const boundary = randomUUID();
  const contentType = `multipart/related; type="application/dicom"; boundary=${boundary}`;
  const body = writeMultipart([bytes], 'application/dicom', boundary);
  const headers = { 'content-type': contentType, accept: 'application/dicom+json' };
  const response = await fetch(`${root}/studies`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the archive answered ${response.status} to a film`);
}

interface QidoRow {
  readonly [tag: string]: { readonly Value?: readonly unknown[] };
}

async function resultLinks(root: string, studyInstanceUid: string, srResource: string): Promise<ResultLinks> {
  const study = `${root}/studies/${studyInstanceUid}`;
  const rows = (await (await fetch(`${study}/instances?includefield=00080060`)).json()) as readonly QidoRow[];
  const linkOf = (modality: string, resource: string): string | null => {
    const row = rows.find((candidate) => candidate['00080060']?.Value?.[0] === modality);
    const [series, instance] = ['0020000E', '00080018'].map((tag) => row?.[tag]?.Value?.[0]);
    return row ? `${study}/series/${series}/instances/${instance}/${resource}` : null;
  };
  return { sr: linkOf('SR', srResource), heatmap: linkOf('OT', 'rendered') };
}
