import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startArchive } from '../../src/sandbox/archive.ts';
import { startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { randomOf } from '../../src/sandbox/random.ts';
import { type ChaosHospital, type MomentListener, pastFaults, putPatient, type ServerMoment } from './hospital.ts';
import { createScript, type Script, type Side } from './misbehaviour.ts';

/** The sandbox's archive and FHIR store, told to misbehave. */

export async function openSimulatedHospital({
  rate,
  seed,
  folder,
}: {
  readonly rate: number;
  readonly seed: number;
  readonly folder: string;
}): Promise<ChaosHospital> {
  const random = randomOf(seed + 1);
  let listener: MomentListener = () => {};
  const scriptOf = (side: Side): Script =>
    createScript({
      ...{ side, random, rate },
      past: (request) => request.get('x-chaos') !== undefined,
      observe: (moment, { method }) => listener(`${side} ${method} ${moment}` as ServerMoment),
      ...(side === 'pacs' && {
        onStore: (objects) => {
          for (const object of objects) appendFileSync(join(folder, 'sent.jsonl'), `${JSON.stringify(object)}\n`);
        },
      }),
    });
  const scripts = { pacs: scriptOf('pacs'), fhir: scriptOf('fhir') };
  const archive = await startArchive({ before: scripts.pacs.handler });
  const fhir = await startFhirStore({ before: scripts.fhir.handler });
  return {
    pacsUrl: archive.url,
    fhirUrl: fhir.url,
    send: (bytes) => sendFilm(archive.url, bytes),
    admit: (patientId) => putPatient(fhir.url, patientId),
    async isReported(studyInstanceUid) {
      const url = `${archive.url}/series?StudyInstanceUID=${studyInstanceUid}&Modality=SR`;
      return ((await (await fetch(url, { headers: pastFaults })).json()) as readonly unknown[]).length > 0;
    },
    onMoment(given) {
      listener = given;
    },
    behave() {
      scripts.pacs.behave();
      scripts.fhir.behave();
    },
    async dump(into) {
      mkdirSync(join(into, 'archive'));
      for (const { SOPInstanceUID, bytes } of archive.studies().flatMap(({ instances }) => instances)) {
        writeFileSync(join(into, 'archive', `${SOPInstanceUID}.dcm`), bytes);
      }
      writeFileSync(join(into, 'fhir.json'), JSON.stringify(fhir.history().flat()));
    },
    misbehaved: () => ({ ...prefixed('pacs', scripts.pacs.met), ...prefixed('fhir', scripts.fhir.met) }),
    async close() {
      await archive.close();
      await fhir.close();
    },
  };
}

const prefixed = (side: Side, met: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(met).map(([name, times]) => [`${side} ${name}`, times]));

async function sendFilm(root: string, bytes: Uint8Array): Promise<void> {
  const headers = { ...pastFaults, 'content-type': 'multipart/related; type="application/dicom"; boundary=film' };
  const body = Buffer.concat([Buffer.from('--film\r\n\r\n'), bytes, Buffer.from('\r\n--film--\r\n')]);
  const response = await fetch(`${root}/studies`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the archive answered ${response.status} to a film`);
}
