import { createHash } from 'node:crypto';
import type { Composition } from '../core/ports.ts';
import { comment } from '../core/wording.ts';
import { concept, fhirConcept, systems } from './coding.ts';
import { toDateTime } from './datetime.ts';
import { gatewayDevice, modelDevice } from './device.ts';
import { reportHtml } from './html.ts';
import { endpoint, imagingStudy, takenAt, zoneOf } from './imaging-study.ts';
import { narrative } from './narrative.ts';
import { observations, resultMeta } from './observation.ts';
import type { ReportOptions } from './options.ts';
import { type Procedures, procedureConcept } from './procedures.ts';
import { orderReference, referenceTo, resultIdentifier, subjectOf, uidIdentifier } from './references.ts';
import { putEntry } from './transaction.ts';
import type {
  Attachment,
  CodeableConcept,
  DiagnosticReport,
  ImagingStudy,
  Observation,
  Provenance,
  TransactionBundle,
} from './types.ts';

/**
 * What an EHR gets: one transaction of devices, imaging study, an Observation an image, the DiagnosticReport and its
 * Provenance (FHIR R4). Patient and order are named by identifier; the destination makes them literal. Pure.
 */
export function composeReport(
  composition: Composition,
  procedures: Procedures,
  options: ReportOptions,
): TransactionBundle {
  const { reading, identity, codes, gateway } = composition;
  const archive = options.wadoRoot === null ? null : endpoint(options.wadoRoot, codes);
  const study = imagingStudy(reading, identity.imagingStudyId, codes, options, archive);
  const results = observations(composition, options);
  const report = diagnosticReport(composition, procedures, options, results, study);
  const resources = [
    gatewayDevice(gateway, identity),
    modelDevice(reading, identity),
    ...(archive ? [archive] : []),
    study,
    ...results,
    report,
    provenance(composition, options, [report, ...results], study),
  ];
  return { resourceType: 'Bundle', type: 'transaction', entry: resources.map((resource) => putEntry(resource)) };
}

function diagnosticReport(
  composition: Composition,
  procedures: Procedures,
  options: ReportOptions,
  results: readonly Observation[],
  study: ImagingStudy,
): DiagnosticReport {
  const { reading, identity } = composition;
  const basedOn = orderReference(reading.study, options);
  const effectiveDateTime = effective(reading);
  const conclusionCode = conclusionCodes(composition);
  return {
    resourceType: 'DiagnosticReport',
    id: identity.diagnosticReportId,
    meta: resultMeta(reading, options),
    text: { status: 'generated', div: narrative(reading) },
    ...subjectOf(reading.study, options),
    identifier: [resultIdentifier(identity.diagnosticReportId), uidIdentifier(identity.sr.SOPInstanceUID)],
    ...(basedOn.length > 0 ? { basedOn } : {}),
    status: 'preliminary',
    category: [
      fhirConcept(systems.diagnosticService, 'RAD', 'Radiology'),
      fhirConcept(systems.loinc, 'LP29684-5', 'Radiology'),
    ],
    code: procedureConcept(reading, procedures),
    ...(effectiveDateTime ? { effectiveDateTime } : {}),
    issued: reading.readAt,
    result: results.map(referenceTo),
    imagingStudy: [referenceTo(study)],
    conclusion: comment(reading),
    ...(conclusionCode.length > 0 ? { conclusionCode } : {}),
    presentedForm: [presentedForm(composition)],
  };
}

/** When the study was made; a study without a date takes the first that one of its images has. */
function effective(reading: Composition['reading']): string | null {
  const { StudyDate, StudyTime } = reading.study;
  const ofStudy = toDateTime(StudyDate, StudyTime, zoneOf(reading));
  return ofStudy ?? reading.images.map((image) => takenAt(image, reading)).find((date) => date !== null) ?? null;
}

/** Codes of a positive alone: the absence of an opacity does not rule COVID-19 out, so that a negative has none. */
function conclusionCodes({ reading, codes }: Composition): readonly CodeableConcept[] {
  if (reading.decision !== 'present') return [];
  const flag = reading.settings.flagSuspectedCovid ? [concept(codes.suspectedCovid19)] : [];
  return [concept(codes.abnormalOpacity), ...flag];
}

function presentedForm(composition: Composition): Attachment {
  const html = Buffer.from(reportHtml(composition), 'utf8');
  return {
    contentType: 'text/html',
    language: 'en',
    data: html.toString('base64'),
    size: html.length,
    hash: createHash('sha1').update(html).digest('base64'),
    title: 'Chest radiograph, AI reading (not reviewed)',
    creation: composition.reading.readAt,
  };
}

function provenance(
  { reading, identity }: Composition,
  options: ReportOptions,
  targets: readonly (DiagnosticReport | Observation)[],
  study: ImagingStudy,
): Provenance {
  const agent = (code: string, display: string, id: string) => ({
    type: fhirConcept(systems.participant, code, display),
    who: { reference: `Device/${id}` },
  });
  return {
    resourceType: 'Provenance',
    id: identity.provenanceId,
    meta: resultMeta(reading, options),
    target: targets.map(referenceTo),
    occurredDateTime: reading.readAt,
    recorded: reading.readAt,
    agent: [
      agent('author', 'Author', identity.modelDeviceId),
      agent('assembler', 'Assembler', identity.gatewayDeviceId),
    ],
    entity: [{ role: 'source', what: referenceTo(study) }],
  };
}
