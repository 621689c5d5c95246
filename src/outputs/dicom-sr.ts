import type { Output } from '../core/ports.ts';
import { comprehensive3dSrStorage } from '../dicom/sop-classes.ts';
import { structuredReport } from '../dicom/sr.ts';
import { dicomArtifact } from './dicom-artifact.ts';

/** One Structured Report a reading. */
export const dicomSr: Output = {
  kind: 'sr',
  compose: (composition) => [
    dicomArtifact({
      kind: 'sr',
      name: 'sr',
      id: composition.identity.sr.SOPInstanceUID,
      SOPClassUID: comprehensive3dSrStorage,
      dataset: structuredReport(composition),
    }),
  ],
};
