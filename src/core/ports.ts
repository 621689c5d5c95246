import type { CodeName, Codes } from './codes.ts';
import type { FailureCode } from './failure.ts';
import type { ResultIdentity } from './ids.ts';
import type {
  ActivationMap,
  ContentSettings,
  Decision,
  ImageHeader,
  Picture,
  Reading,
  StudyHeader,
  View,
} from './reading.ts';
import type { Dataset, Instance, PatientIdentity, StudyEvent } from './study.ts';

/** The edges of the product. Everything that waits, writes or may fail is handed in through one of these. */

export type { CodeName, Codes };

/** Tells of studies until the signal aborts. Resolves after the abort; raises only what the gateway cannot outlive. */
export interface Source {
  readonly name: string;
  run(announce: Announce, signal: AbortSignal): Promise<void>;
}

export type Announce = (event: StudyEvent) => Promise<void>;

/** What a source must remember between two starts: small JSON values under a name of its own. */
export interface Memory {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

/** Where studies lie: a PACS, or a folder of files. */
export interface Archive {
  readonly name: string;
  /** Every object of the study, own results included. Raises `source-gone` when the study is not there. */
  list(studyInstanceUid: string): Promise<readonly Instance[]>;
  /** The patients that the archive names for the study; two different ones are a conflict. */
  patients(studyInstanceUid: string): Promise<readonly PatientIdentity[]>;
  /** Brings one object into a file of the spool folder, whole or not at all, and gives its path. */
  fetch(instance: Instance): Promise<string>;
  /** Gives the file up again. */
  release(path: string): Promise<void>;
}

/** What the reader found in one file. */
export interface FilmReading {
  /** The header of the very instance analysed. */
  readonly header: Dataset;
  readonly pixelDigest: string;
  readonly score: number;
  readonly map: ActivationMap;
  readonly region: readonly (readonly [number, number])[];
  readonly picture: Picture;
  readonly flags: readonly string[];
}

/** Draws on the picture what the result says. */
export interface FilmRequest {
  readonly path: string;
  /** The one asked for: another one in the file is `wrong-object`; null when the file itself is the source. */
  readonly expectedSOPInstanceUID: string | null;
  readonly settings: ContentSettings;
}

/** The child process that meets hostile bytes. Every refusal is a Failure with a quarantine code. */
export interface FilmReader {
  /** Header of a file without its pixels. */
  header(path: string): Promise<Dataset>;
  read(request: FilmRequest): Promise<FilmReading>;
  close(): Promise<void>;
}

/** Outcome of the rules for one object, in the words of the command line. */
export type Choice =
  | { readonly outcome: 'eligible'; readonly view: View }
  | { readonly outcome: 'skipped'; readonly code: FailureCode; readonly because: readonly string[] }
  | { readonly outcome: 'quarantined'; readonly code: FailureCode; readonly because: readonly string[] };

export interface Chosen {
  readonly instance: Instance;
  readonly choice: Choice;
}

/** What the header of one film says, checked against its VRs. */
export interface Described {
  readonly study: StudyHeader;
  readonly image: ImageHeader;
  /** What was left out: `omitted:StudyDescription`. */
  readonly flags: readonly string[];
}

export type ArtifactKind = 'sr' | 'heatmap' | 'fhir-bundle';

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

/**
 * References that the FHIR server holds at the moment of a delivery. A bundle is recorded with logical references
 * (identifier only), and the FHIR destination makes them literal each time it delivers: a server that is down holds
 * nothing back, and a patient who appears later is linked.
 */
export interface Resolved {
  /** Literal reference such as `Patient/7`, null when none or several match: then the identifier alone is written. */
  readonly patient: string | null;
  readonly serviceRequest: string | null;
  /** Id of an ImagingStudy that the EHR already has; null: ours is written. */
  readonly imagingStudy: string | null;
}

/** How our objects name the product that made them (General Equipment, FHIR Device). */
export interface GatewayIdentity {
  readonly manufacturer: string;
  readonly modelName: string;
  readonly softwareVersion: string;
}

export interface Composition {
  readonly reading: Reading;
  readonly identity: ResultIdentity;
  /** By SOP Instance UID of the source image. */
  readonly pictures: Readonly<Record<string, Picture>>;
  readonly codes: Codes;
  readonly gateway: GatewayIdentity;
}

/** A composer: pure, one or more artifacts of one kind. */
export interface Output {
  readonly kind: ArtifactKind;
  compose(composition: Composition): readonly Artifact[];
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

export interface Destination {
  readonly name: string;
  readonly kinds: readonly ArtifactKind[];
  /** Stores what is given and reads it back. Resolves only when every artifact is confirmed; else raises a Failure. */
  deliver(artifacts: readonly Artifact[]): Promise<readonly Receipt[]>;
}

// Jobs and ledger

export type JobState =
  | 'announced'
  | 'settling'
  | 'selected'
  | 'read'
  | 'delivering'
  | 'retrying'
  | 'done'
  | 'skipped'
  | 'quarantined'
  | 'source-gone'
  | 'dead'
  | 'superseded'
  | 'retracted';

/** The durable work for one study. */
export interface Job {
  readonly number: number;
  readonly studyInstanceUid: string;
  readonly source: string;
  readonly priority: StudyEvent['priority'];
  readonly state: JobState;
  /** Code of the last failure or of the skip; null when there is none. */
  readonly code: FailureCode | null;
  /** Failed attempts since the study was last announced. */
  readonly attempt: number;
  /** Milliseconds since 1970. */
  readonly announcedAt: number;
  readonly dueAt: number;
  readonly updatedAt: number;
  /** Scratch of the settling rule: the foreign instances last counted, and since when that count stands. */
  readonly settling: { readonly count: number; readonly since: number } | null;
  readonly partial: boolean;
}

/** What became of one run of a job. */
export type Settlement =
  | { readonly state: 'settling'; readonly dueAt: number; readonly settling: NonNullable<Job['settling']> }
  | { readonly state: 'done'; readonly partial: boolean }
  | { readonly state: 'skipped' | 'quarantined' | 'source-gone' | 'dead'; readonly code: FailureCode }
  | { readonly state: 'retrying'; readonly dueAt: number; readonly code: FailureCode };

export interface JobQueue {
  /** One job a study: a second announcement of a waiting job changes nothing, of a running or ended one asks for another run. */
  announce(event: StudyEvent, now: number): Promise<void>;
  /** The most urgent job that is due, now claimed by this process; null when there is none. */
  claim(now: number): Promise<Job | null>;
  /** Progress of a claimed job that is worth a line in the log. */
  advance(job: Job, state: 'selected' | 'read' | 'delivering', now: number): Promise<void>;
  /** Ends the run. A study announced again meanwhile is due at once. */
  settle(job: Job, settlement: Settlement, now: number): Promise<void>;
  /** When the next job is due; null when nothing waits. */
  nextDueAt(): Promise<number | null>;
  /** Claims of a process that died are free again. Call at start, when the lock of the store is held. */
  recover(now: number): Promise<void>;
}

/** An instance of a study and what became of it. */
export interface InstanceOutcome {
  readonly key: string;
  readonly SOPInstanceUID: string | null;
  readonly outcome: 'reported' | 'skipped' | 'quarantined';
  readonly reason: FailureCode | null;
  /** Tag values that decided, without patient data. */
  readonly because: readonly string[];
  readonly view: View | null;
  readonly score: number | null;
  readonly decision: Decision | null;
}

/** A reading with its composed bytes, as it was first recorded. */
export interface Recorded {
  readonly reading: Reading;
  readonly artifacts: readonly Artifact[];
  readonly receipts: readonly Receipt[];
}

/** The record of readings and receipts. */
export interface Ledger {
  /** The newest recording of a study and model id. */
  latest(studyInstanceUid: string, modelId: string): Promise<Recorded | null>;
  /** Records before the first delivery. The bytes recorded first win: a second recording of the same ids gives back the first. */
  record(job: Job, reading: Reading, artifacts: readonly Artifact[]): Promise<Recorded>;
  receive(reading: Reading, receipts: readonly Receipt[]): Promise<void>;
  /** What became of every instance of the study in its last run. */
  recordOutcomes(job: Job, outcomes: readonly InstanceOutcome[]): Promise<void>;
}

/** A study as the HTTP API and the dashboard show it. */
export interface StudyRow {
  readonly job: Job;
  readonly modelId: string | null;
  readonly decision: Reading['decision'] | null;
  readonly score: number | null;
  readonly readAt: string | null;
  readonly instances: readonly InstanceOutcome[];
  readonly artifacts: readonly { readonly name: string; readonly id: string; readonly kind: ArtifactKind }[];
  readonly receipts: readonly Receipt[];
}

export interface StudyQuery {
  readonly state?: JobState;
  readonly decision?: Reading['decision'];
  readonly code?: string;
  readonly sort: 'score' | '-score' | 'updatedAt' | '-updatedAt';
  readonly limit: number;
  readonly offset: number;
}

/** What the HTTP API reads. */
export interface StudyBoard {
  find(query: StudyQuery): Promise<{ readonly total: number; readonly studies: readonly StudyRow[] }>;
  get(studyInstanceUid: string): Promise<StudyRow | null>;
  countsByState(): Promise<Readonly<Record<string, number>>>;
}

/** One JSON line on stderr per change of state; no UID, no name. */
export type Log = (line: Readonly<Record<string, string | number | boolean | null>>) => void;
