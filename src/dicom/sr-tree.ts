import type { CodeName, Codes, Composition } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { Dataset } from '../core/study.ts';
import { comment, failureSentence } from '../core/wording.ts';
import { code, container, text, uidReference } from './content-item.ts';
import { algorithmOf } from './result-header.ts';
import { imageLibrary } from './sr-image-library.ts';
import { measurementGroup } from './sr-measurement-group.ts';

/** The children of the root: Measurement Report, TID 1500. */
export function measurementReport(composition: Composition): readonly Dataset[] {
  const { reading, codes } = composition;
  const { images, study, settings } = reading;
  const measured = images.length > 0;
  return [
    code('HAS CONCEPT MOD', codes.languageOfContent, codes.english),
    ...observer(reading, codes),
    code('HAS CONCEPT MOD', codes.procedureReported, codes[settings.procedureReported]),
    ...(measured ? [imageLibrary(images, study, codes)] : []),
    ...(measured ? [imagingMeasurements(composition)] : []),
    qualitativeEvaluations(reading, codes),
  ];
}

/** TID 1004: the observer is the algorithm, under the same names as in ContributingEquipmentSequence. */
function observer({ model }: Reading, codes: Codes): readonly Dataset[] {
  const { Manufacturer, ManufacturerModelName, DeviceUID } = algorithmOf(model);
  return [
    code('HAS OBS CONTEXT', codes.observerType, codes.device),
    uidReference('HAS OBS CONTEXT', codes.deviceObserverUid, DeviceUID),
    text('HAS OBS CONTEXT', codes.deviceObserverName, model.id),
    text('HAS OBS CONTEXT', codes.deviceObserverManufacturer, Manufacturer),
    text('HAS OBS CONTEXT', codes.deviceObserverModelName, ManufacturerModelName),
  ];
}

function imagingMeasurements(composition: Composition): Dataset {
  const groups = composition.reading.images.map((entry) => measurementGroup(entry, composition));
  return container('CONTAINS', composition.codes.imagingMeasurements, groups);
}

/** Always there: without measurements TID 1500 needs it, and it says whether everything was read. */
function qualitativeEvaluations(reading: Reading, codes: Codes): Dataset {
  return container('CONTAINS', codes.qualitativeEvaluations, [
    code('CONTAINS', codes.processingSummary, codes[summaryOf(reading)]),
    text('CONTAINS', codes.comment, comment(reading)),
    ...reading.failures.map((failure) => text('CONTAINS', codes.comment, failureSentence(failure))),
  ]);
}

/** CID 6047. */
function summaryOf({ decision, images, failures }: Reading): CodeName {
  if (images.length === 0) return 'noneSucceeded';
  if (failures.length === 0) {
    return decision === 'present' ? 'allSucceededWithFindings' : 'allSucceededWithoutFindings';
  }
  return decision === 'present' ? 'notAllSucceededWithFindings' : 'notAllSucceededWithoutFindings';
}
