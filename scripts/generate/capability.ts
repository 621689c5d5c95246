import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the gateway, as a FHIR client, asks of a server (FHIR R4 CapabilityStatement, kind requirements). */

type Interaction = 'read' | 'create' | 'update' | 'search-type';

interface ResourceUse {
  readonly interactions: readonly Interaction[];
  /** Names and types of search parameters. */
  readonly search: Readonly<Record<string, 'token' | 'reference'>>;
  readonly documentation: string;
}

const byIdentifier = { identifier: 'token' } as const;
const found = (documentation: string): ResourceUse => ({
  interactions: ['search-type'],
  search: byIdentifier,
  documentation,
});
/** What is ours: created and searched for where the server gives the ids. */
const written = (documentation: string): ResourceUse => ({
  interactions: ['read', 'create', 'update', 'search-type'],
  search: byIdentifier,
  documentation,
});

const resources: Readonly<Record<string, ResourceUse>> = {
  Patient: found('Looked up by identifier; never created or changed.'),
  ServiceRequest: found(
    'Looked up by accession number and only used when its patient agrees; never created or changed.',
  ),
  ImagingStudy: written('An existing one of the same study is referenced untouched, else ours is written.'),
  Endpoint: written('Where the images are (WADO-RS).'),
  Device: written('The gateway and the model.'),
  Observation: written('One for each image read; entered-in-error once the report no longer rests on it.'),
  DiagnosticReport: written(
    'One for a study and a model, status preliminary; updated when images are added, never once a person has signed it.',
  ),
  Provenance: {
    ...written('Which model made the report from which study.'),
    search: { target: 'reference' },
  },
};

export function capabilityStatement(): Record<string, unknown> {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  return {
    resourceType: 'CapabilityStatement',
    name: 'CxrGatewayClient',
    title: 'cxr-gateway as a FHIR client',
    status: 'active',
    experimental: true,
    date: '2026-11-25',
    kind: 'requirements',
    software: { name: 'cxr-gateway', version },
    fhirVersion: '4.0.1',
    format: ['json'],
    rest: [
      {
        mode: 'client',
        documentation:
          'Results go out as one transaction of updates with ids that the client computes; on a server that does not allow ' +
          'update-as-create, as conditional updates on our identifiers; on one without transactions, resource by resource. Every result is marked as unreviewed AI output.',
        security: { description: 'HTTP Basic or a bearer token.' },
        resource: Object.entries(resources).map(([type, use]) => ({
          type,
          documentation: use.documentation,
          interaction: use.interactions.map((code) => ({ code })),
          ...(use.interactions.includes('update') ? { updateCreate: true, conditionalUpdate: true } : {}),
          searchParam: Object.entries(use.search).map(([name, kind]) => ({ name, type: kind })),
        })),
        interaction: [{ code: 'transaction' }],
      },
    ],
  };
}
