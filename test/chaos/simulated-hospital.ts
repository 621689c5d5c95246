import { join } from 'node:path';
import { randomOf } from '../../src/sandbox/random.ts';
import { startSimulatedArchive } from '../simulators/archive.ts';
import { startSimulatedFhir } from '../simulators/fhir.ts';
import type { RequestObserver } from '../simulators/journal.ts';
import type { Side } from '../simulators/misbehaviour.ts';
import { chaosScript, type Script } from '../simulators/script.ts';
import {
  type ChaosHospital,
  type HospitalOptions,
  type MomentListener,
  patientOf,
  type ServerMoment,
  senderOf,
} from './hospital.ts';
import { writeLines } from './lines.ts';
import { noteSent } from './sent.ts';

/** The simulators, each with a script of misbehaviours drawn by the seed. */
export async function openSimulatedHospital({ rate, seed, folder }: HospitalOptions): Promise<ChaosHospital> {
  const random = randomOf(seed + 1);
  const met = new Map<string, number>();
  let listener: MomentListener = () => {};
  const counted = (side: Side): Script => {
    const script = chaosScript({ side, random, rate });
    return (request) => {
      const misbehaviour = script(request);
      if (misbehaviour) met.set(`${side} ${misbehaviour.name}`, (met.get(`${side} ${misbehaviour.name}`) ?? 0) + 1);
      return misbehaviour;
    };
  };
  const observer = (side: Side): RequestObserver => ({
    async before({ method }, request, body) {
      if (side === 'pacs' && method === 'POST') noteSent(folder, await body(), request.get('content-type') ?? '');
      listener(`${side} ${method} before` as ServerMoment, senderOf(request.get('authorization')));
    },
    after: ({ method }, request) =>
      listener(`${side} ${method} after` as ServerMoment, senderOf(request.get('authorization'))),
  });
  const archive = await startSimulatedArchive({ script: counted('pacs'), onRequest: observer('pacs') });
  const fhir = await startSimulatedFhir({ script: counted('fhir'), onRequest: observer('fhir') });
  return {
    pacsUrl: archive.url,
    fhirUrl: fhir.url,
    async send(bytes) {
      archive.addInstance(bytes);
    },
    admit: (patientId) => fhir.put(patientOf(patientId)),
    isReported: async (uid) =>
      archive.store.ofStudy(uid).some(({ SOPClassUID }) => SOPClassUID.startsWith(structuredReports)),
    onMoment(given) {
      listener = given;
    },
    async dump(into) {
      archive.dump(join(into, 'archive'));
      await writeLines(join(into, 'fhir.jsonl'), fhir.history().flat());
    },
    misbehaved: () => Object.fromEntries(met),
    async close() {
      await archive.close();
      await fhir.close();
    },
  };
}

/** Root of the SOP classes of Structured Reports (PS3.4 B.5). */
const structuredReports = '1.2.840.10008.5.1.4.1.1.88.';
