import type { Artifact, Composition, Output } from '../core/ports.ts';
import type { ImageReading, Picture } from '../core/reading.ts';
import { heatmapCapture } from '../dicom/secondary-capture.ts';
import { secondaryCaptureImageStorage } from '../dicom/sop-classes.ts';
import { dicomArtifact } from './dicom-artifact.ts';

/** One Grad-CAM picture an image that has one, numbered in the order of SOP Instance UIDs. */
export const heatmapSc: Output = { kind: 'heatmap', compose };

function compose(composition: Composition): readonly Artifact[] {
  return drawn(composition).map(({ entry, picture }, index) =>
    dicomArtifact({
      kind: 'heatmap',
      name: `heatmap-${index + 1}`,
      id: composition.identity.images[entry.image.SOPInstanceUID]!.heatmapSOPInstanceUID,
      SOPClassUID: secondaryCaptureImageStorage,
      dataset: heatmapCapture(entry, picture, index + 1, composition),
    }),
  );
}

/** The images of a reading are sorted already. */
function drawn({ reading, pictures }: Composition): readonly { entry: ImageReading; picture: Picture }[] {
  return reading.images.flatMap((entry) => {
    const picture = pictures[entry.image.SOPInstanceUID];
    return picture ? [{ entry, picture }] : [];
  });
}
