import { asFailure, Failure } from '../core/failure.ts';
import type { Artifact, Destination, Job, Receipt, Recorded } from '../core/ports.ts';
import { samePatient, type World } from './world.ts';

/** Each destination for itself: one that is down holds nothing back from another. */
export async function deliver(world: World, job: Job, recorded: Recorded): Promise<void> {
  const due = world.destinations
    .map((destination) => ({ destination, artifacts: withoutReceipt(recorded, destination) }))
    .filter(({ artifacts }) => artifacts.length > 0);
  if (due.length === 0) return;
  await requireSamePatient(world, recorded);
  await world.progress(job, 'delivering');
  const attempts = due.map(async ({ destination, artifacts }) => {
    const keep = (receipts: readonly Receipt[]) => world.ledger.receive(recorded.reading, receipts);
    await keep(await destination.deliver(artifacts, keep));
  });
  const failures = (await Promise.allSettled(attempts)).flatMap((attempt) =>
    attempt.status === 'rejected' ? [asFailure(attempt.reason)] : [],
  );
  const worthRetrying = failures.find((failure) => failure.class === 'transient' || failure.class === 'ambiguous');
  const failure = worthRetrying ?? failures[0];
  if (failure) throw failure;
}

/** Whether something of the reading waits for a destination. */
export const isDue = ({ destinations }: World, recorded: Recorded): boolean =>
  destinations.some((destination) => withoutReceipt(recorded, destination).length > 0);

/** Failures after which an archive surely does not hold what was sent as it was sent. */
const surelyNotStored: readonly string[] = [
  'pacs-store-refused',
  'pacs-refused',
  'pacs-too-large',
  'pacs-altered',
  'identity-changed',
];

/**
 * What was begun at the archives is brought to its end before a later revision is made: an SR without a receipt may be stored all
 * the same, and the next one must name it, or the study has two that count. Raises what may pass; a refusal ends it.
 */
export async function finish(world: World, job: Job, recorded: Recorded): Promise<void> {
  const archives = world.destinations.filter(({ kinds }) => kinds.includes('sr'));
  try {
    await deliver({ ...world, destinations: archives }, job, recorded);
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (!surelyNotStored.includes(failure.code)) throw failure;
  }
}

function withoutReceipt({ artifacts, receipts }: Recorded, { name, kinds }: Destination): readonly Artifact[] {
  const stored = (artifact: Artifact) =>
    receipts.some((receipt: Receipt) => receipt.artifact === artifact.name && receipt.destination === name);
  return artifacts.filter((artifact) => kinds.includes(artifact.kind) && !stored(artifact));
}

/** Re-reads whose study it is, just before something is written under that name (faults 5 and 8, T19). */
async function requireSamePatient({ archive }: World, { reading: { study } }: Recorded): Promise<void> {
  const patients = await archive.patients(study.StudyInstanceUID);
  const [patient] = patients;
  if (!patient) throw new Failure('source-gone');
  const distinct = new Set(
    patients.map(({ PatientID, IssuerOfPatientID }) => JSON.stringify([PatientID, IssuerOfPatientID])),
  );
  if (distinct.size > 1) throw new Failure('identity-conflict', { where: 'the patients that the archive names' });
  if (!samePatient(patient, study)) throw new Failure('identity-changed');
}
