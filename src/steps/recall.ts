import type { Chosen, Job, Recorded } from '../core/ports.ts';
import { takeOver } from './take-over.ts';
import { eligible, isAbout, type World } from './world.ts';

/** The recorded reading stands while the films and their patient are the same; new settings do not reopen it. */
export async function recall(world: World, job: Job, chosen: readonly Chosen[]): Promise<Recorded | null> {
  if (eligible(chosen).length === 0) return null;
  const recorded = await world.ledger.latest(job.studyInstanceUid, world.model.id);
  if (recorded && isAbout(world, chosen, recorded.reading)) return recorded;
  const found = await takeOver(world, job, chosen, recorded);
  return found && isAbout(world, chosen, found.reading) ? found : null;
}
