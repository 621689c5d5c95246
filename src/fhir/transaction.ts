import { createHash } from 'node:crypto';
import { Failure } from '../core/failure.ts';
import type { Resolved } from '../core/ports.ts';
import { locationOf, tagOf } from './client.ts';
import { systems } from './coding.ts';
import { linkReferences, rewriteReferences } from './references.ts';
import type { ReferenceKeys } from './resolver.ts';
import type {
  BundleEntry,
  DiagnosticReport,
  Identifier,
  ImagingStudy,
  Observation,
  Provenance,
  ReportResource,
  Resource,
  TransactionBundle,
} from './types.ts';

/** A recorded bundle, and what becomes of it on the way to one server. Pure. */

/** The recorded bytes; they were composed by us, so anything but a transaction is a fault of the store. */
export function parseTransaction(bytes: Uint8Array): TransactionBundle {
  const bundle = JSON.parse(new TextDecoder().decode(bytes)) as TransactionBundle;
  if (bundle.resourceType !== 'Bundle' || bundle.type !== 'transaction') {
    throw new Failure('internal', { where: 'recorded FHIR bundle', expected: 'a transaction', got: 'something else' });
  }
  return bundle;
}

/** The one resource of a type in the bundle. */
function only<R extends ReportResource>(bundle: TransactionBundle, resourceType: R['resourceType']): R {
  const entry = bundle.entry.find(({ resource }) => resource.resourceType === resourceType);
  if (!entry) throw new Failure('internal', { where: 'recorded FHIR bundle', expected: resourceType, got: 'none' });
  return entry.resource as R;
}

export const reportOf = (bundle: TransactionBundle): DiagnosticReport => only(bundle, 'DiagnosticReport');
export const provenanceOf = (bundle: TransactionBundle): Provenance => only(bundle, 'Provenance');

export const observationsIn = ({ entry }: TransactionBundle): readonly Observation[] =>
  entry.flatMap(({ resource }) => (resource.resourceType === 'Observation' ? [resource] : []));

/** The identifier that a resource of ours bears, and no other resource does. */
export function ownIdentifier(resource: { readonly identifier?: readonly Identifier[] }): Identifier {
  const own = resource.identifier?.find(({ system }) => system === systems.result);
  if (!own) throw new Failure('internal', { where: 'FHIR resource', expected: 'an identifier of ours', got: 'none' });
  return own;
}

/** By what the bundle names patient, order and study. */
export function keysOf(bundle: TransactionBundle): ReferenceKeys {
  const report = reportOf(bundle);
  const study = only<ImagingStudy>(bundle, 'ImagingStudy');
  const uid = study.identifier.find(({ system }) => system === systems.dicomUid)?.value ?? '';
  return {
    patient: report.subject.identifier ?? null,
    accession: report.basedOn?.[0]?.identifier ?? null,
    studyInstanceUid: uid.replace(/^urn:oid:/, ''),
    ownImagingStudy: ownIdentifier(study),
  };
}

/** Literal references where they are known; an ImagingStudy of the EHR takes the place of ours. */
export function linkTransaction(bundle: TransactionBundle, resolved: Resolved): TransactionBundle {
  const linked = linkReferences(bundle, resolved);
  if (resolved.imagingStudy === null) return linked;
  const own = `ImagingStudy/${only<ImagingStudy>(bundle, 'ImagingStudy').id}`;
  const theirs = `ImagingStudy/${resolved.imagingStudy}`;
  const kept = linked.entry.filter(
    ({ resource: { resourceType } }) => !['ImagingStudy', 'Endpoint'].includes(resourceType),
  );
  return rewriteReferences({ ...linked, entry: kept }, (reference) =>
    reference.reference === own ? { ...reference, reference: theirs } : reference,
  );
}

/**
 * Base of the `fullUrl`s of a recorded bundle, which belongs to no server yet. They must be absolute and like RESTful
 * addresses, or the relative references between the entries resolve to nothing (R4 2.36.4.1).
 */
export const unboundBase = 'http://localhost/fhir';

export const putEntry = <R extends Resource & { readonly id: string }>(
  resource: R,
  base: string = unboundBase,
  version: string | null = null,
): BundleEntry<R> => ({
  fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
  resource,
  request: {
    method: 'PUT',
    url: `${resource.resourceType}/${resource.id}`,
    ...(version === null ? {} : { ifMatch: `W/"${version}"` }),
  },
});

/** Versions of resources that stand at the server, by `Type/id`: an update of one goes against the version that was looked at. */
export type Versions = ReadonlyMap<string, string>;

/** The bundle as the server at `root` shall store it. */
export const bindTransaction = (
  bundle: TransactionBundle,
  root: string,
  versions: Versions = new Map(),
): TransactionBundle => ({
  ...bundle,
  entry: bundle.entry.map(({ resource }) => putEntry(resource, root, versions.get(localName(resource)) ?? null)),
});

/** `Type/id`, as references within the bundle have it. */
export const localName = ({ resourceType, id }: Resource): string => `${resourceType}/${id}`;

/** A transaction for a server that gives ids itself, and the Provenance, which has no identifier to go by. */
export interface ConditionalTransaction {
  readonly bundle: TransactionBundle<Resource>;
  readonly provenance: Provenance;
}

/**
 * Conditional updates on our own identifiers; references between the entries go by `fullUrl` (R4 3.1.0.11.1). What is `known`
 * to stand, by our `Type/id`, is updated under the id that the server gave it, against the version that was looked at.
 */
export function toConditional(
  bundle: TransactionBundle,
  known: ReadonlyMap<string, Known> = new Map(),
): ConditionalTransaction {
  const provenance = provenanceOf(bundle);
  const urls = new Map(
    bundle.entry.map(({ resource }) => {
      const found = known.get(localName(resource));
      return [localName(resource), found ? `${resource.resourceType}/${found.id}` : temporaryUrl(resource)];
    }),
  );
  const entry = bundle.entry
    .filter(({ resource }) => resource !== provenance)
    .map(({ resource }) => {
      const found = known.get(localName(resource));
      return found
        ? { ...putEntry({ ...resource, id: found.id }, unboundBase, found.version) }
        : conditionalEntry(resource as Exclude<ReportResource, Provenance>);
    });
  const rewritten = rewriteReferences({ resourceType: 'Bundle', type: 'transaction', entry } as const, (reference) => {
    const url = reference.reference && urls.get(reference.reference);
    return url ? { ...reference, reference: url } : reference;
  });
  return { bundle: rewritten, provenance };
}

/** A resource of ours as the server has it. */
export interface Known {
  readonly id: string;
  readonly version: string | null;
}

function conditionalEntry(resource: Exclude<ReportResource, Provenance>): BundleEntry {
  const { id: _, ...anonymous } = resource;
  const { system, value } = ownIdentifier(resource);
  const query = new URLSearchParams({ identifier: `${system}|${value}` });
  return {
    fullUrl: temporaryUrl(resource),
    resource: anonymous,
    request: { method: 'PUT', url: `${resource.resourceType}?${query}` },
  };
}

/** Name of an entry within one transaction; the server forgets it. */
function temporaryUrl({ resourceType, id }: ReportResource): string {
  const hex = createHash('sha256').update(`${resourceType}/${id}`).digest('hex');
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${groups.join('-')}`;
}

export interface StoredAt {
  readonly resourceType: string;
  readonly id: string;
  readonly version: string;
}

/** What the server says that it stored, entry by entry, in the order of the request (R4 3.1.0.11.2). */
export function readResponse(response: Resource, bundle: TransactionBundle<Resource>): readonly StoredAt[] {
  const { type, entry } = response as { readonly type?: unknown; readonly entry?: readonly ResponseEntry[] };
  if (response.resourceType !== 'Bundle' || type !== 'transaction-response' || !Array.isArray(entry)) {
    throw notFhir('a transaction-response', 'another resource');
  }
  if (entry.length !== bundle.entry.length) {
    throw notFhir(`${bundle.entry.length} entries`, `${entry.length} entries`);
  }
  return bundle.entry.map(({ resource }, index) => storedAt(resource, (entry as readonly ResponseEntry[])[index]));
}

interface ResponseEntry {
  readonly response?: { readonly status?: unknown; readonly location?: unknown; readonly etag?: unknown };
}

function storedAt({ resourceType, id }: Resource, entry: ResponseEntry | undefined): StoredAt {
  const { status, location, etag } = entry?.response ?? {};
  if (typeof status !== 'string' || !/^20[01]\b/.test(status))
    throw notFhir('status 200 or 201 of every entry', 'another');
  const path = typeof location === 'string' ? location : '';
  const named = locationOf(path);
  // A server that gives ids itself although ours were offered: by its location alone we know where the resource is.
  if (named?.resourceType !== resourceType && (path !== '' || id === undefined)) {
    throw notFhir(`the location of the stored ${resourceType}`, path === '' ? 'none' : 'another one');
  }
  return { resourceType, id: named?.id ?? id!, version: named?.version ?? tagOf(etag) ?? 'unknown' };
}

const notFhir = (expected: string, got: string): Failure =>
  new Failure('fhir-not-fhir', { where: 'answer to the transaction', expected, got });
