/** What is written back, and the proof that it arrived. */

export type ArtifactKind = 'sr' | 'heatmap' | 'fhir-bundle' | 'rejection-note';

/** A composed output: its bytes never change once they are recorded. */
export interface Artifact {
  readonly kind: ArtifactKind;
  /** Unique in a reading: `sr`, `heatmap-1`, `fhir-bundle`. */
  readonly name: string;
  readonly fileName: string;
  readonly mediaType: 'application/dicom' | 'application/fhir+json';
  /** Names these very bytes: the SOP Instance UID, or the DiagnosticReport id with its revision, `cxr-…#2`. */
  readonly id: string;
  /** Of a DICOM artifact. */
  readonly SOPClassUID?: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** Proof that an artifact is stored at a destination. */
export interface Receipt {
  readonly artifact: string;
  readonly destination: string;
  /** RFC 3339 UTC. */
  readonly storedAt: string;
  /** What the destination answered: a version, a warning, coerced values. */
  readonly note: string;
}

/** A receipt that no longer holds: the destination does not have the artifact. */
export interface LostReceipt {
  readonly artifactId: string;
  readonly destination: string;
}

/** Why results of ours are taken back. */
export interface Retraction {
  /** In the operator's words, as they shall stand beside the result; no patient data. */
  readonly reason: string;
  /** RFC 3339, with its offset. */
  readonly at: string;
}
