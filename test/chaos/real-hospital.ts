import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOrthanc } from '../../src/sandbox/orthanc.ts';
import { randomOf } from '../../src/sandbox/random.ts';
import { put } from '../e2e/hospital.ts';
import { startHapi } from '../services/hapi.ts';
import {
  type ChaosHospital,
  type HospitalOptions,
  type MomentListener,
  patientOf,
  type ServerMoment,
  senderOf,
} from './hospital.ts';
import { writeLines } from './lines.ts';
import { startProxy } from './proxy.ts';
import { noteSent } from './sent.ts';

/** A real Orthanc and a real HAPI FHIR server, each behind a network that misbehaves. */

export async function openRealHospital({ rate, seed, folder }: HospitalOptions): Promise<ChaosHospital> {
  const [orthanc, hapi] = await Promise.all([startOrthanc(), startHapi()]);
  const random = randomOf(seed + 1);
  let listener: MomentListener = () => {};
  const proxyOf = (side: 'pacs' | 'fhir', target: string) =>
    startProxy({
      ...{ target, random, rate },
      observe(moment, { method, contentType, authorization, body }) {
        if (side === 'pacs' && method === 'POST' && moment === 'before') noteSent(folder, body, contentType);
        listener(`${side} ${method} ${moment}` as ServerMoment, senderOf(authorization));
      },
    });
  const pacs = await proxyOf('pacs', orthanc.dicomwebUrl);
  const fhir = await proxyOf('fhir', hapi.url);
  return {
    pacsUrl: pacs.url,
    fhirUrl: fhir.url,
    async send(bytes) {
      const status = await orthanc.send(bytes);
      if (status !== 200) throw new Error(`Orthanc answered ${status} to a film`);
    },
    admit: (patientId) => put(hapi.url, patientOf(patientId)),
    async isReported(studyInstanceUid) {
      const url = `${orthanc.dicomwebUrl}/series?StudyInstanceUID=${studyInstanceUid}&Modality=SR`;
      return ((await (await fetch(url)).json()) as readonly unknown[]).length > 0;
    },
    onMoment(given) {
      listener = given;
    },
    async dump(into) {
      mkdirSync(join(into, 'archive'));
      const ids = (await (await orthanc.rest('GET', '/instances')).json()) as readonly string[];
      for (const id of ids) {
        const file = await orthanc.rest('GET', `/instances/${id}/file`);
        writeFileSync(join(into, 'archive', `${id}.dcm`), new Uint8Array(await file.arrayBuffer()));
      }
      const types = ['Patient', 'Device', 'ImagingStudy', 'Observation', 'DiagnosticReport'];
      const found = await Promise.all(types.map((type) => allResources(`${hapi.url}/${type}/_history?_count=200`)));
      // A history gives the newest version first.
      await writeLines(join(into, 'fhir.jsonl'), found.flat().reverse());
    },
    misbehaved: () => sum(pacs.misbehaved, fhir.misbehaved),
    async close() {
      await Promise.all([pacs.close(), fhir.close()]);
      await Promise.all([orthanc.stop(), hapi.stop()]);
    },
  };
}

interface Bundle {
  readonly entry?: readonly { readonly resource?: unknown }[];
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
}

async function allResources(first: string): Promise<readonly unknown[]> {
  const resources: unknown[] = [];
  for (let url: string | undefined = first; url !== undefined; ) {
    const response = await fetch(url, { headers: { 'cache-control': 'no-cache' } });
    if (!response.ok) throw new Error(`HAPI answered ${response.status}`);
    const bundle = (await response.json()) as Bundle;
    resources.push(...(bundle.entry ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource])));
    url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return resources;
}

function sum(...counts: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const [name, times] of counts.flatMap((each) => Object.entries(each))) all[name] = (all[name] ?? 0) + times;
  return all;
}
