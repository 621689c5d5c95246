import { asFailure, Failure } from '../core/failure.ts';
import type { FhirClient } from './client.ts';
import type { FhirOptions } from './options.ts';
import type { Resource } from './types.ts';

/** What a server can do, by its own word (CapabilityStatement, R4 3.1.0.7) and by what it refuses. */

export interface Abilities {
  /** Whose ids its resources bear: ours, or its own. */
  readonly ids: 'client' | 'conditional';
  /** A report as one transaction, or resource by resource. */
  readonly writes: 'transaction' | 'sequence';
}

export interface KnownAbilities {
  /** Asks the server once. Raises `fhir-version`, which is asked again: a server can be upgraded. */
  ask(): Promise<Abilities>;
  /** The server has shown that its word does not hold. */
  learn(shown: Partial<Abilities>): void;
}

interface Statement extends Resource {
  readonly fhirVersion?: unknown;
  readonly rest?: readonly {
    readonly interaction?: readonly { readonly code?: string }[];
    readonly resource?: readonly {
      readonly type?: string;
      readonly updateCreate?: boolean;
      readonly conditionalUpdate?: boolean;
    }[];
  }[];
}

export function createAbilities(
  client: FhirClient,
  options: Pick<FhirOptions, 'ids' | 'transactions'>,
): KnownAbilities {
  let known: Abilities | null = null;
  return {
    async ask() {
      known ??= abilitiesOf(await statementOf(client), options);
      return known;
    },
    learn(shown) {
      if (known) known = { ...known, ...shown };
    },
  };
}

/** A server that has no statement is taken for an R4 server that does everything, until it refuses. */
async function statementOf(client: FhirClient): Promise<Statement | null> {
  try {
    return (await client.capabilityStatement()) as Statement;
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === 'fhir-not-found' || failure.code === 'fhir-refused') return null;
    throw failure;
  }
}

function abilitiesOf(
  statement: Statement | null,
  { ids, transactions }: Pick<FhirOptions, 'ids' | 'transactions'>,
): Abilities {
  requireR4(statement?.fhirVersion);
  const rest = statement?.rest?.[0];
  const report = rest?.resource?.find(({ type }) => type === 'DiagnosticReport');
  const own = ids === 'auto' ? (report?.updateCreate === false ? 'conditional' : 'client') : ids;
  const told = rest?.interaction?.map(({ code }) => code);
  const refused = told !== undefined && !told.includes('transaction');
  const needs = own === 'client' || report?.conditionalUpdate !== false;
  const auto = refused || !needs ? 'sequence' : 'transaction';
  return { ids: own, writes: transactions === 'auto' ? auto : transactions === 'always' ? 'transaction' : 'sequence' };
}

/**
 * R4 (4.0) and R4B (4.3), which leaves the types that we write as they were (R4B, "R4B diff"). A server that does not tell
 * is taken for R4. R5 renames DiagnosticReport.imagingStudy and more, R3 and older lack elements: both would store half.
 */
function requireR4(version: unknown): void {
  if (version === undefined || (typeof version === 'string' && /^4\.[03](\.\d{1,3})?$/.test(version))) return;
  const got = typeof version === 'string' && /^[\w.-]{1,32}$/.test(version) ? version : 'no version of FHIR';
  const where = 'CapabilityStatement.fhirVersion of the FHIR server';
  throw new Failure('fhir-version', { where, expected: '4.0 (R4) or 4.3 (R4B)', got });
}
