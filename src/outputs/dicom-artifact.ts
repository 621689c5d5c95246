import { sha256 } from '../core/ids.ts';
import type { Artifact } from '../core/ports.ts';
import type { Dataset } from '../core/study.ts';
import { writePart10 } from '../dicom/part10-writer.ts';

/** A DICOM object as an artifact; the file is named as the artifact is. */
export function dicomArtifact({
  dataset,
  name,
  ...named
}: Pick<Artifact, 'kind' | 'name' | 'id'> & { readonly SOPClassUID: string; readonly dataset: Dataset }): Artifact {
  const bytes = writePart10(dataset);
  return { ...named, name, fileName: `${name}.dcm`, mediaType: 'application/dicom', bytes, sha256: sha256(bytes) };
}
