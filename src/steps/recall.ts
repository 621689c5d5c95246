import type { Chosen, Job, Recorded } from '../core/ports.ts';
import { takeOver } from './take-over.ts';
import { eligible, samePatient, type World } from './world.ts';

/** The recorded reading stands while the films and their patient are the same; new settings do not reopen it. */
export async function recall(world: World, job: Job, chosen: readonly Chosen[]): Promise<Recorded | null> {
  if (eligible(chosen).length === 0) return null;
  const recorded = await world.ledger.latest(job.studyInstanceUid, world.model.id);
  if (recorded && stands(world, chosen, recorded)) return recorded;
  const found = await takeOver(world, job, chosen, recorded);
  return found && stands(world, chosen, found) ? found : null;
}

function stands(world: World, chosen: readonly Chosen[], { reading: { images, failures, study } }: Recorded): boolean {
  const read = new Set([...images.map(({ image }) => image.SOPInstanceUID), ...failures.map((f) => f.SOPInstanceUID)]);
  const listed = eligible(chosen).map(({ instance }) => instance.header && world.describe(instance.header));
  const same = listed.every((film) => film && read.has(film.image.SOPInstanceUID) && samePatient(film.study, study));
  return same && new Set(listed.map((film) => film?.image.SOPInstanceUID)).size === read.size;
}
