import type { Chosen, Job } from '../core/ports.ts';
import { eligible, type World } from './world.ts';

/**
 * What an archive listed of a study when it was last looked at. An archive that overwrites an object announces the study again, and so
 * does one that has taken our results: the list tells the two apart without a film being fetched.
 */
interface Look {
  /** Digest of the header of each film, by key. */
  readonly films: Readonly<Record<string, string>>;
  /** Keys of our own objects, sorted. */
  readonly own: readonly string[];
}

/**
 * Whether the list says why the study was announced again: objects of ours came or went, and the films are listed as before. A
 * list without any difference explains nothing: a film may have been replaced by one with the same header.
 */
export async function explained(world: World, job: Job, chosen: readonly Chosen[]): Promise<boolean> {
  if (!world.again) return true;
  const before = (await world.again.looks.get(job.studyInstanceUid)) as Look | undefined;
  const now = lookOf(world.again.digestOf, chosen);
  // Who fills gaps knows of no change.
  const explains = job.source === 'backfill' || before?.own.join() !== now.own.join();
  if (before ? !sameFilms(before, now) || !explains : job.source !== 'backfill') return false;
  await world.again.looks.set(job.studyInstanceUid, now);
  return true;
}

/** Remembers the list; call it when a reading of these films is on the disk. */
export async function lookAt(world: World, job: Job, chosen: readonly Chosen[]): Promise<void> {
  await world.again?.looks.set(job.studyInstanceUid, lookOf(world.again.digestOf, chosen));
}

function lookOf(digestOf: NonNullable<World['again']>['digestOf'], chosen: readonly Chosen[]): Look {
  const films = eligible(chosen).map(({ instance: { key, header } }) => [key, header ? digestOf(header) : ''] as const);
  const own = chosen.flatMap(({ instance, choice }) =>
    choice.outcome !== 'eligible' && choice.code === 'own-output' ? [instance.key] : [],
  );
  return { films: Object.fromEntries(films), own: own.sort() };
}

const sameFilms = (a: Look, b: Look): boolean => {
  const keys = Object.keys(a.films);
  return keys.length === Object.keys(b.films).length && keys.every((key) => a.films[key] === b.films[key]);
};
