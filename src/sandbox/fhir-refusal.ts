/** Issue types of OperationOutcome that the store uses (FHIR R4, value set issue-type). */
export type IssueType =
  | 'invalid'
  | 'not-found'
  | 'not-supported'
  | 'conflict'
  | 'multiple-matches'
  | 'structure'
  | 'exception';

/** What the store answers instead of doing what it was asked for. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly issue: IssueType;

  constructor(status: number, issue: IssueType, message: string) {
    super(message);
    this.status = status;
    this.issue = issue;
  }
}

/** An OperationOutcome with one error. */
export function outcomeOf(issue: IssueType, diagnostics: string) {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: issue, diagnostics }] };
}
