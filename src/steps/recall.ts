import { type Film, showTheSame } from '../core/conclude.ts';
import { isMadeWith } from '../core/ids.ts';
import type { Chosen, Job, Recorded } from '../core/ports.ts';
import { isDue } from './deliver.ts';
import { explained, lookAt } from './look.ts';
import { takeOver } from './take-over.ts';
import { eligible, isAbout, type World } from './world.ts';

/**
 * The recorded reading stands while the films and their patient are the same; new settings and new weights do not reopen it (faults
 * 65 and 86). Null where the study must be read: for the first time, for new films, because a person wants it, or because nothing
 * that the archive lists explains why it was announced again (fault 3).
 */
export async function recall(world: World, job: Job, chosen: readonly Chosen[]): Promise<Recorded | null> {
  if (eligible(chosen).length === 0) return null;
  const recorded = await standing(world, job);
  if (recorded && isAbout(world, chosen, recorded.reading)) {
    return (await stillStands(world, job, chosen, recorded)) ? recorded : null;
  }
  const known = recorded?.reading.model.id === world.model.id ? recorded : await latest(world, job);
  const found = await takeOver(world, job, chosen, known);
  if (!found || !isAbout(world, chosen, found.reading)) return null;
  await lookAt(world, job, chosen);
  return job.demand?.kind === 'replay' ? null : found;
}

async function stillStands(world: World, job: Job, chosen: readonly Chosen[], recorded: Recorded): Promise<boolean> {
  if (job.demand?.kind === 'replay') return isOf(recorded, job);
  return recorded.withdrawn !== undefined || isDue(world, recorded) || (await explained(world, job, chosen));
}

/**
 * The recorded reading that the films, read again, have confirmed: then nothing is new (faults 2 and 64). A replay wants it made
 * with the present model and settings besides.
 */
export async function confirm(
  world: World,
  job: Job,
  chosen: readonly Chosen[],
  films: readonly Film[],
): Promise<Recorded | null> {
  const recorded = await standing(world, job);
  if (!recorded || recorded.withdrawn || !showTheSame(films, recorded.reading, world.describe)) return null;
  if (!isAbout(world, chosen, recorded.reading)) return null;
  if (job.demand?.kind === 'replay') {
    if (job.demand.force || !isMadeWith(recorded.reading, world.model, world.settings)) return null;
  }
  if (films.every(({ failure }) => !failure?.code.startsWith('reader-'))) await lookAt(world, job, chosen);
  return recorded;
}

/**
 * The newest reading. One of another model stands as well while its delivery is under way, so that a study ends with the model that
 * it began with, and when it was withdrawn.
 */
async function standing(world: World, job: Job): Promise<Recorded | null> {
  const newest = await world.ledger.latest(job.studyInstanceUid, null);
  if (!newest || newest.reading.model.id === world.model.id || newest.withdrawn || isDue(world, newest)) return newest;
  return latest(world, job);
}

const latest = ({ ledger, model }: World, { studyInstanceUid }: Job) => ledger.latest(studyInstanceUid, model.id);

/** A replay that was recorded is delivered, however often its run begins anew. */
const isOf = ({ reading, withdrawn }: Recorded, { demand }: Job): boolean =>
  !withdrawn && demand?.id !== undefined && reading.demand?.id === demand.id;
