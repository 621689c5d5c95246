import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the gateway, as a FHIR client, asks of a server (FHIR R4 CapabilityStatement, kind requirements). */

interface ResourceUse {
  readonly interactions: readonly ('read' | 'update' | 'search-type')[];
  readonly searchParams?: readonly string[];
  readonly documentation: string;
}

const resources: Readonly<Record<string, ResourceUse>> = {
  Patient: {
    interactions: ['search-type'],
    searchParams: ['identifier'],
    documentation: 'Looked up by identifier; never created or changed.',
  },
  ServiceRequest: {
    interactions: ['search-type'],
    searchParams: ['identifier'],
    documentation: 'Looked up by accession number and only used when its patient agrees; never created or changed.',
  },
  ImagingStudy: {
    interactions: ['read', 'update', 'search-type'],
    searchParams: ['identifier'],
    documentation: 'An existing one of the same study is referenced untouched, else ours is written.',
  },
  Endpoint: { interactions: ['update'], documentation: 'Where the images are (WADO-RS).' },
  Device: { interactions: ['update'], documentation: 'The gateway and the model.' },
  Observation: { interactions: ['update'], documentation: 'One for each image read.' },
  DiagnosticReport: {
    interactions: ['read', 'update'],
    documentation: 'One for a study and a model, status preliminary; updated when images are added.',
  },
  Provenance: { interactions: ['update'], documentation: 'Which model made the report from which study.' },
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
          'update-as-create, as conditional updates on our identifiers. Every result is marked as unreviewed AI output.',
        security: { description: 'HTTP Basic or a bearer token.' },
        resource: Object.entries(resources).map(([type, use]) => ({
          type,
          documentation: use.documentation,
          interaction: use.interactions.map((code) => ({ code })),
          ...(use.interactions.includes('update') ? { updateCreate: true, conditionalUpdate: true } : {}),
          ...(use.searchParams ? { searchParam: use.searchParams.map((name) => ({ name, type: 'token' })) } : {}),
        })),
        interaction: [{ code: 'transaction' }],
      },
    ],
  };
}
