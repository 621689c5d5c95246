import { type Orthanc, type OrthancOptions, startOrthanc, whyNoOrthanc } from '../../src/sandbox/orthanc.ts';
import { startHapi, whyNoHapi } from '../services/hapi.ts';
import { type DicomFacts, factsOf } from './facts.ts';
import { dataFolder, hasData } from './support.ts';

/** A real Orthanc and a real HAPI FHIR server, asked by plain HTTP: none of the gateway's own code is used. */

export interface Hospital {
  readonly orthanc: Orthanc;
  readonly fhirUrl: string;
  stop(): Promise<void>;
}

/** Why the end-to-end tests cannot run here, or null. */
export function whyNoHospital(): string | null {
  if (!hasData) return `the real images are not there: ${dataFolder}`;
  return whyNoOrthanc() ?? whyNoHapi();
}

export async function openHospital(options: OrthancOptions = {}): Promise<Hospital> {
  const [orthanc, hapi] = await Promise.all([startOrthanc(options), startHapi()]);
  return {
    orthanc,
    fhirUrl: hapi.url,
    async stop() {
      await orthanc.stop();
      await hapi.stop();
    },
  };
}

export interface StoredStudy {
  readonly sr: readonly DicomFacts[];
  readonly heatmaps: readonly DicomFacts[];
  readonly films: readonly DicomFacts[];
}

/** The files of a study as Orthanc gives them out. */
export async function storedStudy(orthanc: Orthanc, studyInstanceUid: string): Promise<StoredStudy> {
  const studies = (await json(orthanc, '/studies?expand')) as readonly OrthancStudy[];
  const study = studies.find(({ MainDicomTags }) => MainDicomTags.StudyInstanceUID === studyInstanceUid);
  const instances = study ? ((await json(orthanc, `/studies/${study.ID}/instances`)) as readonly { ID: string }[]) : [];
  const files: DicomFacts[] = [];
  for (const { ID } of instances) {
    const response = await orthanc.rest('GET', `/instances/${ID}/file`);
    files.push(factsOf(new Uint8Array(await response.arrayBuffer())));
  }
  const of = (modality: string) => files.filter((file) => file.modality === modality);
  return { sr: of('SR'), heatmaps: of('OT'), films: files.filter((file) => !['SR', 'OT'].includes(file.modality)) };
}

interface OrthancStudy {
  readonly ID: string;
  readonly MainDicomTags: { readonly StudyInstanceUID: string };
}

async function json(orthanc: Orthanc, path: string): Promise<unknown> {
  const response = await orthanc.rest('GET', path);
  if (!response.ok) throw new Error(`Orthanc answered ${response.status} to ${path}`);
  return response.json();
}

export interface FhirResource {
  readonly resourceType: string;
  readonly id: string;
  readonly [element: string]: unknown;
}

/** Matches of a search and what it includes; never from HAPI's cache. */
export async function search(fhirUrl: string, query: string): Promise<readonly FhirResource[]> {
  const response = await fetch(`${fhirUrl}/${query}`, { headers: { 'cache-control': 'no-cache' } });
  if (!response.ok) throw new Error(`HAPI answered ${response.status} to ${query}: ${await response.text()}`);
  const bundle = (await response.json()) as { readonly entry?: readonly { readonly resource: FhirResource }[] };
  return (bundle.entry ?? []).map(({ resource }) => resource);
}

const fhirJson = { 'content-type': 'application/fhir+json' };

export async function put(fhirUrl: string, resource: FhirResource): Promise<void> {
  const url = `${fhirUrl}/${resource.resourceType}/${resource.id}`;
  const response = await fetch(url, { method: 'PUT', headers: fhirJson, body: JSON.stringify(resource) });
  if (!response.ok) throw new Error(`HAPI answered ${response.status}: ${await response.text()}`);
}

/** Issues of severity error or fatal that `$validate` finds. */
export async function validationErrors(fhirUrl: string, resource: FhirResource): Promise<readonly string[]> {
  const url = `${fhirUrl}/${resource.resourceType}/$validate`;
  const response = await fetch(url, { method: 'POST', headers: fhirJson, body: JSON.stringify(resource) });
  const outcome = (await response.json()) as { readonly issue: readonly { severity: string; diagnostics: string }[] };
  return outcome.issue
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map(({ diagnostics }) => diagnostics);
}
