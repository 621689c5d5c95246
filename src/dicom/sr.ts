import type { Composition } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { Dataset, InstanceReference } from '../core/study.ts';
import { build, codeItem } from './build.ts';
import { containerContent } from './content-item.ts';
import {
  algorithmOf,
  codeItems,
  contributingEquipment,
  equipment,
  hierarchicalReferences,
  patientAndStudy,
  referencedRequest,
  resultSeries,
  times,
} from './result-header.ts';
import { comprehensive3dSrStorage, secondaryCaptureImageStorage } from './sop-classes.ts';
import { measurementReport } from './sr-tree.ts';

/**
 * The Structured Report of a reading: Comprehensive 3D SR (PS3.3 A.35.13) with a Measurement Report (TID 1500) in it.
 * Written for negatives and for failures too, since a missing report must never mean "nothing found".
 */
export function structuredReport(composition: Composition): Dataset {
  const { reading, identity, codes, gateway } = composition;
  return build({
    ...patientAndStudy(reading.study),
    ...equipment(gateway),
    ...times(reading),
    ...resultSeries.sr,
    SOPClassUID: comprehensive3dSrStorage,
    ...identity.sr,
    ReferencedPerformedProcedureStepSequence: [],
    InstanceNumber: reading.revision,
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    AuthorObserverSequence: [author(reading)],
    ReferencedRequestSequence: referencedRequest(reading.study),
    PerformedProcedureCodeSequence: codeItems(reading.study.ProcedureCodeSequence),
    CurrentRequestedProcedureEvidenceSequence: hierarchicalReferences(evidence(composition)),
    PredecessorDocumentsSequence: reading.predecessor ? hierarchicalReferences([reading.predecessor]) : undefined,
    ContributingEquipmentSequence: contributingEquipment(reading.model, codes),
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [codeItem(codes.imagingMeasurementReport)],
    ...containerContent('1500'),
    ContentSequence: measurementReport(composition),
  });
}

/** The algorithm as author (PS3.3 table C.17-3b); the gateway itself stands in General Equipment. */
function author({ model }: Reading): Dataset {
  const { Manufacturer, ManufacturerModelName, DeviceUID } = algorithmOf(model);
  return build({
    ObserverType: 'DEV',
    DeviceUID,
    Manufacturer,
    ManufacturerModelName,
    StationName: null,
    InstitutionName: null,
    InstitutionCodeSequence: [],
  });
}

/** Every instance that the tree refers to, and the images that could not be read: the report is about them too. */
function evidence({ reading, identity, pictures }: Composition): readonly InstanceReference[] {
  const { StudyInstanceUID } = reading.study;
  const sources = reading.images.map(({ image }) => image);
  const heatmaps = sources
    .filter(({ SOPInstanceUID }) => pictures[SOPInstanceUID])
    .map(({ SOPInstanceUID }) => ({
      StudyInstanceUID,
      SeriesInstanceUID: identity.heatmapSeriesInstanceUID,
      SOPInstanceUID: identity.images[SOPInstanceUID]!.heatmapSOPInstanceUID,
      SOPClassUID: secondaryCaptureImageStorage,
    }));
  return [...sources, ...reading.failures, ...heatmaps];
}
