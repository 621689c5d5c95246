import type { FailureCode } from './failure.ts';
import type { Job } from './ports.ts';
import type { Decision } from './reading.ts';
import type { Instance, InstanceReference, PatientIdentity } from './study.ts';

/** What archive and FHIR server hold of results that the ledger does not know: it was lost, or another gateway wrote them. */

export interface FoundImage {
  readonly SOPInstanceUID: string;
  readonly score: number;
  readonly decision: Decision;
  readonly trackingUid: string | null;
  /** The picture that the report points to; null when it has none. */
  readonly heatmap: InstanceReference | null;
}

/** The newest Structured Report of this model in a study, read. */
export interface FoundResult {
  readonly sr: InstanceReference;
  /** As the archive gave them: those that were stored first. */
  readonly bytes: Uint8Array;
  readonly revision: number;
  readonly predecessor: InstanceReference | null;
  /** SOP Instance UIDs of the older reports of the model in the study. */
  readonly older: readonly string[];
  /** RFC 3339 UTC. */
  readonly readAt: string;
  readonly patient: PatientIdentity;
  /** Threshold that it was decided at; null where the report does not tell. */
  readonly operatingPoint: number | null;
  readonly images: readonly FoundImage[];
  readonly failures: readonly { readonly SOPInstanceUID: string; readonly code: FailureCode }[];
  /** A person struck it with a rejection note. */
  readonly rejected: boolean;
  /** SOP Instance UIDs of everything that the archive holds of the study. */
  readonly stored: ReadonlySet<string>;
}

export interface FoundReport {
  /** The value of our own identifier on it. */
  readonly diagnosticReportId: string;
  /** It bears the newest SR; else one of the older ones. */
  readonly current: boolean;
}

export interface TakeOverPorts {
  /** Null when the archive has no report of this model, or none beyond `knownRevision`. `listed` is the study as its source lists it. */
  result(studyInstanceUid: string, listed: readonly Instance[], knownRevision: number): Promise<FoundResult | null>;
  /** The report that names one of these SRs; the first of them is the newest. */
  report(srSopInstanceUids: readonly string[]): Promise<FoundReport | null>;
  /** Told of every result that is taken over. */
  tell(job: Job, told: { readonly revision: number; readonly underOwnSecret: boolean; readonly whole: boolean }): void;
}
