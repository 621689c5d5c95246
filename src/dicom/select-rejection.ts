import type { Dataset, Instance } from '../core/study.ts';
import { items, text } from './dataset.ts';
import { type Gate, refuse } from './select-gate.ts';
import type { SelectionRules } from './select-rules.ts';
import { conceptsOf, isOneOf } from './select-words.ts';

/** SOP Instance UIDs that the rejection notes of a study list (IHE RAD TF-2 4.66; PS3.16 CID 7010, 7011). */
export function rejectedUids(instances: readonly Instance[], rules: SelectionRules): ReadonlySet<string> {
  const notes = instances.flatMap(({ header }) => (header && isRejectionNote(header, rules) ? [header] : []));
  return new Set(notes.flatMap(referencedUids));
}

function isRejectionNote(header: Dataset, { images }: SelectionRules): boolean {
  const sopClass = text(header, 'SOPClassUID');
  const keyObjects = images.sopClasses.rejectionNote.some(({ uid }) => uid === sopClass);
  return (
    keyObjects && conceptsOf(header, 'ConceptNameCodeSequence').some((title) => isOneOf(title, images.rejectionTitles))
  );
}

/** Both the evidence and the content list the objects; some archives keep only one of them in their metadata. */
function referencedUids(note: Dataset): readonly string[] {
  const evidence = items(note, 'CurrentRequestedProcedureEvidenceSequence').flatMap((study) =>
    items(study, 'ReferencedSeriesSequence'),
  );
  const content = items(note, 'ContentSequence').flatMap((item) => [item, ...items(item, 'ContentSequence')]);
  return [...evidence, ...content]
    .flatMap((holder) => items(holder, 'ReferencedSOPSequence'))
    .flatMap((reference) => text(reference, 'ReferencedSOPInstanceUID') ?? []);
}

export const notRejected: Gate = (header, { rejected }) => {
  const uid = text(header, 'SOPInstanceUID');
  return uid !== null && rejected.has(uid) ? refuse('rejected', 'a rejection note of the study lists the image') : null;
};
