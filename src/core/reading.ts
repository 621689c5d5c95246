import type { Zone } from './lungs.ts';
import { turnOf } from './orientation.ts';
import type { ProviderUse } from './provider.ts';
import type { Code, Dataset, Demand, FailureNote, InstanceReference } from './study.ts';

/** What one model concluded about one study, and what it concluded it from. Plain values that survive JSON. */

export type Decision = 'present' | 'absent';
/** `undetermined`: no image of the study could be scored. Silence never means "absent". */
export type StudyDecision = Decision | 'undetermined';
export type View = 'PA' | 'AP' | 'frontal';

/** How the network computes: as it was trained, or in 8-bit integers, whose scores are a little different. */
export const precisions = ['float32', 'int8'] as const;
export type Precision = (typeof precisions)[number];

/** The model as all results name it. One source for SR, SC and FHIR, whose values must agree (IHE AIR, table 6.5.3.1-1). */
export interface ModelIdentity {
  /** Folder name in `models/`. */
  readonly id: string;
  readonly manufacturer: string;
  /** At most 64 characters (LO). */
  readonly name: string;
  readonly version: string;
  /** Hex SHA-256 of the weights. */
  readonly sha256: string;
  readonly precision: Precision;
  /** `2.25.` UID of the weights, and of the way they are used where that is not float32; equal at every site. */
  readonly deviceUid: string;
  readonly training: 'trained' | 'untrained';
  readonly preprocessing: string;
  readonly intendedUse: string;
}

/** Settings that change what a result says. Their digest is part of every identity. */
export interface ContentSettings {
  /** Threshold on p(opacity); at or above it the decision is `present`. */
  readonly operatingPoint: number;
  /** Longest side of the heat-map picture, pixels. */
  readonly heatmapMaxSide: number;
  /** Whether a positive result flags suspected COVID-19. */
  readonly flagSuspectedCovid: boolean;
  /** Value of "Procedure reported": the generic code passes every validator, the specific one is IHE AIR's wish. */
  readonly procedureReported: 'imagingProcedure' | 'plainChestRadiograph';
  /** Zone of the site, `+HHMM`; null when not set. */
  readonly timezoneOffset: string | null;
  /** JPEG 2000 films are decoded at the size that reading needs; left out where they are not, as older ledgers have it. */
  readonly reducedDecoding?: true;
}

/** Patient and study attributes copied from the instance analysed; null = absent or not fit for its VR. DICOM keywords verbatim. */
export interface StudyHeader {
  /** The source's own, where results are to be written in it; absent: results are in UTF-8 (ISO_IR 192). */
  readonly SpecificCharacterSet?: string;
  readonly StudyInstanceUID: string;
  /** Groups joined by `=`, components by `^` (PS3.5 6.2.1.2). */
  readonly PatientName: string | null;
  readonly PatientID: string | null;
  readonly IssuerOfPatientID: string | null;
  readonly OtherPatientIDsSequence: readonly Dataset[];
  readonly PatientBirthDate: string | null;
  readonly PatientSex: string | null;
  readonly PatientAge: string | null;
  readonly StudyDate: string | null;
  readonly StudyTime: string | null;
  /** `+HHMM` or `-HHMM`; null when the source has none. */
  readonly TimezoneOffsetFromUTC: string | null;
  readonly StudyID: string | null;
  readonly AccessionNumber: string | null;
  readonly StudyDescription: string | null;
  readonly ReferringPhysicianName: string | null;
  readonly RequestedProcedureID: string | null;
  readonly RequestedProcedureDescription: string | null;
  readonly PlacerOrderNumberImagingServiceRequest: string | null;
  readonly FillerOrderNumberImagingServiceRequest: string | null;
  readonly RequestedProcedureCodeSequence: readonly Code[];
  readonly ProcedureCodeSequence: readonly Code[];
}

/** Attributes of the image analysed. */
export interface ImageHeader extends InstanceReference {
  readonly Modality: 'CR' | 'DX';
  readonly SeriesNumber: number | null;
  readonly InstanceNumber: number | null;
  readonly Rows: number;
  readonly Columns: number;
  /** Row direction and column direction, for example `['L', 'F']`. */
  readonly PatientOrientation: readonly [string, string] | null;
  /** Vertical, horizontal; mm. */
  readonly PixelSpacing: readonly [number, number] | null;
  readonly ImagerPixelSpacing: readonly [number, number] | null;
  readonly AcquisitionDate: string | null;
  readonly AcquisitionTime: string | null;
  readonly BurnedInAnnotation: 'YES' | 'NO' | null;
  readonly LossyImageCompression: '00' | '01' | null;
  readonly LossyImageCompressionRatio: readonly number[];
  readonly LossyImageCompressionMethod: readonly string[];
}

/** The class activation at the model's last feature map: ReLU(Σ(w1−w0)ₖAₖ), unscaled. */
export interface ActivationMap {
  readonly columns: number;
  readonly rows: number;
  /** rows × columns, row by row, ≥ 0. */
  readonly values: readonly number[];
}

/** A picture file of the reader. */
export interface Picture {
  readonly columns: number;
  readonly rows: number;
  /** RGB, 8 bit, interleaved, columns × rows × 3 bytes. */
  readonly rgb: Uint8Array;
  /** The same picture as JPEG, for the html of the report. */
  readonly jpeg: Uint8Array;
}

export interface ImageReading {
  readonly image: ImageHeader;
  readonly view: View;
  /** p(opacity), 0 to 1. */
  readonly score: number;
  readonly decision: Decision;
  readonly map: ActivationMap;
  /**
   * Closed polyline around the salient region, [column, row] of the source matrix from 0.0, 0.0; the first point is repeated
   * at the end. The whole image when the map has no positive value or the decision is absent.
   */
  readonly region: readonly (readonly [number, number])[];
  /** Zone of the patient in which the map is hottest; null where the decision is absent or the film may not stand as usual. */
  readonly zone: Zone | null;
  /** Hex SHA-256 of the decoded stored values: two transfer syntaxes of one film agree. */
  readonly pixelDigest: string;
  /**
   * 1 at first; rises when the pixels under this SOP Instance UID change, and when the result before was withdrawn. The
   * heat-map's identity hangs on it.
   */
  readonly revision: number;
  /** What ran the network. It is told and changes no identity: a film that another provider reads again is the same object. */
  readonly provider: ProviderUse;
  /** What was left out or guessed while reading, as kebab-case words with a keyword: `omitted:StudyDescription`. */
  readonly flags: readonly string[];
}

/** An image that should have been read and was not. */
export interface ImageFailure extends InstanceReference {
  readonly failure: FailureNote;
}

export interface Reading {
  readonly model: ModelIdentity;
  readonly settings: ContentSettings;
  readonly study: StudyHeader;
  /** Sorted by SOP Instance UID. Empty when nothing could be scored. */
  readonly images: readonly ImageReading[];
  /** Quarantined images of the study, sorted likewise. */
  readonly failures: readonly ImageFailure[];
  /** `present` if any image is. */
  readonly decision: StudyDecision;
  /** Highest score of the images; null when there is none. */
  readonly score: number | null;
  /** SOP Instance UID of the image with the highest score. */
  readonly highestImage: string | null;
  /** RFC 3339 UTC, when the inference began. */
  readonly readAt: string;
  /** Rises when the images of the study or their pixels change, or a person has it read anew; 1 at first. */
  readonly revision: number;
  /** The SR of the revision before, if there is one. */
  readonly predecessor: InstanceReference | null;
  readonly source: string;
  /** The replay that asked for it; left out where a study was read by itself. */
  readonly demand?: Demand;
  /** Names that results already bore when they were found in the archive; later revisions carry them on. */
  readonly takenOver?: TakenOver;
}

/** Digest of pixels that nobody has looked at: those of a result that was found. It differs from none. */
export const unseenPixels = '';

/** Names of a result that was found in the archive and not made out of this ledger, perhaps under another site secret. */
export interface TakenOver {
  readonly sr: InstanceReference;
  /** The revision that `sr` is. */
  readonly revision: number;
  readonly heatmapSeriesInstanceUID: string | null;
  /** By SOP Instance UID of the source image. */
  readonly images: Readonly<
    Record<
      string,
      { readonly heatmapSOPInstanceUID: string | null; readonly trackingUid: string | null; readonly revision: number }
    >
  >;
  /** Null: the FHIR server had no report of it. */
  readonly diagnosticReportId: string | null;
}

/**
 * A score as every result carries it: six decimals, about what a float32 network resolves. The SR's DS holds 16 characters,
 * so that a longer one would be another number there than in FHIR.
 */
export function toScore(probability: number): number {
  return Math.round(probability * 1e6) / 1e6;
}

/** Decision of one image at an operating point. */
export function decide(score: number, operatingPoint: number): Decision {
  return score >= operatingPoint ? 'present' : 'absent';
}

/**
 * The zone that may be told: of a positive, and of a film that is known to be hung. An absent orientation is the usual one where the
 * header names PA or AP; one that breaks its rules (PS3.3 C.7.6.1.1.1) is unknown.
 */
export function zoneTold(
  zone: Zone | null,
  film: {
    readonly decision: Decision;
    readonly view: View;
    readonly image: ImageHeader;
    readonly flags: readonly string[];
  },
): Zone | null {
  if (film.decision !== 'present' || film.flags.includes('omitted:PatientOrientation')) return null;
  const orientation = film.image.PatientOrientation;
  const known = orientation ? turnOf(orientation) !== null : film.view !== 'frontal';
  return known ? zone : null;
}

/** Decision, highest score and its image for a study (design: present if any image is). */
export function concludeStudy(images: readonly ImageReading[]): Pick<Reading, 'decision' | 'score' | 'highestImage'> {
  const highest = images.reduce<ImageReading | null>(
    (best, image) => (best && best.score >= image.score ? best : image),
    null,
  );
  if (!highest) return { decision: 'undetermined', score: null, highestImage: null };
  const decision = images.some((image) => image.decision === 'present') ? 'present' : 'absent';
  return { decision, score: highest.score, highestImage: highest.image.SOPInstanceUID };
}
