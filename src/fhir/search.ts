import { Failure } from '../core/failure.ts';
import type { FhirClient } from './client.ts';
import type { Identifier, Reference, Resource } from './types.ts';

/** Search by identifier, strictly: what a server answers is believed only if it bears the identifier asked for. */

/** What we look at in resources that are not ours. */
export interface Foreign extends Resource {
  readonly id: string;
  readonly identifier?: readonly Partial<Identifier>[];
  readonly active?: boolean;
  readonly status?: string;
  readonly subject?: Reference;
  /** Of a ServiceRequest: routine, urgent, asap, stat. */
  readonly priority?: unknown;
  readonly extension?: readonly { readonly url: string }[];
  readonly text?: { readonly status?: string; readonly div: string };
}

export type Match = Foreign | 'none' | 'several';

/** More than this many answers are several, whoever they are. */
const pageSize = 20;

/** A search token; what would separate or escape is escaped (R4 3.1.1.3.2). */
export function searchToken(system: string | undefined, value: string): string {
  const escaped = (text: string) => text.replace(/[\\|,$]/g, '\\$&');
  return system === undefined ? escaped(value) : `${escaped(system)}|${escaped(value)}`;
}

/** The one resource of a type that bears the identifier. An identifier without system matches under any system. */
export async function findOne(
  client: FhirClient,
  resourceType: string,
  identifier: Pick<Identifier, 'system' | 'value'>,
  isMatch: (resource: Foreign) => boolean = () => true,
): Promise<Match> {
  const searchParams = { identifier: searchToken(identifier.system, identifier.value), _count: pageSize };
  const page = await client.resourceSearch({ resourceType, searchParams });
  const { found, more } = readPage(page, resourceType);
  const bearing = found.filter((resource) => bears(resource, identifier) && isMatch(resource));
  if (more) return 'several';
  const [only, ...others] = bearing;
  return only === undefined ? 'none' : others.length > 0 ? 'several' : only;
}

/** The first page of what bears the identifier. */
export async function findAll(
  client: FhirClient,
  resourceType: string,
  { system, value }: Pick<Identifier, 'system' | 'value'>,
): Promise<readonly Foreign[]> {
  const searchParams = { identifier: searchToken(system, value), _count: pageSize };
  return readPage(await client.resourceSearch({ resourceType, searchParams }), resourceType).found;
}

/** Whether a resource has the identifier, letter for letter. */
export function bears(resource: Foreign, { system, value }: Pick<Identifier, 'system' | 'value'>): boolean {
  const identifiers = Array.isArray(resource.identifier) ? resource.identifier : [];
  return identifiers.some((own) => own?.value === value && (system === undefined || own.system === system));
}

interface Page {
  readonly found: readonly Foreign[];
  readonly more: boolean;
}

function readPage(bundle: Resource, resourceType: string): Page {
  const { entry = [], link = [] } = bundle as {
    readonly entry?: readonly { readonly resource?: Foreign }[];
    readonly link?: readonly { readonly relation?: string }[];
  };
  if (bundle.resourceType !== 'Bundle' || !Array.isArray(entry) || !Array.isArray(link)) {
    const got = bundle.resourceType === 'Bundle' ? 'a malformed Bundle' : 'another resource';
    throw new Failure('fhir-not-fhir', { where: `search of ${resourceType}`, expected: 'a searchset Bundle', got });
  }
  const found = entry.flatMap(({ resource }) =>
    resource?.resourceType === resourceType && isId(resource.id) ? [resource] : [],
  );
  return { found, more: link.some(({ relation }) => relation === 'next') };
}

/** An id as FHIR allows it; anything else could lead a path astray. */
export function isId(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9\-.]{1,64}$/.test(id) && !/^\.+$/.test(id);
}
