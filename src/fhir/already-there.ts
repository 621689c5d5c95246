import { type FhirClient, readOrNull } from './client.ts';
import { differences, referencedId } from './compare.ts';
import { rewriteReferences } from './references.ts';
import { bears, type Foreign, isId } from './search.ts';
import type { Standing } from './standing.ts';
import { localName, observationsIn, ownIdentifier, provenanceOf, reportOf } from './transaction.ts';
import type { ImagingStudy, Observation, Reference, TransactionBundle } from './types.ts';

/**
 * Whether a report that stands says already what is to be delivered (fault 70). A gateway that has lost its ledger reads a
 * study again and composes the same report with other times: nobody needs a second version of that.
 */

/** Times, and what is drawn up from the other elements and the times. */
const dated = ['id', 'issued', 'text', 'contained', 'presentedForm'];
/** What an Observation says about the image; the rest is how it was done. */
const told = [
  'resourceType',
  'meta',
  'identifier',
  'status',
  'code',
  'subject',
  'valueCodeableConcept',
  'dataAbsentReason',
];
/** Scores of two machines differ in the last digits; faults.md holds them to this. */
const sameScore = 1e-4;

/** `bundle`: linked and bound to the server. Nothing is there unless all of it is. */
export async function isThere(client: FhirClient, bundle: TransactionBundle, standing: Standing): Promise<boolean> {
  if (!standing.sameRevision || standing.takenOver !== null) return false;
  const observations = observationsIn(bundle).map((sent) => [sent, findOwn(sent, standing)] as const);
  if (!observations.every(([sent, stored]) => stored !== null && saysTheSame(sent, stored))) return false;
  const study = await ownStudyOf(client, bundle, standing);
  const names = new Map(observations.map(([sent, stored]) => [localName(sent), localName(stored!)]));
  if (study) names.set(localName(study.sent), localName(study.stored));
  const report = rewriteReferences(reportOf(bundle), renaming(names));
  return differences(report, standing.report, dated).length === 0 && (await hasProvenance(client, bundle, standing));
}

const findOwn = (sent: Observation, { observations }: Standing): Foreign | null =>
  observations.find((stored) => bears(stored, ownIdentifier(sent))) ?? null;

function saysTheSame(sent: Observation, stored: Foreign): boolean {
  const elements = Object.fromEntries(Object.entries(sent).filter(([element]) => told.includes(element)));
  if (differences(elements as unknown as Observation, stored).length > 0) return false;
  const [ours, theirs] = [sent, stored as Foreign & Partial<Observation>].map(scoreOf);
  return ours === theirs || Math.abs((ours ?? Number.NaN) - (theirs ?? Number.NaN)) <= sameScore;
}

const scoreOf = ({ component }: Partial<Observation>): number | undefined => component?.[0]?.valueQuantity?.value;

/** Our ImagingStudy under the id that the server has given it; null when the report rests on another. */
async function ownStudyOf(client: FhirClient, { entry }: TransactionBundle, { report, ids }: Standing) {
  const sent = entry.map(({ resource }) => resource).find(({ resourceType }) => resourceType === 'ImagingStudy');
  const id = referencedId(report.imagingStudy?.[0], 'ImagingStudy');
  if (!sent || ids === 'client' || !isId(id)) return null;
  const stored = (await readOrNull(client, 'ImagingStudy', id)) as Foreign | null;
  return stored && bears(stored, ownIdentifier(sent as ImagingStudy)) ? { sent, stored } : null;
}

/** The Provenance is written last: without it the delivery was broken off (fault 54). */
async function hasProvenance(
  client: FhirClient,
  bundle: TransactionBundle,
  { report, ids }: Standing,
): Promise<boolean> {
  if (ids === 'client') return (await readOrNull(client, 'Provenance', provenanceOf(bundle).id)) !== null;
  const searchParams = { target: `DiagnosticReport/${report.id}` };
  const { entry } = (await client.resourceSearch({ resourceType: 'Provenance', searchParams })) as {
    readonly entry?: readonly { readonly resource?: { readonly resourceType?: string } }[];
  };
  return entry?.some(({ resource }) => resource?.resourceType === 'Provenance') ?? false;
}

/** Puts the names that a server has given in the place of ours. */
export const renaming =
  (names: ReadonlyMap<string, string>) =>
  (reference: Reference): Reference => {
    const name = reference.reference && names.get(reference.reference);
    return name ? { ...reference, reference: name } : reference;
  };
