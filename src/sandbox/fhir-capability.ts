import { searchParameters } from './fhir-search.ts';

/** The CapabilityStatement of the store: what a client may rely on. */
export function capabilityStatement(clientIds: boolean, date: string) {
  const resource = Object.entries(searchParameters).map(([type, parameters]) => ({
    type,
    interaction: ['read', 'vread', 'create', 'update', 'search-type'].map((code) => ({ code })),
    versioning: 'versioned',
    readHistory: true,
    updateCreate: clientIds,
    conditionalCreate: true,
    conditionalUpdate: true,
    referencePolicy: ['literal', 'logical', 'enforced'],
    searchInclude: [
      '*',
      ...Object.entries(parameters).flatMap(([name, { kind }]) => (kind === 'reference' ? [`${type}:${name}`] : [])),
    ],
    searchParam: Object.entries(parameters).map(([name, { kind: type }]) => ({ name, type })),
  }));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date,
    kind: 'instance',
    software: { name: 'cxr-gateway sandbox' },
    implementation: { description: 'A store on loopback for demonstrations and tests; it validates no content' },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [{ mode: 'server', interaction: [{ code: 'transaction' }], resource }],
  };
}
