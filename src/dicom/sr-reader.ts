import type { Codes } from '../core/codes.ts';
import { type FailureCode, isFailureCode } from '../core/failure.ts';
import type { Code, Dataset, InstanceReference } from '../core/study.ts';
import type { FoundImage, FoundResult } from '../core/take-over.ts';
import { code, codes as codesOf, items, number, text } from './dataset.ts';
import { patientIdentity } from './header.ts';
import { hierarchicalInstances } from './own-results.ts';
import { secondaryCaptureImageStorage } from './sop-classes.ts';

/** What a Structured Report of ours says, read out of its tree (`sr-tree.ts` writes it). Pure. */
export type ReportWords = Pick<FoundResult, 'readAt' | 'patient' | 'operatingPoint' | 'images' | 'failures'>;

/** Null when it does not say when it was made, or names an image without its score: then it is not one of ours. */
export function readReport(report: Dataset, codes: Codes): ReportWords | null {
  const readAt = instantOf(report);
  const evidence = hierarchicalInstances(report, 'CurrentRequestedProcedureEvidenceSequence');
  const groups = children(report, codes.imagingMeasurements).flatMap((list) => children(list, codes.measurementGroup));
  const images = groups.map((group) => imageOf(group, evidence, codes));
  if (readAt === null || images.some((image) => image === null)) return null;
  const measured = images.filter((image) => image !== null);
  return {
    readAt,
    patient: patientIdentity(report),
    operatingPoint: operatingPointOf(groups, codes),
    images: measured,
    failures: failuresOf(report, evidence, new Set(measured.map(({ SOPInstanceUID }) => SOPInstanceUID)), codes),
  };
}

function imageOf(group: Dataset, evidence: readonly InstanceReference[], codes: Codes): FoundImage | null {
  const SOPInstanceUID = referenced(group, codes.sourceOfMeasurement);
  const [value] = children(group, codes.probability).flatMap((item) => items(item, 'MeasuredValueSequence'));
  const score = value && (number(value, 'FloatingPointValue') ?? number(value, 'NumericValue'));
  const [judged] = children(group, codes.abnormalOpacity).flatMap((item) => codesOf(item, 'ConceptCodeSequence'));
  if (SOPInstanceUID === null || typeof score !== 'number' || score < 0 || score > 1 || !judged) return null;
  const [tracking] = children(group, codes.trackingUniqueIdentifier);
  const heatmapUid = referenced(group, codes.visualExplanation);
  return {
    SOPInstanceUID,
    score,
    decision: isSame(judged, codes.present) ? 'present' : 'absent',
    trackingUid: tracking ? text(tracking, 'UID') : null,
    heatmap: evidence.find((instance) => instance.SOPInstanceUID === heatmapUid) ?? null,
  };
}

/** Sources without a measurement: the report has a sentence for each (`failureSentence`). */
function failuresOf(
  report: Dataset,
  evidence: readonly InstanceReference[],
  measured: ReadonlySet<string>,
  codes: Codes,
): ReportWords['failures'] {
  const sentences = children(report, codes.qualitativeEvaluations)
    .flatMap((list) => children(list, codes.comment))
    .map((item) => text(item, 'TextValue') ?? '');
  return evidence
    .filter(
      (instance) => instance.SOPClassUID !== secondaryCaptureImageStorage && !measured.has(instance.SOPInstanceUID),
    )
    .map(({ SOPInstanceUID }) => ({ SOPInstanceUID, code: codeIn(sentences, SOPInstanceUID) }));
}

function codeIn(sentences: readonly string[], uid: string): FailureCode {
  const start = `Image ${uid} was not read: `;
  const [word = ''] = (sentences.find((sentence) => sentence.startsWith(start)) ?? '').slice(start.length).split('.');
  return isFailureCode(word) ? word : 'decode-failed';
}

function operatingPointOf(groups: readonly Dataset[], codes: Codes): number | null {
  const parameters = groups.flatMap((group) => children(group, codes.algorithmParameters));
  const words = parameters.map((item) => text(item, 'TextValue') ?? '');
  const threshold = Number(words.find((word) => word.startsWith('decision_threshold='))?.split('=')[1] ?? Number.NaN);
  return threshold >= 0 && threshold <= 1 ? threshold : null;
}

/** Content Date and Time in the zone that the report names; in UTC where it names none, as `times` writes them. */
function instantOf(report: Dataset): string | null {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(text(report, 'ContentDate') ?? '') ?? [];
  const [, hour, minute, second = '00', fraction = ''] =
    /^(\d\d)(\d\d)(\d\d)?(\.\d{1,6})?$/.exec(text(report, 'ContentTime') ?? '') ?? [];
  const [, sign = '+', zoneHour = '00', zoneMinute = '00'] =
    /^([+-])(\d\d)(\d\d)$/.exec(text(report, 'TimezoneOffsetFromUTC') ?? '') ?? [];
  const milliseconds = fraction.slice(0, 4);
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}${milliseconds}${sign}${zoneHour}:${zoneMinute}`;
  const instant = Date.parse(local);
  return Number.isNaN(instant) ? null : new Date(instant).toISOString();
}

function children(container: Dataset, name: Code): readonly Dataset[] {
  return items(container, 'ContentSequence').filter((item) => {
    const [concept] = items(item, 'ConceptNameCodeSequence');
    const named = concept ? code(concept) : null;
    return named !== null && isSame(named, name);
  });
}

function referenced(group: Dataset, name: Code): string | null {
  const [reference] = children(group, name).flatMap((item) => items(item, 'ReferencedSOPSequence'));
  return reference ? text(reference, 'ReferencedSOPInstanceUID') : null;
}

const isSame = (a: Code, b: Code): boolean =>
  a.CodeValue === b.CodeValue && a.CodingSchemeDesignator === b.CodingSchemeDesignator;
