import { Failure, type FailureCode } from '../core/failure.ts';

/**
 * What a FHIR server said against a request. Only codes and element paths are kept: diagnostics quote the values that they
 * complain about, and those may be a patient's.
 */

const mostIssues = 5;
const safeWord = /^[A-Za-z][\w-]{0,63}$/;
/** FHIRPath of an element, with HAPI's way of naming the resource between stars. */
const safePath = /^[\w.[\]()/*-]{1,160}$/;
const codeOfStatus: Readonly<Record<number, FailureCode>> = {
  400: 'fhir-refused',
  404: 'fhir-not-found',
  409: 'fhir-conflict',
  410: 'fhir-not-found',
  412: 'fhir-conflict',
  422: 'fhir-refused',
};

/** Statuses that the FHIR side judges itself; the others are the HTTP client's. */
export const judgedStatuses: readonly number[] = Object.keys(codeOfStatus).map(Number);

export function outcomeFailure(status: number, body: unknown, where: string): Failure {
  const issues = issuesOf(body);
  const got = issues.length > 0 ? `status ${status}: ${issues.join('; ')}` : `status ${status}`;
  return new Failure(codeOfStatus[status] ?? 'fhir-refused', { where, expected: 'success', got });
}

interface Issue {
  readonly severity?: unknown;
  readonly code?: unknown;
  readonly diagnostics?: unknown;
  readonly details?: { readonly coding?: readonly { readonly code?: unknown }[] };
  readonly expression?: unknown;
  readonly location?: unknown;
}

/** `structure Bundle.entry[2].resource.status (HAPI-1821)`, errors only. */
function issuesOf(body: unknown): readonly string[] {
  const { resourceType, issue } = (body ?? {}) as { readonly resourceType?: unknown; readonly issue?: unknown };
  if (resourceType !== 'OperationOutcome' || !Array.isArray(issue)) return [];
  return issue
    .filter((entry): entry is Issue => typeof entry === 'object' && entry !== null)
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .slice(0, mostIssues)
    .map(issueText);
}

function issueText({ code, diagnostics, details, expression, location }: Issue): string {
  const words = [code, details?.coding?.[0]?.code].filter(matches(safeWord));
  const paths = [expression, location].find(Array.isArray) ?? [];
  const path = (paths as unknown[]).find(matches(safePath));
  const hapi = typeof diagnostics === 'string' ? diagnostics.match(/\bHAPI-\d{4}\b/)?.[0] : undefined;
  return [...words, ...(path ? [path] : []), ...(hapi ? [`(${hapi})`] : [])].join(' ') || 'an issue without a code';
}

const matches =
  (pattern: RegExp) =>
  (value: unknown): value is string =>
    typeof value === 'string' && pattern.test(value);
