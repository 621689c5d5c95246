import { type Conclusion, concludeFilms, type Film, pixelsChanged } from '../core/conclude.ts';
import { identify } from '../core/ids.ts';
import type { Chosen, Job, Recorded } from '../core/ports.ts';
import { lookAt } from './look.ts';
import type { World } from './world.ts';

export async function conclude(world: World, job: Job, films: readonly Film[]): Promise<Conclusion | null> {
  await world.progress(job, 'read');
  const previous = await world.ledger.latest(job.studyInstanceUid, world.model.id);
  const conclusion = concludeFilms(films, {
    model: world.model,
    settings: world.settings,
    describe: world.describe,
    readAt: new Date(world.now()).toISOString(),
    previous,
    predecessor: previous && predecessorOf(previous, world.siteSecret),
    source: world.archive.name,
    demand: job.demand?.kind === 'replay' ? job.demand : null,
  });
  if (conclusion?.reading.images.some(({ flags }) => flags.includes(pixelsChanged))) world.alert(job, pixelsChanged);
  if (!conclusion || (conclusion.reading.images.length === 0 && !world.reportFailures)) return null;
  return conclusion;
}

/**
 * The SR that a later revision replaces: the newest one that reached an archive. None after a withdrawal: nothing of it goes into the
 * new one (PS3.3 C.17.2.2), and an archive that acted on the note does not show it.
 */
function predecessorOf({ reading, artifacts, receipts, withdrawn }: Recorded, siteSecret: string) {
  if (withdrawn) return null;
  const sr = artifacts.find(({ kind }) => kind === 'sr');
  if (!sr?.SOPClassUID || !receipts.some(({ artifact }) => artifact === sr.name)) return reading.predecessor;
  return {
    StudyInstanceUID: reading.study.StudyInstanceUID,
    SeriesInstanceUID: identify(reading, siteSecret).sr.SeriesInstanceUID,
    SOPInstanceUID: sr.id,
    SOPClassUID: sr.SOPClassUID,
  };
}

export async function record(
  world: World,
  job: Job,
  chosen: readonly Chosen[],
  { reading, pictures }: Conclusion,
): Promise<Recorded> {
  const identity = identify(reading, world.siteSecret);
  const { codes, gateway } = world;
  const artifacts = world.outputs.flatMap((output) => output.compose({ reading, identity, pictures, codes, gateway }));
  const recorded = await world.ledger.record(job, reading, artifacts);
  // Not before: a look without its reading would hide that the pixels changed.
  await lookAt(world, job, chosen);
  return recorded;
}
