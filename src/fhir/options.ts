import { z } from 'zod';

/** What a site sets about its FHIR server, beside the address and the credentials. */
export const fhirOptionsSchema = z.strictObject({
  patientIdentifierSystem: z
    .url()
    .optional()
    .describe('System of a PatientID without issuer; by default unknown, and no patient is ever linked by guess'),
  issuers: z
    .record(z.string().min(1), z.url())
    .default({})
    .describe('IssuerOfPatientID → identifier system; an issuer that is not listed is never linked'),
  accessionSystem: z.url().optional().describe('Identifier system of accession numbers; by default unknown'),
  onAmbiguousPatient: z
    .enum(['identifier', 'quarantine'])
    .default('identifier')
    .describe('Several patients under one identifier: report by identifier only, or stop the study for a person'),
  aiSecurityLabel: z
    .boolean()
    .default(false)
    .describe('meta.security AIAST on every AI result; a server that validates against R4 alone refuses it'),
  ids: z
    .enum(['auto', 'client', 'conditional'])
    .default('auto')
    .describe('Who gives ids: we (PUT), the server (conditional update), or whatever its CapabilityStatement allows'),
  transactions: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      'One transaction a report, or its resources one by one; auto: as the server says, or shows by refusing one',
    ),
});

export type FhirOptions = Readonly<z.output<typeof fhirOptionsSchema>>;

/** The options that decide how identifiers are written. */
export type IdentifierOptions = Pick<FhirOptions, 'patientIdentifierSystem' | 'issuers' | 'accessionSystem'>;

/** The options that decide what a report says. */
export interface ReportOptions extends IdentifierOptions, Pick<FhirOptions, 'aiSecurityLabel'> {
  /** DICOMweb root where an EHR can fetch the images; null: no Endpoint is written. */
  readonly wadoRoot: string | null;
}
