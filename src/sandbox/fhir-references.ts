import { Refusal } from './fhir-refusal.ts';
import { keyOf, latest, type Resource, type Tables } from './fhir-tables.ts';

/** Literal references of resources. */

/** A copy with every `reference` passed through a function. */
export function mapReferences<T>(value: T, change: (reference: string) => string): T {
  if (Array.isArray(value)) return value.map((item) => mapReferences(item, change)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    name === 'reference' && typeof inner === 'string' ? change(inner) : mapReferences(inner, change),
  ]);
  return Object.fromEntries(entries) as T;
}

/** The literal references in a value, in order. */
export function referencesOf(value: unknown): readonly string[] {
  const found: string[] = [];
  mapReferences(value, (reference) => {
    found.push(reference);
    return reference;
  });
  return found;
}

/** `Type/id` of a reference; absolute ones of this server lose their base, versioned ones their version. */
export function relative(reference: string, base: string): string {
  const path = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  return path.replace(/\/_history\/[^/]+$/, '');
}

/** Refuses a resource that refers to what is not there (400), as a server with referential integrity does. */
export function checkReferences(resource: Resource, tables: Pick<Tables, 'get'>): void {
  for (const reference of referencesOf(resource)) {
    if (reference.startsWith('#')) continue;
    const match = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/.exec(reference);
    if (!match) {
      throw new Refusal(
        400,
        'invalid',
        `${resource.resourceType} holds a reference that is neither local nor literal.`,
      );
    }
    if (!latest(tables, keyOf(match[1]!, match[2]!))) {
      throw new Refusal(400, 'not-found', `Resource ${reference} not found, specified in ${resource.resourceType}.`);
    }
  }
}
