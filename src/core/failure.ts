/**
 * Every way in which something is refused or goes wrong: code, class, and the sentence an operator reads.
 *
 * - `skip`: a rule says that the model must not read this; nothing is wrong.
 * - `quarantine`: stopped for a person; never tried again by itself.
 * - `transient`: the peer certainly did not accept; try again later.
 * - `ambiguous`: the peer may have accepted; ask it by UID, then send the same bytes again.
 * - `permanent`: trying again changes nothing until somebody mends a setting or a server.
 *
 * `conformance/failures.md` is generated from this table.
 */
export type FailureClass = 'skip' | 'quarantine' | 'transient' | 'ambiguous' | 'permanent';

interface Row {
  readonly class: FailureClass;
  readonly sentence: string;
}

const skip = (sentence: string): Row => ({ class: 'skip', sentence });
const quarantine = (sentence: string): Row => ({ class: 'quarantine', sentence });
const transient = (sentence: string): Row => ({ class: 'transient', sentence });
const ambiguous = (sentence: string): Row => ({ class: 'ambiguous', sentence });
const permanent = (sentence: string): Row => ({ class: 'permanent', sentence });

export const failures = {
  // selection
  'not-radiograph': skip('The SOP class or modality is not a CR or DX radiograph.'),
  'own-output': skip('The object was made by this gateway.'),
  'for-processing': skip('The image is FOR PROCESSING: raw detector data, not what a radiologist sees.'),
  'duplicate-exposure': skip('Another image of the same exposure is read instead.'),
  'secondary-image': skip('ImageType value 2 is SECONDARY: not an acquired image.'),
  'derived-processing': skip('The image was made by bone suppression, dual energy, CAD or the like.'),
  'not-chest': skip('The header names another body part than the chest.'),
  'body-part-unknown': skip('Nothing in the header says that this is a chest.'),
  'not-frontal': skip('The header names a lateral or oblique view.'),
  'view-unknown': skip('Nothing in the header says that this is a frontal view.'),
  'view-conflict': skip('ViewCodeSequence, ViewPosition and the texts name different views.'),
  mirrored: skip(
    'PatientOrientation says that the film is mirrored or turned and the site reads none, or names no directions of a frontal film.',
  ),
  'multi-frame': skip('The object has more than one frame.'),
  'not-grayscale': skip('The image is not single-sample MONOCHROME1 or MONOCHROME2.'),
  'no-pixels': skip('The object has no pixel data, or no Rows and Columns.'),
  'too-small': skip('The image is smaller than the model can use.'),
  'too-old': skip('The study is older than selection.maxStudyAgeDays.'),
  'too-young': skip('The patient is younger than selection.minAgeYears.'),
  'age-unknown': skip('The age is unknown and selection.unknownAge is skip.'),
  'quality-control': skip('A quality-control image, a phantom or an animal.'),
  rejected: skip('A rejection note of the archive lists this image.'),
  'no-eligible-image': skip('The study holds no image that the model may read.'),
  'nothing-to-retract': skip('The gateway has reported nothing about the study that could be taken back.'),
  'seen-before-start': skip('The study was in the archive before the gateway first started.'),

  // bytes and pixels
  'not-dicom': quarantine('The file is not DICOM.'),
  'malformed-dicom': quarantine('The DICOM data set breaks its own encoding rules, or lacks a UID.'),
  truncated: quarantine('The file or its pixel data ends early.'),
  'limit-exceeded': quarantine('The object is beyond the size, depth or element limits.'),
  'unsupported-transfer-syntax': quarantine('The pixel data is in a transfer syntax that the gateway does not decode.'),
  'decode-failed': quarantine('The codec could not decode the pixel data.'),
  'invalid-pixels': quarantine('The pixel module contradicts itself.'),
  'constant-image': quarantine('All pixels have the same value: nothing can be read from it.'),
  'half-exposed': quarantine('Half of the film shows one grey: it was not exposed, or not read out.'),
  saturated: quarantine('Most of the film is black or white.'),
  'inverted-pixels': quarantine(
    'Inverted, the pixels would look more like a chest than they do: the wrong polarity, or no chest.',
  ),
  'turned-pixels': quarantine(
    'Turned, the pixels would look more like a chest than they do: on its side or upside down, or no chest.',
  ),
  'no-chest-seen': quarantine('The pixels do not look like a frontal chest.'),
  'reader-crashed': quarantine('The reader process died twice on this image.'),
  'reader-timeout': quarantine('The image took longer than reader.timeoutSeconds.'),
  'reader-memory': quarantine('The image took more memory than reader.memoryLimitMiB.'),
  'model-invalid': quarantine('The model gave a score that is not a probability.'),

  // identity
  'identity-conflict': quarantine('One StudyInstanceUID stands under two patients.'),
  'invalid-identifier': quarantine('An identifier does not fit its VR; it is never shortened.'),
  'uid-conflict': quarantine('One SOP Instance UID names objects with different pixels.'),
  'wrong-object': quarantine('The archive sent another object than the one asked for.'),
  'patient-ambiguous': quarantine('The FHIR server has several patients under this identifier.'),
  'source-gone': quarantine('The study left the archive while it was being read.'),

  // PACS
  'pacs-unavailable': transient('The PACS could not be reached or answered with a server error.'),
  'pacs-timeout': transient('The PACS did not answer within its deadline.'),
  'pacs-busy': transient('The PACS asked to be called later.'),
  'pacs-incomplete': transient('The answer of the PACS ended early or breaks the multipart rules.'),
  'pacs-not-dicomweb': transient('The PACS answered with something that is not DICOMweb: a login page, perhaps.'),
  'pacs-unauthorized': transient('The PACS refused the credentials.'),
  'pacs-not-found': permanent('The PACS does not have what was asked for.'),
  'pacs-refused': permanent('The PACS refused the request.'),
  'pacs-too-large': permanent('The answer of the PACS, or the object sent to it, is over the size limit.'),
  'pacs-store-refused': permanent('The PACS refused to store one of our objects.'),
  'pacs-store-failed': transient('The PACS could not store one of our objects now.'),
  'pacs-unconfirmed': ambiguous('The PACS may have stored our objects, but they could not be read back yet.'),
  'pacs-altered': permanent('The PACS changed our object when it stored it.'),

  // FHIR
  'fhir-unavailable': transient('The FHIR server could not be reached or answered with a server error.'),
  'fhir-timeout': transient('The FHIR server did not answer within its deadline.'),
  'fhir-busy': transient('The FHIR server asked to be called later.'),
  'fhir-conflict': transient('The FHIR server met a version conflict.'),
  'fhir-incomplete': transient('The answer of the FHIR server ended early.'),
  'fhir-not-fhir': transient('The FHIR server answered with something that is not FHIR.'),
  'fhir-unauthorized': transient('The FHIR server refused the credentials.'),
  'fhir-version': permanent('The FHIR server speaks another version of FHIR than R4 or R4B.'),
  'fhir-not-found': permanent('The FHIR server does not have what was asked for.'),
  'fhir-refused': permanent('The FHIR server refused the resources.'),
  'fhir-too-large': permanent('The answer of the FHIR server, or the bundle sent to it, is over the size limit.'),
  'fhir-unconfirmed': ambiguous('The FHIR server may have stored the report, but it could not be read back yet.'),

  // house
  'config-invalid': permanent('The configuration is invalid.'),
  'store-locked': permanent('Another process holds the state folder.'),
  'store-failed': permanent('The state folder or the database of the jobs cannot be read or written.'),
  'claim-lost': transient("The study is not this run's any more: it was given back, or another gateway took it over."),
  'disk-full': transient('The disk of the state folder has no room; work goes on by itself when it has.'),
  'model-unusable': permanent('The model folder is incomplete, altered or not what its manifest says.'),
  'model-untrained': transient('The model is untrained and allowUntrained is not set.'),
  'provider-unavailable': transient('The provider that was asked for cannot run the network now.'),
  'identity-changed': transient('The patient of the study changed while it was being read; it is read again.'),
  'retries-exhausted': permanent('The work was retried for its whole retry window.'),
  'table-invalid': permanent('The table of images cannot be used.'),
  'images-unreadable': permanent('More images than one in a hundred could not be read.'),
  internal: permanent('A fault of the gateway itself; the log has the cause.'),
} as const satisfies Record<string, Row>;

export type FailureCode = keyof typeof failures;

/** Where and what, without patient data: `expected` and `got` are values of ours or of the standard, never of a patient. */
export interface FailureDetail {
  readonly where?: string;
  readonly expected?: string;
  readonly got?: string;
  /** Seconds that the peer asked us to wait. */
  readonly retryAfterSeconds?: number;
  /** HTTP status of the refusal, where code decides by it. */
  readonly status?: number;
  readonly cause?: unknown;
}

/** The one error that the gateway raises; anything else that is thrown counts as `internal`. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly class: FailureClass;
  readonly detail: FailureDetail;

  constructor(code: FailureCode, detail: FailureDetail = {}) {
    super(`${code}: ${describe(code, detail)}`, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.class = failures[code].class;
    this.detail = detail;
  }
}

/** The detail of a failure in one line: sentence, where, expected, got. */
export function describe(code: FailureCode, { where, expected, got }: FailureDetail): string {
  const parts: string[] = [failures[code].sentence];
  if (where !== undefined) parts.push(`Where: ${where}.`);
  if (expected !== undefined) parts.push(`Expected: ${expected}.`);
  if (got !== undefined) parts.push(`Got: ${got}.`);
  return parts.join(' ');
}

/** What was thrown, as a Failure; unknown errors become `internal` and keep their cause. */
export function asFailure(thrown: unknown): Failure {
  return thrown instanceof Failure ? thrown : new Failure('internal', { cause: thrown });
}

/** For a `catch`: a full disk passes, whoever works on waits for room; all else is raised again. */
export function unlessDiskFull(thrown: unknown): void {
  if (asFailure(thrown).code !== 'disk-full') throw thrown;
}

export function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(failures, code);
}
