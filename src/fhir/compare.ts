import { Failure } from '../core/failure.ts';
import { type FhirClient, readOrNull } from './client.ts';
import { systems } from './coding.ts';
import type { CodeableConcept, Coding, Reference, Resource } from './types.ts';

/** What was sent beside what a server keeps: it may add and order as it likes, and lose nothing. Pure but for the reading. */

type Elements = Readonly<Record<string, unknown>>;

/** What no reader may find another way than we wrote it; all the rest is worth a warning. */
const keyElements: Readonly<Record<string, readonly string[]>> = {
  DiagnosticReport: ['id', 'identifier', 'status', 'subject', 'result', 'conclusion'],
  Observation: ['id', 'identifier', 'status', 'subject', 'valueCodeableConcept', 'dataAbsentReason'],
};

/** Names of the elements of `sent` that `stored` does not hold as they were sent. */
export function differences(sent: Resource, stored: Resource, except: readonly string[] = []): readonly string[] {
  const kept = stored as unknown as Elements;
  return Object.entries(sent)
    .filter(([element]) => element !== 'resourceType' && !except.includes(element))
    .filter(([element, value]) => !holds(value, kept[element], element))
    .map(([element]) => element);
}

function holds(sent: unknown, stored: unknown, element: string): boolean {
  if (Array.isArray(sent)) {
    if (!Array.isArray(stored) || (element === 'result' && sent.length !== stored.length)) return false;
    return sent.every((item) => stored.some((kept) => holds(item, kept, '')));
  }
  if (typeof sent === 'object' && sent !== null) {
    if (typeof stored !== 'object' || stored === null) return false;
    return Object.entries(sent).every(([name, value]) => holds(value, (stored as Elements)[name], name));
  }
  if (sent === stored) return true;
  if (typeof sent !== 'string' || typeof stored !== 'string') return false;
  return element === 'reference' ? sameReference(sent, stored) : sameInstant(sent, stored);
}

/** A server may write absolute references, and may number contained resources anew. */
function sameReference(sent: string, stored: string): boolean {
  if (sent.startsWith('#')) return stored.startsWith('#');
  const bare = stored.replace(/\/_history\/[^/]*$/, '');
  return bare === sent || bare.endsWith(`/${sent}`);
}

const instant = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/;
const sameInstant = (sent: string, stored: string): boolean =>
  instant.test(sent) && instant.test(stored) && Date.parse(sent) === Date.parse(stored);

/** What the server did with one resource, for the receipt. */
export interface ReadBack {
  readonly id: string;
  /** `DiagnosticReport.extension`: another value, or none. */
  readonly altered: readonly string[];
  /** Labels of ours that the server kept from an earlier version although they were not sent again. */
  readonly staleLabels: readonly Coding[];
}

/** Reads a resource back. Raises `fhir-unconfirmed` unless its key elements say what was sent. */
export async function readBack(client: FhirClient, sent: Resource, id: string): Promise<ReadBack> {
  const { resourceType } = sent;
  const stored = await readOrNull(client, resourceType, id);
  const changed = stored === null ? ['id'] : differences({ ...sent, id }, stored, ['text', 'contained']);
  const wrong = (keyElements[resourceType] ?? []).find(
    (element) => changed.includes(element) && !(stored && says(element, sent, stored)),
  );
  if (wrong !== undefined) {
    throw new Failure('fhir-unconfirmed', {
      where: `${resourceType}.${wrong} read back`,
      expected: 'what was sent',
      got: stored === null ? `no ${resourceType === 'DiagnosticReport' ? 'report' : 'resource'}` : 'another value',
    });
  }
  return {
    id,
    altered: changed.map((element) => `${resourceType}.${element}`),
    staleLabels: stored === null ? [] : staleLabels(sent, stored),
  };
}

/** Whether an element that is not as it was sent still says the same: the same subject, the same codes. */
function says(element: string, sent: Resource, stored: Resource): boolean {
  const [ours, theirs] = [sent, stored].map((resource) => (resource as unknown as Elements)[element]);
  if (ours === undefined || theirs === undefined) return false;
  if (element === 'subject') return sameSubject(theirs as Reference, ours as Reference);
  const { coding } = ours as CodeableConcept;
  return (
    coding !== undefined &&
    holds(
      coding.map(({ system, code }) => ({ system, code })),
      (theirs as CodeableConcept).coding,
      '',
    )
  );
}

function sameSubject(stored: Reference, sent: Reference): boolean {
  if (sent.reference) return holds(sent.reference, stored.reference, 'reference');
  return stored.identifier?.value === sent.identifier?.value && stored.display === sent.display;
}

function staleLabels(sent: Resource, stored: Resource): readonly Coding[] {
  const labels = (resource: Resource) => (resource.meta?.tag ?? []).filter(({ system }) => system === systems.label);
  const current = labels(sent).map(({ code }) => code);
  return labels(stored).filter(({ code }) => !current.includes(code));
}

/** `Type/id` of a reference to that type, absolute or relative; null for any other. */
export function referencedId(reference: Reference | undefined, resourceType: string): string | null {
  const match = reference?.reference?.match(/(?:^|\/)([A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/);
  return match?.[1] === resourceType ? match[2]! : null;
}
