import { asFailure, Failure } from '../core/failure.ts';
import type { Artifact } from '../core/ports.ts';
import type { Dataset, InstanceReference } from '../core/study.ts';
import { type Row, text } from './dataset.ts';
import type { Dicomweb } from './dicomweb.ts';
import { patientIdentity } from './header.ts';
import { keywords } from './keywords.ts';
import { parsePart10 } from './part10.ts';

/** Whether an archive holds an object of ours, and as we sent it. */

/** An artifact with the names that it carries. */
export interface Sent {
  readonly artifact: Artifact;
  readonly reference: InstanceReference;
  readonly patientId: string | null;
}

/** What of an object names it. The rest of a report is long, and was looked at when it was made. */
const naming = new Set(
  (
    [
      'SpecificCharacterSet',
      'SOPClassUID',
      'SOPInstanceUID',
      'StudyInstanceUID',
      'SeriesInstanceUID',
      'PatientID',
      'IssuerOfPatientID',
    ] as const
  ).map((keyword): string => keywords[keyword][0]),
);

export function sentOf(artifact: Artifact): Sent {
  const { header } = parsePart10(artifact.bytes, naming);
  const uid = (keyword: keyof InstanceReference) => text(header, keyword) ?? '';
  const reference = {
    StudyInstanceUID: uid('StudyInstanceUID'),
    SeriesInstanceUID: uid('SeriesInstanceUID'),
    SOPInstanceUID: uid('SOPInstanceUID'),
    SOPClassUID: uid('SOPClassUID'),
  };
  if (reference.SOPInstanceUID !== artifact.id) {
    throw new Failure('internal', { where: artifact.name, expected: 'the SOP Instance UID of its id', got: 'another' });
  }
  return { artifact, reference, patientId: patientIdentity(header).PatientID };
}

/**
 * True: it is there, and whose, where and what it is are as we sent it. False: it is not there (yet).
 * Raises `pacs-altered` when the archive holds it under another patient, study, series or class.
 */
export async function isStored(dicomweb: Dicomweb, sent: Sent): Promise<boolean> {
  const { SOPInstanceUID } = sent.reference;
  const found = await ask(() => dicomweb.instanceMetadata(sent.reference), SOPInstanceUID);
  if (found) {
    requireUnaltered(found, sent, ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPClassUID']);
    const { PatientID } = patientIdentity(found);
    if (PatientID !== sent.patientId) throw altered(sent, 'PatientID');
    return true;
  }
  // An archive that puts objects under other UIDs hides ours from its own address.
  const includefield = [keywords.StudyInstanceUID[0], keywords.SeriesInstanceUID[0]].join(',');
  const elsewhere = await ask(() => dicomweb.searchInstances({ SOPInstanceUID, includefield }), SOPInstanceUID);
  if (elsewhere) requireUnaltered(elsewhere, sent, ['StudyInstanceUID', 'SeriesInstanceUID']);
  return false;
}

function requireUnaltered(found: Dataset, sent: Sent, named: readonly (keyof InstanceReference)[]): void {
  const other = named.find((keyword) => {
    const value = text(found, keyword);
    return value !== null && value !== sent.reference[keyword];
  });
  if (other) throw altered(sent, other);
}

const altered = ({ artifact }: Sent, keyword: string): Failure =>
  new Failure('pacs-altered', { where: artifact.name, expected: `${keyword} as sent`, got: 'another value' });

/** The data set of the object among what is found. An archive that cannot be asked this way has not shown it. */
async function ask(question: () => Promise<readonly Row[]>, sopInstanceUid: string): Promise<Dataset | null> {
  try {
    const found = await question();
    const ours = found.find((row) => !(row instanceof Failure) && text(row, 'SOPInstanceUID') === sopInstanceUid);
    return ours instanceof Failure ? null : (ours ?? null);
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.code === 'pacs-not-found' || failure.code === 'pacs-refused') return null;
    throw failure;
  }
}
