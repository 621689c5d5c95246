import { Failure, type FailureCode } from '../core/failure.ts';

/**
 * What a FHIR server said against a request. Only severities, codes and element paths are kept: diagnostics quote the values
 * that they complain about, and those may be a patient's.
 */

const mostIssues = 5;
/** Issue types of R4 (value set issue-type); a word that is none of them is free text. */
const issueTypes = new Set(
  `invalid structure required value invariant security login unknown expired forbidden suppressed processing not-supported
  duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule conflict transient
  lock-error no-store exception timeout incomplete throttled informational`.split(/\s+/),
);
/** Message ids of the specification and of the HL7 validator, which HAPI has built in. */
const messageSystems = new Set([
  'http://terminology.hl7.org/CodeSystem/operation-outcome',
  'http://hl7.org/fhir/java-core-messageId',
]);
const safeWord = /^[A-Za-z][\w-]{0,63}$/;
/** FHIRPath of an element of what we send: names and indexes alone. */
const safePath =
  /^(?=.{1,160}$)(?:Bundle|Device|Endpoint|ImagingStudy|Observation|DiagnosticReport|Provenance)(?:[\w.[\]()]|\/\*[A-Za-z]+\*\/)*$/;
const codeOfStatus: Readonly<Record<number, FailureCode>> = {
  400: 'fhir-refused',
  404: 'fhir-not-found',
  405: 'fhir-refused',
  409: 'fhir-conflict',
  410: 'fhir-not-found',
  412: 'fhir-conflict',
  422: 'fhir-refused',
  501: 'fhir-refused',
};

/** Statuses that the FHIR side judges itself; the others are the HTTP client's. */
export const judgedStatuses: readonly number[] = Object.keys(codeOfStatus).map(Number);

export function outcomeFailure(status: number, body: unknown, where: string): Failure {
  const issues = issuesOf(body);
  const got = issues.length > 0 ? `status ${status}: ${issues.join('; ')}` : `status ${status}`;
  return new Failure(codeOfStatus[status] ?? 'fhir-refused', { where, expected: 'success', got, status });
}

/** Whether a refusal says that the server does not do such a thing at all, whatever it is asked to do it with. */
export function isUnsupported({ code, detail: { status, got = '' } }: Failure): boolean {
  if (code !== 'fhir-refused' && code !== 'fhir-not-found') return false;
  return status === 404 || status === 405 || status === 501 || / not-supported\b/.test(got);
}

interface Issue {
  readonly severity?: unknown;
  readonly code?: unknown;
  readonly diagnostics?: unknown;
  readonly details?: { readonly coding?: unknown };
  readonly expression?: unknown;
  readonly location?: unknown;
}

/** `error structure Bundle.entry[2].resource.status (HAPI-1821)`, errors only. */
function issuesOf(body: unknown): readonly string[] {
  const { resourceType, issue } = (body ?? {}) as { readonly resourceType?: unknown; readonly issue?: unknown };
  if (resourceType !== 'OperationOutcome' || !Array.isArray(issue)) return [];
  return issue
    .filter((entry): entry is Issue => typeof entry === 'object' && entry !== null)
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .slice(0, mostIssues)
    .map(issueText);
}

function issueText({ severity, code, diagnostics, details, expression, location }: Issue): string {
  const type = typeof code === 'string' && issueTypes.has(code) ? [code] : [];
  const paths = ([expression, location].find(Array.isArray) ?? []) as readonly unknown[];
  const path = paths.map(withoutIds).find((text) => safePath.test(text));
  const hapi = typeof diagnostics === 'string' ? diagnostics.match(/\bHAPI-\d{4}\b/)?.[0] : undefined;
  return [
    String(severity),
    ...type,
    ...messageOf(details?.coding),
    ...(path ? [path] : []),
    ...(hapi ? [`(${hapi})`] : []),
  ].join(' ');
}

/** HAPI names type and id of a resource between stars; the id may be one of the EHR's. */
const withoutIds = (path: unknown): string =>
  typeof path === 'string' ? path.replace(/\/\*([A-Za-z]+)\/[^*]*\*\//g, '/*$1*/') : '';

function messageOf(coding: unknown): readonly string[] {
  const [first] = Array.isArray(coding)
    ? (coding as readonly { readonly system?: unknown; readonly code?: unknown }[])
    : [];
  const known = typeof first?.system === 'string' && messageSystems.has(first.system);
  return known && typeof first.code === 'string' && safeWord.test(first.code) ? [first.code] : [];
}
