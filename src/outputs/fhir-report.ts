import { sha256 } from '../core/ids.ts';
import type { Output } from '../core/ports.ts';
import type { ReportOptions } from '../fhir/options.ts';
import type { Procedures } from '../fhir/procedures.ts';
import { composeReport } from '../fhir/report.ts';

export interface FhirReportOptions {
  /** `mappings/procedures.json`. */
  readonly procedures: Procedures;
  readonly report: ReportOptions;
}

/** The report for the EHR: one FHIR transaction as JSON. */
export function createFhirReport({ procedures, report }: FhirReportOptions): Output {
  return {
    kind: 'fhir-bundle',
    compose(composition) {
      const { identity, reading } = composition;
      const bytes = Buffer.from(JSON.stringify(composeReport(composition, procedures, report)), 'utf8');
      return [
        {
          kind: 'fhir-bundle',
          name: 'fhir-bundle',
          fileName: 'fhir-bundle.json',
          mediaType: 'application/fhir+json',
          id: `${identity.diagnosticReportId}#${reading.revision}`,
          bytes,
          sha256: sha256(bytes),
        },
      ];
    },
  };
}
