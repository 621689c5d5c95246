import type { RejectionNote } from '../core/ports.ts';
import type { Dataset } from '../core/study.ts';
import { build, codeItem } from './build.ts';
import { code, composite, containerContent, image, text } from './content-item.ts';
import {
  contributingEquipment,
  equipment,
  hierarchicalReferences,
  patientAndStudy,
  referencedRequest,
  resultSeries,
  times,
} from './result-header.ts';
import { comprehensive3dSrStorage, keyObjectSelectionStorage } from './sop-classes.ts';

/**
 * The rejection note about withdrawn results: a Key Object Selection Document (PS3.3 A.35.4, TID 2010) as IHE IOCM has archives act on
 * it (RAD TF-2 4.66). Its title is "Rejected for Patient Safety Reasons": a result that was withdrawn may mislead whoever sees it, and
 * that title alone has an archive hide the objects without an exception. "For Quality Reasons" lets a site show them, and wants a
 * reason out of CID 7011, which is about exposures.
 */
export function rejectionNote(note: RejectionNote): Dataset {
  const { study, targets, identity, codes, gateway, model, at, timezoneOffset } = note;
  return build({
    ...patientAndStudy(study),
    ...equipment(gateway),
    ...times({ readAt: at, study, settings: { timezoneOffset } }),
    ...resultSeries.rejectionNote,
    SOPClassUID: keyObjectSelectionStorage,
    ...identity,
    ReferencedPerformedProcedureStepSequence: [],
    InstanceNumber: 1,
    ReferencedRequestSequence: referencedRequest(study),
    CurrentRequestedProcedureEvidenceSequence: hierarchicalReferences(targets),
    ContributingEquipmentSequence: contributingEquipment(model, codes),
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [codeItem(codes.rejectedForPatientSafety)],
    ...containerContent('2010'),
    ContentSequence: content(note),
  });
}

/** Images by IMAGE, documents by COMPOSITE (TID 2010 rows 7 and 9). */
function content({ targets, reason, codes }: RejectionNote): readonly Dataset[] {
  return [
    code('HAS CONCEPT MOD', codes.languageOfContent, codes.english),
    text('CONTAINS', codes.keyObjectDescription, `AI result withdrawn: ${reason}`),
    ...targets.map((target) =>
      target.SOPClassUID === comprehensive3dSrStorage ? composite('CONTAINS', target) : image('CONTAINS', null, target),
    ),
  ];
}
