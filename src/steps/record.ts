import { hasClockFlag, withClockFlags } from '../core/clock-order.ts';
import { type Conclusion, concludeFilms, type Film, pixelsChanged } from '../core/conclude.ts';
import { identify } from '../core/ids.ts';
import type { Artifact, Chosen, Job, Recorded } from '../core/ports.ts';
import { finish } from './deliver.ts';
import { lookAt } from './look.ts';
import type { World } from './world.ts';

export async function conclude(world: World, job: Job, films: readonly Film[]): Promise<Conclusion | null> {
  await world.progress(job, 'read');
  const previous = await finished(world, job);
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
  if (conclusion?.reading.images.some(({ flags }) => flags.includes(pixelsChanged))) world.alert?.(pixelsChanged, job);
  if (!conclusion || (conclusion.reading.images.length === 0 && !world.reportFailures)) return null;
  const reading = withClockFlags(conclusion.reading);
  if (hasClockFlag(reading)) world.alert?.('clock-behind', job);
  return { ...conclusion, reading };
}

/** The reading that this one follows, its SR at the archives if it can be; what was withdrawn is sent to nobody. */
async function finished(world: World, job: Job): Promise<Recorded | null> {
  const latest = () => world.ledger.latest(job.studyInstanceUid, world.model.id);
  const previous = await latest();
  if (!previous || previous.withdrawn) return previous;
  await finish(world, job, previous);
  return latest();
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
  conclusion: Conclusion,
): Promise<Recorded> {
  const recorded = await world.ledger.record(job, conclusion.reading, composed(world, conclusion));
  // Not before: a look without its reading would hide that the pixels changed.
  await lookAt(world, job, chosen);
  return recorded;
}

/** Every output of a conclusion. */
export function composed(world: World, { reading, pictures }: Conclusion): readonly Artifact[] {
  const identity = identify(reading, world.siteSecret);
  const { codes, gateway } = world;
  return world.outputs.flatMap((output) => output.compose({ reading, identity, pictures, codes, gateway }));
}
