import type { Output } from '../core/ports.ts';
import { dicomSr } from './dicom-sr.ts';
import { createFhirReport, type FhirReportOptions } from './fhir-report.ts';
import { heatmapSc } from './heatmap-sc.ts';

export { codesSchema, parseCodes } from './codes.ts';
export { composeRejectionNote } from './rejection-note.ts';

/** What the site sets about its results, by output. */
export interface OutputOptions {
  readonly fhirReport: FhirReportOptions;
}

/** What is written back: one line an output. */
export function createOutputs({ fhirReport }: OutputOptions): readonly Output[] {
  return [dicomSr, heatmapSc, createFhirReport(fhirReport)];
}
