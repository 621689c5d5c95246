import type { FilmWindow } from './lungs.ts';
import type { ActivationMap, ContentSettings, Picture } from './reading.ts';

/** What science asks of the reader: one file, one score, and what the network saw in it. Plain values. */

/** Attributes of a DICOM file that results are broken down by; null = absent. DICOM keywords verbatim. */
export interface ExaminationHeader {
  readonly ViewPosition: string | null;
  readonly Manufacturer: string | null;
  readonly ManufacturerModelName: string | null;
}

export interface Examination {
  /** p(opacity), 0 to 1, as the network gave it. */
  readonly score: number;
  /** Average of the last feature map; as many as the manifest says, 2,048 in a ResNet-101. */
  readonly features: Float32Array;
  /** Grad-CAM of p(opacity), unscaled. */
  readonly map: ActivationMap;
  /** The part of the film that the network saw: the map lies on it. */
  readonly window: FilmWindow;
  /** Hex SHA-256 of the file's bytes. */
  readonly fileDigest: string;
  /** Null for a JPEG or PNG, which has none. */
  readonly header: ExaminationHeader | null;
  /** The film under its heat-map, as a report shows it; null unless it was asked for. */
  readonly picture: Picture | null;
}

export interface ExaminationRequest {
  /** A DICOM file, a JPEG or a PNG; its bytes say which. */
  readonly path: string;
  readonly picture: boolean;
  readonly settings: ContentSettings;
}

export interface ExamineOptions {
  /** False by default: drawing takes its time. */
  readonly picture?: boolean;
}

/**
 * Examines one file. Raises a Failure of class `quarantine` when the file cannot be read, `model-unusable` when the model
 * cannot. Calls may be made at the same time; they wait for their turn.
 */
export type Examine = (path: string, options?: ExamineOptions) => Promise<Examination>;
