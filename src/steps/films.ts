import type { Film } from '../core/conclude.ts';
import { asFailure, Failure } from '../core/failure.ts';
import type { Chosen, Job } from '../core/ports.ts';
import { decide, toScore, type View, zoneTold } from '../core/reading.ts';
import type { Instance } from '../core/study.ts';
import { eligible, type World } from './world.ts';

/** Reads the eligible images one after another. A quarantine is a fact about one film; anything else stops the run. */
export async function readFilms(world: World, job: Job, chosen: readonly Chosen[]): Promise<readonly Film[]> {
  await world.progress(job, 'selected');
  const films: Film[] = [];
  for (const { instance, view } of eligible(chosen)) {
    films.push(await readFilm(world, instance, view));
  }
  return films;
}

async function readFilm(world: World, instance: Instance, view: View): Promise<Film> {
  const path = await fetchFilm(world, instance);
  if (path instanceof Failure) return { instance, view, failure: path };
  try {
    const expectedSOPInstanceUID = instance.header && world.describe(instance.header).image.SOPInstanceUID;
    const film = await world.reader.read({ path, expectedSOPInstanceUID, settings: world.settings });
    const { study, image, flags } = world.describe(film.header);
    const score = toScore(film.score);
    const decision = decide(score, world.settings.operatingPoint);
    return {
      instance,
      view,
      study,
      picture: film.picture,
      reading: {
        image,
        view,
        score,
        decision,
        map: film.map,
        region: film.region,
        zone: zoneTold(film.zone, { image, view, decision, flags }),
        pixelDigest: film.pixelDigest,
        revision: 1,
        provider: film.provider,
        flags: [...film.flags, ...flags],
      },
    };
  } catch (thrown) {
    return { instance, view, failure: quarantineOrThrow(thrown) };
  } finally {
    await world.archive.release(path);
  }
}

async function fetchFilm({ archive }: World, instance: Instance): Promise<string | Failure> {
  try {
    return await archive.fetch(instance);
  } catch (thrown) {
    return quarantineOrThrow(thrown);
  }
}

function quarantineOrThrow(thrown: unknown): Failure {
  const failure = asFailure(thrown);
  if (failure.class !== 'quarantine' || failure.code === 'source-gone') throw failure;
  return failure;
}
