import { Failure } from '../core/failure.ts';
import type { TakeOverPorts } from '../core/take-over.ts';
import type { Http } from '../net/http.ts';
import { createFhirClient } from './client.ts';
import { systems } from './coding.ts';
import { uidIdentifier } from './references.ts';
import { findOne } from './search.ts';

/**
 * Finds our report by the SR that it names, whatever secret its id was made with. Raises `fhir-conflict` when several reports
 * of ours name it, and what the server's client raises.
 */
export function createReportFinder(http: Http, root: string): TakeOverPorts['report'] {
  const client = createFhirClient(http, root.replace(/\/+$/, ''));
  return async (srSopInstanceUids) => {
    for (const [index, uid] of srSopInstanceUids.entries()) {
      const isOurs = ({ identifier = [] }: { readonly identifier?: readonly { readonly system?: string }[] }) =>
        identifier.some(({ system }) => system === systems.result);
      const match = await findOne(client, 'DiagnosticReport', uidIdentifier(uid), isOurs);
      if (match === 'none') continue;
      if (match === 'several') {
        const detail = { where: 'search of DiagnosticReport', expected: 'one report of an SR', got: 'several' };
        throw new Failure('fhir-conflict', detail);
      }
      const own = match.identifier?.find(({ system }) => system === systems.result)?.value;
      if (own !== undefined) return { diagnosticReportId: own, current: index === 0 };
    }
    return null;
  };
}
