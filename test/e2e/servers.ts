import type { DicomFacts, StoredStudy } from './facts.ts';
import { factsOf } from './facts.ts';

/** What the real servers hold after the gateway did its work, asked by plain HTTP: none of the gateway's own code is used. */

export interface OrthancView {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const answer = async (response: Response): Promise<Response> => {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return response;
};

export async function upload({ url, headers }: OrthancView, bytes: Uint8Array): Promise<void> {
  await answer(await fetch(`${url}/instances`, { method: 'POST', headers, body: bytes as BodyInit }));
}

const getJson = async <T>({ url, headers }: OrthancView, path: string): Promise<T> =>
  (await (await answer(await fetch(`${url}${path}`, { headers }))).json()) as T;

/** Files of the study by modality, as Orthanc stores them. */
export async function studyFiles(orthanc: OrthancView, studyInstanceUid: string): Promise<StoredStudy> {
  const found = await fetch(`${orthanc.url}/tools/lookup`, { method: 'POST', headers: orthanc.headers, body: studyInstanceUid });
  const [study] = (await found.json()) as { readonly ID: string; readonly Type: string }[];
  if (!study) return { sr: [], heatmaps: [], others: [] };
  const instances = await getJson<{ readonly ID: string }[]>(orthanc, `/studies/${study.ID}/instances`);
  const files: DicomFacts[] = [];
  for (const { ID } of instances) {
    const response = await answer(await fetch(`${orthanc.url}/instances/${ID}/file`, { headers: orthanc.headers }));
    files.push(factsOf(new Uint8Array(await response.arrayBuffer())));
  }
  return {
    sr: files.filter(({ modality }) => modality === 'SR'),
    heatmaps: files.filter(({ modality }) => modality === 'OT'),
    others: files.filter(({ modality }) => modality !== 'SR' && modality !== 'OT'),
  };
}

export interface FhirResource {
  readonly resourceType: string;
  readonly id: string;
  readonly [element: string]: unknown;
}

/** All matches of a search and what it includes. */
export async function search(fhir: string, query: string): Promise<readonly FhirResource[]> {
  const response = await answer(await fetch(`${fhir}/${query}`, { headers: { 'cache-control': 'no-cache' } }));
  const bundle = (await response.json()) as { readonly entry?: { readonly resource: FhirResource }[] };
  return (bundle.entry ?? []).map(({ resource }) => resource);
}

export async function put(fhir: string, resource: FhirResource): Promise<void> {
  const { resourceType, id } = resource;
  const headers = { 'content-type': 'application/fhir+json' };
  await answer(await fetch(`${fhir}/${resourceType}/${id}`, { method: 'PUT', headers, body: JSON.stringify(resource) }));
}

/** `$validate` of a resource: issues of severity error or fatal. */
export async function validationErrors(fhir: string, resource: FhirResource): Promise<readonly string[]> {
  const headers = { 'content-type': 'application/fhir+json' };
  const url = `${fhir}/${resource.resourceType}/$validate`;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(resource) });
  const outcome = (await response.json()) as { readonly issue?: { severity: string; diagnostics?: string }[] };
  return (outcome.issue ?? [])
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map(({ diagnostics }) => diagnostics ?? 'no text');
}
