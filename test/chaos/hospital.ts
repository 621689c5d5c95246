import type { serverMoments } from './kills.ts';

export type ServerMoment = (typeof serverMoments)[number];
export interface HospitalOptions {
  /** Share of the requests that something befalls. */
  readonly rate: number;
  readonly seed: number;
  /** Folder of the run: `sent.jsonl` grows in it. */
  readonly folder: string;
}

/** @param sender user name of the gateway whose request it is; null when it has none. */
export type MomentListener = (moment: ServerMoment, sender: string | null) => void;

/** The servers of a chaos run: simulators that misbehave, or a real Orthanc and a real HAPI behind a network that does. */
export interface ChaosHospital {
  readonly pacsUrl: string;
  readonly fhirUrl: string;
  /** As a modality sends it: what befalls the gateway's requests does not befall this. */
  send(bytes: Uint8Array): Promise<void>;
  /** Puts a Patient with this identifier into the FHIR server. */
  admit(patientId: string): Promise<void>;
  /** Whether the archive has an SR of the study. */
  isReported(studyInstanceUid: string): Promise<boolean>;
  /** Told of the moments of the servers in which the gateway may die; the newest listener alone. */
  onMoment(listener: MomentListener): void;
  /** Writes `archive/` and `fhir.jsonl` for the auditor; `sent.jsonl` grows while the run goes on. */
  dump(folder: string): Promise<void>;
  /** What befell the requests, by name. */
  misbehaved(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** The user name of basic authentication. */
export function senderOf(authorization: string | undefined): string | null {
  const encoded = /^Basic (.+)$/.exec(authorization ?? '')?.[1];
  return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString().split(':')[0]!;
}

export const patientSystem = 'urn:x-chaos:mrn';

export const patientOf = (patientId: string) => ({
  resourceType: 'Patient',
  id: `p-${patientId}`,
  identifier: [{ system: patientSystem, value: patientId }],
});
