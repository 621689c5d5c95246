import { concludeFilms, type Film, outcomeOf } from '../core/conclude.ts';
import { Failure } from '../core/failure.ts';
import { sha256 } from '../core/ids.ts';
import type { Artifact, Chosen, Destination, Job, Receipt, Recorded } from '../core/ports.ts';
import { concludeStudy, type Reading } from '../core/reading.ts';
import type { FoundReport, FoundResult } from '../core/take-over.ts';
import { readFilms } from './films.ts';
import { foundReading, isUnderOwnSecret } from './found-reading.ts';
import { composed, conclude, record } from './record.ts';
import { eligible, isAbout, type World } from './world.ts';

/**
 * The archive holds a report of this model that the ledger does not know (faults 70 and 71): the store was lost or restored, or
 * another gateway wrote it, perhaps under another secret. It is entered in the ledger under the names that it bears, as delivered.
 * Films are read again only when the report is about these very films and something of it is missing at a destination; what the
 * report says stands then, and only what is missing goes out. Else it is the revision that the next one follows.
 */
export async function takeOver(
  world: World,
  job: Job,
  chosen: readonly Chosen[],
  known: Recorded | null,
): Promise<Recorded | null> {
  const listed = chosen.map(({ instance }) => instance);
  const found = await world.takeOver?.result(job.studyInstanceUid, listed, known?.reading.revision ?? 0);
  if (!world.takeOver || !found) return null;
  const report = await world.takeOver.report([found.sr.SOPInstanceUID, ...found.older]);
  const reading = foundReading(world, chosen, found, report);
  if (!reading) return null;
  const whole = isWhole(found, report) || !isAbout(world, chosen, reading);
  const underOwnSecret = isUnderOwnSecret(reading, found, world.siteSecret);
  world.takeOver.tell(job, { revision: found.revision, underOwnSecret, whole });
  const taken: Taken = { world, job, chosen, found, report, reading };
  return whole ? enter(taken) : complete(taken);
}

interface Taken {
  readonly world: World;
  readonly job: Job;
  readonly chosen: readonly Chosen[];
  readonly found: FoundResult;
  readonly report: FoundReport | null;
  readonly reading: Reading;
}

/** A report that a person has struck stays the last word about its films: nothing is added to it. */
function isWhole({ rejected, images, stored }: FoundResult, report: FoundReport | null): boolean {
  const drawn = images.every(({ heatmap }) => heatmap === null || stored.has(heatmap.SOPInstanceUID));
  return rejected || (report?.current === true && drawn);
}

/** The report alone, as delivered: pictures and FHIR report are where they belong. */
async function enter({ world, job, chosen, found, reading }: Taken): Promise<Recorded> {
  const { SOPInstanceUID: id, SOPClassUID } = found.sr;
  const { bytes } = found;
  const named = { kind: 'sr', name: 'sr', fileName: 'sr.dcm', mediaType: 'application/dicom' } as const;
  await world.ledger.record(job, reading, [{ ...named, id, SOPClassUID, bytes, sha256: sha256(bytes) }]);
  await world.ledger.recordOutcomes(
    job,
    chosen.map((entry) => outcomeOf(entry, filmsOf(chosen, reading))),
  );
  return receive(world, reading, ['sr']);
}

/** The films that the report tells of, for the outcome of each. */
function filmsOf(chosen: readonly Chosen[], { images, failures, study }: Reading): readonly Film[] {
  const picture = { columns: 0, rows: 0, rgb: new Uint8Array(), jpeg: new Uint8Array() };
  return eligible(chosen).flatMap(({ instance, view }): Film[] => {
    const reading = images.find(({ image }) => image.SOPInstanceUID === instance.key);
    if (reading) return [{ instance, view, reading, study, picture }];
    const failed = failures.find(({ SOPInstanceUID }) => SOPInstanceUID === instance.key)?.failure;
    return failed ? [{ instance, view, failure: new Failure(failed.code, { where: failed.detail }) }] : [];
  });
}

/** Reads the films again for what is missing. Films that say other than the report did make the revision that follows it. */
async function complete(taken: Taken): Promise<Recorded | null> {
  const { world, job, chosen, found, report, reading } = taken;
  // The threshold of the report decides, and with it what picture and outline show.
  const films = await readFilms({ ...world, settings: reading.settings }, job, chosen);
  await world.ledger.recordOutcomes(
    job,
    chosen.map((entry) => outcomeOf(entry, films)),
  );
  const again = { ...world, ...reading, previous: null, source: world.archive.name, demand: null };
  const conclusion = concludeFilms(films, again);
  if (!conclusion || !sameFilms(conclusion.reading, reading)) return follow(taken, films);
  const same = { reading: withFoundWords(conclusion.reading, reading), pictures: conclusion.pictures };
  const artifacts = composed(world, same).map((artifact) => asFound(artifact, found));
  await world.ledger.record(job, same.reading, artifacts);
  const there = artifacts.filter(({ kind, id }) => (kind === 'fhir-bundle' ? report?.current : found.stored.has(id)));
  return receive(
    world,
    same.reading,
    there.map(({ name }) => name),
    artifacts,
  );
}

/** The report is entered first, so that the revision that follows names it. */
async function follow(taken: Taken, films: readonly Film[]): Promise<Recorded | null> {
  const entered = await enter(taken);
  const conclusion = await conclude(taken.world, taken.job, films);
  return conclusion ? record(taken.world, taken.job, taken.chosen, conclusion) : entered;
}

const uidsOf = (images: Reading['images']): string =>
  images
    .map(({ image }) => image.SOPInstanceUID)
    .sort()
    .join();

const sameFilms = (a: Reading, b: Reading): boolean => uidsOf(a.images) === uidsOf(b.images);

/** All three results say the same: what the report says, not what another card makes of the films today. */
function withFoundWords(read: Reading, { images: told, takenOver, revision, predecessor }: Reading): Reading {
  const images = read.images.map((image) => {
    const { score, decision, revision } = told.find((t) => t.image.SOPInstanceUID === image.image.SOPInstanceUID)!;
    return { ...image, score, decision, revision, zone: decision === image.decision ? image.zone : null };
  });
  return { ...read, images, ...concludeStudy(images), revision, predecessor, ...(takenOver && { takenOver }) };
}

/** The bytes that were stored first win. */
function asFound(artifact: Artifact, { sr, bytes }: FoundResult): Artifact {
  return artifact.id === sr.SOPInstanceUID ? { ...artifact, bytes, sha256: sha256(bytes) } : artifact;
}

/** Receipts of what was found at the destinations that take its kind. */
async function receive(
  { ledger, destinations, model, now }: World,
  reading: Reading,
  names: readonly string[],
  artifacts: readonly Artifact[] = [],
): Promise<Recorded> {
  const kindOf = (name: string) => artifacts.find((artifact) => artifact.name === name)?.kind ?? 'sr';
  const takes = (destination: Destination, name: string) => destination.kinds.includes(kindOf(name));
  const storedAt = new Date(now()).toISOString();
  const receipts = names.flatMap((name): Receipt[] =>
    destinations
      .filter((destination) => takes(destination, name))
      .map((destination) => ({ artifact: name, destination: destination.name, storedAt, note: 'found there' })),
  );
  await ledger.receive(reading, receipts);
  return (await ledger.latest(reading.study.StudyInstanceUID, model.id))!;
}
