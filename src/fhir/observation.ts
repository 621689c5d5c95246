import type { CodeName, Composition } from '../core/ports.ts';
import type { ImageReading, Reading } from '../core/reading.ts';
import {
  failureSentence,
  findingSentence,
  providerSentence,
  reviewNotice,
  scoreNotice,
  untrainedNotice,
  zoneSentences,
} from '../core/wording.ts';
import { coding, concept, fhirConcept, systems } from './coding.ts';
import { toDateTime } from './datetime.ts';
import { takenAt, zoneOf } from './imaging-study.ts';
import type { ReportOptions } from './options.ts';
import { resultIdentifier, subjectOf, uidIdentifier } from './references.ts';
import type { CodeableConcept, Coding, Meta, Observation, ObservationComponent, Quantity } from './types.ts';

/** The finding, once for each image; for a study of which no image could be scored, once, without a value. */

/** Labels of every AI result. A server may keep old tags, so that none is ever worded as a good sign. */
export function resultMeta({ model }: Reading, { aiSecurityLabel }: ReportOptions): Meta {
  const tag: Coding[] = [
    { system: systems.label, code: 'ai-output-not-reviewed', display: 'AI output, not reviewed' },
    ...(model.training === 'untrained'
      ? [{ system: systems.label, code: 'untrained-model', display: 'UNTRAINED MODEL' }]
      : []),
  ];
  const ai = { system: systems.observationValue, code: 'AIAST', display: 'Artificial Intelligence asserted' };
  return { tag, ...(aiSecurityLabel ? { security: [ai] } : {}) };
}

const interpretations = {
  present: ['POS', 'Positive'],
  absent: ['NEG', 'Negative'],
  undetermined: ['IND', 'Indeterminate'],
} as const satisfies Record<Reading['decision'], readonly [string, string]>;

const valueNames = { present: 'present', absent: 'absent' } as const satisfies Record<string, CodeName>;

export function observations(composition: Composition, options: ReportOptions): readonly Observation[] {
  const { images } = composition.reading;
  return images.length > 0
    ? images.map((image) => imageObservation(composition, options, image))
    : [undetermined(composition, options)];
}

function imageObservation(composition: Composition, options: ReportOptions, image: ImageReading): Observation {
  const { reading, identity, codes } = composition;
  const { SOPInstanceUID } = image.image;
  const { observationId, trackingUid, heatmapSOPInstanceUID } = identity.images[SOPInstanceUID]!;
  const effectiveDateTime = takenAt(image, reading);
  return {
    ...common(composition, options),
    id: observationId,
    identifier: [uidIdentifier(trackingUid), resultIdentifier(observationId)],
    ...(effectiveDateTime ? { effectiveDateTime } : {}),
    valueCodeableConcept: {
      coding: [coding(codes[valueNames[image.decision]])],
      text: findingSentence(image.decision, reading.settings),
    },
    interpretation: [interpretation(image.decision)],
    note: [
      ...notes(reading, scoreNotice),
      {
        text: `Image urn:oid:${SOPInstanceUID} (${image.view}); heat-map urn:oid:${heatmapSOPInstanceUID}. ${[...zoneSentences(image), providerSentence(image)].join(' ')}`,
      },
    ],
    derivedFrom: [{ reference: `ImagingStudy/${identity.imagingStudyId}`, display: `Image ${SOPInstanceUID}` }],
    component: [probability(composition, image)],
  };
}

/** Nothing could be scored: no value, a reason, and the images by their codes. */
function undetermined(composition: Composition, options: ReportOptions): Observation {
  const { reading, identity } = composition;
  const { StudyDate, StudyTime } = reading.study;
  const id = `${identity.diagnosticReportId}-undetermined`;
  const effectiveDateTime = toDateTime(StudyDate, StudyTime, zoneOf(reading));
  return {
    ...common(composition, options),
    id,
    identifier: [resultIdentifier(id)],
    ...(effectiveDateTime ? { effectiveDateTime } : {}),
    dataAbsentReason: fhirConcept(systems.dataAbsentReason, 'error', 'Error'),
    interpretation: [interpretation('undetermined')],
    note: [
      ...notes(reading, findingSentence('undetermined', reading.settings)),
      ...reading.failures.map((failure) => ({ text: failureSentence(failure) })),
    ],
    derivedFrom: [{ reference: `ImagingStudy/${identity.imagingStudyId}` }],
  };
}

function common({ reading, identity, codes }: Composition, options: ReportOptions) {
  const { model, study, readAt } = reading;
  return {
    resourceType: 'Observation',
    meta: resultMeta(reading, options),
    ...subjectOf(study, options),
    status: 'preliminary',
    category: [fhirConcept(systems.observationCategory, 'imaging', 'Imaging')],
    code: {
      ...concept(codes.abnormalOpacity, codes.opacityRadLex, codes.opacityRadElement),
      text: 'Airspace opacity (AI)',
    },
    issued: readAt,
    bodySite: concept(codes.lung),
    method: { text: `${model.name} ${model.version}, class probability of one image` },
    device: { reference: `Device/${identity.modelDeviceId}` },
  } as const;
}

function interpretation(decision: Reading['decision']): CodeableConcept {
  const [code, display] = interpretations[decision];
  return fhirConcept(systems.interpretation, code, display);
}

function notes({ model }: Reading, sentence: string): readonly { readonly text: string }[] {
  const untrained = model.training === 'untrained' ? [{ text: untrainedNotice }] : [];
  return [...untrained, { text: `${sentence} ${reviewNotice}` }, { text: `Intended use: ${model.intendedUse}` }];
}

/** The score as the SR has it, unrounded; only the sentences round. */
function probability({ reading, codes }: Composition, { score }: ImageReading): ObservationComponent {
  const { operatingPoint } = reading.settings;
  const quantity = (value: number): Quantity => ({
    value,
    unit: '1',
    system: systems.ucum,
    code: codes.noUnits.CodeValue,
  });
  return {
    code: concept(codes.probability),
    valueQuantity: quantity(score),
    referenceRange: [
      { high: quantity(operatingPoint), text: 'Operating point: at or above it the finding counts as present' },
    ],
  };
}
