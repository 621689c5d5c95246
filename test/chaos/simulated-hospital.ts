import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request, RequestHandler } from 'express';
import { startArchive } from '../../src/sandbox/archive.ts';
import { startFhirStore } from '../../src/sandbox/fhir-store.ts';
import { type ChaosHospital, type MomentListener, pastFaults, putPatient, type ServerMoment } from './hospital.ts';
import { objectsSent } from './sent.ts';

export async function openSimulatedHospital({
  folder,
}: {
  rate: number;
  seed: number;
  folder: string;
}): Promise<ChaosHospital> {
  let listener: MomentListener = () => {};
  const before =
    (side: string): RequestHandler =>
    (request, response, next) => {
      if (request.get('x-chaos') !== undefined) return next();
      listener(`${side} ${request.method} before` as ServerMoment);
      const send = response.send.bind(response);
      response.send = (body) => {
        if (side === 'pacs' && request.method === 'POST') note(request);
        listener(`${side} ${request.method} after` as ServerMoment);
        return send(body);
      };
      next();
    };
  const note = (request: Request) => {
    for (const object of objectsSent(request.body as Buffer, request.get('content-type') ?? ''))
      appendFileSync(join(folder, 'sent.jsonl'), `${JSON.stringify(object)}\n`);
  };
  const archive = await startArchive({ before: before('pacs') });
  const fhir = await startFhirStore({ before: before('fhir') });
  return {
    pacsUrl: archive.url,
    fhirUrl: fhir.url,
    async send(bytes) {
      const headers = { ...pastFaults, 'content-type': 'multipart/related; type="application/dicom"; boundary=film' };
      const body = Buffer.concat([Buffer.from('--film\r\n\r\n'), bytes, Buffer.from('\r\n--film--\r\n')]);
      const response = await fetch(`${archive.url}/studies`, { method: 'POST', headers, body });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`the archive answered ${response.status} to a film`);
    },
    admit: (patientId) => putPatient(fhir.url, patientId),
    isReported: async (uid) =>
      archive
        .studies()
        .some(
          ({ StudyInstanceUID, instances }) =>
            StudyInstanceUID === uid && instances.some((i) => i.SOPClassUID.includes('.88.')),
        ),
    onMoment(given) {
      listener = given;
    },
    behave() {},
    async dump(into) {
      mkdirSync(join(into, 'archive'));
      for (const { instances } of archive.studies())
        for (const { SOPInstanceUID, bytes } of instances)
          writeFileSync(join(into, 'archive', `${SOPInstanceUID}.dcm`), bytes);
      const all = ['DiagnosticReport', 'Observation', 'Patient', 'ImagingStudy'].flatMap((t) => fhir.resources(t));
      writeFileSync(join(into, 'fhir.json'), JSON.stringify(all));
    },
    misbehaved: () => ({}),
    async close() {
      await archive.close();
      await fhir.close();
    },
  };
}
