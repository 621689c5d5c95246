import { asFailure, Failure } from '../core/failure.ts';
import type { FhirClient } from './client.ts';
import { systems } from './coding.ts';
import { bears, type Foreign, findOne, isId } from './search.ts';
import { ownIdentifier, withdrawnEntry } from './transaction.ts';
import type {
  BundleEntry,
  DiagnosticReport,
  Identifier,
  Observation,
  Reference,
  Resource,
  TransactionBundle,
} from './types.ts';

/** The report as it stands at the server: before a delivery, so that nobody's work is overwritten, and after it. */

interface ReportAsRead extends Foreign {
  readonly result?: readonly Reference[];
  readonly conclusion?: string;
}

export interface Standing {
  readonly id: string;
  readonly status: string;
  readonly result: readonly Reference[];
  /** A person has signed or struck this very revision: it is theirs now. */
  readonly takenOver: boolean;
}

/** The report that the server has under our identity, or null. Raises `fhir-refused` when it is no longer ours to change. */
export async function standingReport(
  client: FhirClient,
  report: DiagnosticReport,
  ids: 'client' | 'conditional',
): Promise<Standing | null> {
  const found = await find(client, report, ids);
  if (!found) return null;
  if (!bears(found, ownIdentifier(report))) {
    throw refused('DiagnosticReport.identifier', 'the identifier of our report', 'a report that is not ours');
  }
  const status = typeof found.status === 'string' && /^[a-z-]{1,32}$/.test(found.status) ? found.status : 'unknown';
  const takenOver = status !== 'preliminary';
  if (takenOver && !bears(found, srIdentifier(report))) {
    throw refused('DiagnosticReport.status of the report before', 'preliminary', status);
  }
  return { id: found.id, status, result: found.result ?? [], takenOver };
}

async function find(client: FhirClient, report: DiagnosticReport, ids: 'client' | 'conditional') {
  if (ids === 'client') return readOrNull(client, 'DiagnosticReport', report.id) as Promise<ReportAsRead | null>;
  const match = await findOne(client, 'DiagnosticReport', ownIdentifier(report));
  if (match === 'several') {
    throw new Failure('fhir-conflict', {
      where: 'search of DiagnosticReport',
      expected: 'one of ours',
      got: 'several',
    });
  }
  return match === 'none' ? null : (match as ReportAsRead);
}

/** The SR of the revision: what tells two revisions of a report apart. */
function srIdentifier({ identifier }: DiagnosticReport): Identifier {
  return identifier.find(({ system }) => system === systems.dicomUid) ?? { value: '' };
}

const refused = (where: string, expected: string, got: string): Failure =>
  new Failure('fhir-refused', { where, expected, got });

async function readOrNull(client: FhirClient, resourceType: string, id: string): Promise<Resource | null> {
  try {
    return await client.read({ resourceType, id });
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === 'fhir-not-found') return null;
    throw failure;
  }
}

/** Observations of an earlier revision that the new one no longer names, struck out: an image left, or failed this time. */
export async function withdrawnEntries(
  client: FhirClient,
  standing: Standing,
  bundle: TransactionBundle,
  root: string,
): Promise<readonly BundleEntry[]> {
  const current = bundle.entry.map(({ resource }) => resource).filter((r) => r.resourceType === 'Observation');
  const entries: BundleEntry[] = [];
  for (const { reference } of standing.result) {
    const id = reference?.match(/^Observation\/(.*)$/)?.[1];
    if (!isId(id) || current.some((observation) => observation.id === id)) continue;
    const old = (await readOrNull(client, 'Observation', id)) as (Foreign & Observation) | null;
    const ours = old?.identifier?.some(({ system }) => system === systems.result);
    const kept = old && current.some((observation) => bears(old, ownIdentifier(observation)));
    if (old && ours && !kept && old.status === 'preliminary') entries.push(withdrawnEntry(old, root));
  }
  return entries;
}

/** Reads the report back. Raises `fhir-unconfirmed` unless it says what we sent, about whom we sent it. */
export async function requireStored(client: FhirClient, report: DiagnosticReport, id: string): Promise<void> {
  const stored = (await readOrNull(client, 'DiagnosticReport', id)) as ReportAsRead | null;
  const checks: Readonly<Record<string, boolean>> = {
    id: stored?.id === id,
    identifier: stored !== null && report.identifier.every((identifier) => bears(stored, identifier)),
    status: stored?.status === report.status,
    subject: stored?.subject !== undefined && sameSubject(stored.subject, report.subject),
    result: stored?.result?.length === report.result.length,
    conclusion: stored?.conclusion === report.conclusion,
  };
  const [wrong] = Object.keys(checks).filter((element) => !checks[element]);
  if (wrong === undefined) return;
  const got = stored === null ? 'no report' : 'another value';
  throw new Failure('fhir-unconfirmed', {
    where: `DiagnosticReport.${wrong} read back`,
    expected: 'what was sent',
    got,
  });
}

function sameSubject(stored: Reference, sent: Reference): boolean {
  if (sent.reference?.startsWith('#')) return stored.reference?.startsWith('#') ?? false;
  if (sent.reference)
    return stored.reference === sent.reference || (stored.reference?.endsWith(`/${sent.reference}`) ?? false);
  return stored.identifier?.value === sent.identifier?.value && stored.display === sent.display;
}
