import type { Artifact, ArtifactKind, Receipt, Retraction } from './artifact.ts';
import type { CodeName, Codes } from './codes.ts';
import type { FailureCode } from './failure.ts';
import type { ResultIdentity } from './ids.ts';
import type { Zone } from './lungs.ts';
import type { ProviderUse } from './provider.ts';
import type {
  ActivationMap,
  ContentSettings,
  ImageHeader,
  ModelIdentity,
  Picture,
  Reading,
  StudyHeader,
  View,
} from './reading.ts';
import type { Dataset, Instance, InstanceReference, PatientIdentity, Priority, StudyEvent } from './study.ts';

/** The edges of the product. Everything that waits, writes or may fail is handed in through one of these. */

export type * from './artifact.ts';
export type * from './work.ts';
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

/** What is known of the order of a study beyond its announcement. */
export interface Orders {
  /** By the headers of its films. Never rejects and answers within seconds: what cannot be found out is routine. */
  priority(headers: readonly Dataset[]): Promise<Priority>;
}

/** What the reader found in one file. */
export interface FilmReading {
  /** The header of the very instance analysed. */
  readonly header: Dataset;
  readonly pixelDigest: string;
  readonly score: number;
  readonly map: ActivationMap;
  readonly region: readonly (readonly [number, number])[];
  /** Where the map is hottest, if the film stands as usual; null when it has no positive value. */
  readonly zone: Zone | null;
  readonly picture: Picture;
  readonly flags: readonly string[];
  readonly provider: ProviderUse;
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

/** A statement that objects of ours are withdrawn, for the archive that holds them. */
export interface RejectionNote {
  /** Patient and study as the archive names them now. */
  readonly study: StudyHeader;
  readonly targets: readonly InstanceReference[];
  readonly identity: { readonly SeriesInstanceUID: string; readonly SOPInstanceUID: string };
  readonly reason: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly timezoneOffset: string | null;
  readonly model: ModelIdentity;
  readonly codes: Codes;
  readonly gateway: GatewayIdentity;
}

/** A composer: pure, one or more artifacts of one kind. */
export interface Output {
  readonly kind: ArtifactKind;
  compose(composition: Composition): readonly Artifact[];
}

export type KeepReceipts = (receipts: readonly Receipt[]) => Promise<unknown>;

export interface Destination {
  readonly name: string;
  readonly kinds: readonly ArtifactKind[];
  /**
   * Stores what is given and reads it back. Resolves only when every artifact is confirmed; else raises a Failure, after it has
   * given `keep` the receipts of those that are, so that only the others are sent again (fault 43).
   */
  deliver(artifacts: readonly Artifact[], keep?: KeepReceipts): Promise<readonly Receipt[]>;
  /**
   * Takes back what `deliver` stored of these artifacts: they are marked as made in error, never erased. Again changes nothing.
   * What a person has taken over raises a Failure. Absent where nothing can be taken back.
   */
  retract?(artifacts: readonly Artifact[], retraction: Retraction): Promise<readonly Receipt[]>;
}

/** One JSON line on stderr per change of state; no UID, no name. */
export type Log = (line: Readonly<Record<string, string | number | boolean | null>>) => void;
