import type { Output } from '../core/ports.ts';
import { dicomSr } from './dicom-sr.ts';
import { heatmapSc } from './heatmap-sc.ts';

export { codesSchema, parseCodes } from './codes.ts';

/**
 * What is written back, in the order of composing. The FHIR report is handed in, since it is made from the options of
 * the site (identifier systems, links).
 */
export function createOutputs({ fhirReport }: { readonly fhirReport?: Output } = {}): readonly Output[] {
  return [dicomSr, heatmapSc, ...(fhirReport ? [fhirReport] : [])];
}
