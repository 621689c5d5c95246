import type { Artifact, RejectionNote } from '../core/ports.ts';
import { rejectionNote } from '../dicom/rejection-note.ts';
import { keyObjectSelectionStorage } from '../dicom/sop-classes.ts';
import { dicomArtifact } from './dicom-artifact.ts';

/** The note that withdraws results of a study; no output of a reading. */
export function composeRejectionNote(note: RejectionNote): Artifact {
  return dicomArtifact({
    kind: 'rejection-note',
    name: 'rejection-note',
    id: note.identity.SOPInstanceUID,
    SOPClassUID: keyObjectSelectionStorage,
    dataset: rejectionNote(note),
  });
}
