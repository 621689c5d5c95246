import { asFailure, Failure, type FailureCode } from '../core/failure.ts';
import { identify, identifyNote } from '../core/ids.ts';
import type { Artifact, Chosen, Destination, Job, Receipt, Recorded, Settlement, Withdrawal } from '../core/ports.ts';
import type { StudyHeader } from '../core/reading.ts';
import type { Demand, Instance, InstanceReference } from '../core/study.ts';
import { type Again, eligible, type World } from './world.ts';

/**
 * Takes back every result of a study that stands (fault 48): a rejection note for the archive, entered-in-error in the EHR. It is
 * recorded before anybody is told, so that a run which begins anew goes on with the same note. Null where nothing was ever
 * reported, and where films wait that no reading has seen: both are read as ever.
 */
export async function withdraw(world: World, job: Job): Promise<Settlement | null> {
  const { demand } = job;
  if (!world.again || !demand) throw new Failure('internal', { where: 'withdrawal', expected: 'a store and a demand' });
  const chosen = await listed(world, job);
  const withdrawal = await withdrawalOf(world, world.again, job, demand, chosen);
  if (!withdrawal) return null;
  await world.progress(job, 'delivering');
  const code = await send(world, world.again, withdrawal);
  return chosen && hasNewFilms(world, chosen, withdrawal) ? null : { state: 'retracted', code };
}

/** Null when the study has left the archive: at a second look, since one that is slow to index must not go without its note. */
async function listed(world: World, job: Job): Promise<readonly Chosen[] | null> {
  try {
    return world.select(await world.archive.list(job.studyInstanceUid), world.now());
  } catch (thrown) {
    const failure = asFailure(thrown);
    const wasGone = job.state === 'retrying' && job.code === 'source-gone';
    if (failure.code === 'source-gone' && wasGone) return null;
    throw failure;
  }
}

/** The one of this demand; else a new one for what stands; else the newest, which may not have reached everybody. */
async function withdrawalOf(
  world: World,
  again: Again,
  job: Job,
  demand: Demand,
  chosen: readonly Chosen[] | null,
): Promise<Withdrawal | null> {
  const { withdrawals } = again;
  const { studyInstanceUid } = job;
  const newest = await withdrawals.latest(studyInstanceUid);
  if (newest && demand.id !== undefined && newest.demand.id === demand.id) return newest;
  const readings = await withdrawals.standing(studyInstanceUid);
  if (readings.length === 0) return newest;
  const at = new Date(world.now()).toISOString();
  const note = noteOn(world, again, { readings, chosen, demand, at });
  return withdrawals.record(job, { demand, at, note });
}

interface Withdrawn {
  readonly readings: readonly Recorded[];
  readonly chosen: readonly Chosen[] | null;
  readonly demand: Demand;
  readonly at: string;
}

/** Null where no object of ours lies in the archive: a note about nothing would bring a study back that was deleted. */
function noteOn(world: World, again: Again, { readings, chosen, demand, at }: Withdrawn): Artifact | null {
  const instances = (chosen ?? []).map(({ instance }) => instance);
  const targets = distinct(readings.flatMap((recorded) => targetsOf(world, again, recorded, instances)));
  const newest = readings.at(-1)!.reading;
  if (targets.length === 0) return null;
  const uids = targets.map(({ SOPInstanceUID }) => SOPInstanceUID);
  return again.composeNote({
    study: headerNow(world, chosen) ?? newest.study,
    targets,
    identity: identifyNote(newest.study.StudyInstanceUID, uids, world.siteSecret),
    reason: demand.reason,
    at,
    timezoneOffset: world.settings.timezoneOffset,
    model: newest.model,
    codes: world.codes,
    gateway: world.gateway,
  });
}

/** Our objects that the archive lists, under the series that it lists; in an archive of their own, those that it confirmed. */
function targetsOf(
  { siteSecret }: World,
  { resultsElsewhere }: Again,
  { reading, artifacts, receipts }: Recorded,
  instances: readonly Instance[],
): readonly InstanceReference[] {
  const { sr, heatmapSeriesInstanceUID } = identify(reading, siteSecret);
  return artifacts.flatMap(({ kind, id, name, SOPClassUID }) => {
    if (SOPClassUID === undefined || (kind !== 'sr' && kind !== 'heatmap')) return [];
    const there = instances.find(({ header }) => header?.['00080018']?.Value?.[0] === id);
    const confirmed = receipts.some(({ artifact }) => artifact === name);
    if (resultsElsewhere ? !confirmed : !there) return [];
    const series = there?.header?.['0020000E']?.Value?.[0] as string | undefined;
    return [
      {
        StudyInstanceUID: reading.study.StudyInstanceUID,
        SeriesInstanceUID: series ?? (kind === 'sr' ? sr.SeriesInstanceUID : heatmapSeriesInstanceUID),
        SOPInstanceUID: id,
        SOPClassUID,
      },
    ];
  });
}

/** A heat-map belongs to several revisions. */
const distinct = (targets: readonly InstanceReference[]): readonly InstanceReference[] => [
  ...new Map(targets.map((target) => [target.SOPInstanceUID, target])).values(),
];

/** A patient who was corrected meanwhile is the one whose study the note must go into. */
function headerNow(world: World, chosen: readonly Chosen[] | null): StudyHeader | null {
  const [film] = eligible(chosen ?? []);
  return film?.instance.header ? world.describe(film.instance.header).study : null;
}

function hasNewFilms({ describe }: World, chosen: readonly Chosen[], { readings }: Withdrawal): boolean {
  const { images, failures } = readings.at(-1)!.reading;
  const read = new Set([...images.map(({ image }) => image), ...failures].map((image) => image.SOPInstanceUID));
  return eligible(chosen).some(
    ({ instance: { header } }) => header && !read.has(describe(header).image.SOPInstanceUID),
  );
}

/** Each destination for itself. What it refuses for good is told by the state's code; what may yet succeed is tried again. */
async function send(world: World, again: Again, withdrawal: Withdrawal): Promise<FailureCode | null> {
  const attempts = await Promise.allSettled(
    world.destinations.flatMap((destination) =>
      dueAt(world, destination, withdrawal).map(async ({ id, take }) => {
        const receipts = (await take()).map((receipt) => ({ ...receipt, artifact: id }));
        await again.withdrawals.receive(withdrawal, receipts, null);
      }),
    ),
  );
  const failures = attempts.flatMap((one) => (one.status === 'rejected' ? [asFailure(one.reason)] : []));
  const retry = failures.find((failure) => failure.class !== 'permanent' || failure.code === 'internal');
  if (retry) throw retry;
  const code = failures[0]?.code ?? null;
  await again.withdrawals.receive(withdrawal, [], code);
  return code;
}

interface Due {
  readonly id: string;
  readonly take: () => Promise<readonly Receipt[]>;
}

/** The note where notes are stored, and the newest report of each model where reports can be taken back. */
function dueAt(
  world: World,
  destination: Destination,
  { readings, note, receipts, demand, at }: Withdrawal,
): readonly Due[] {
  const { name, kinds } = destination;
  const done = (id: string) => receipts.some((receipt) => receipt.artifact === id && receipt.destination === name);
  const due: Due[] = [];
  if (note && kinds.includes('rejection-note')) due.push({ id: note.id, take: () => destination.deliver([note]) });
  if (destination.retract) {
    for (const report of newestReports(world, readings).filter(({ kind }) => kinds.includes(kind))) {
      due.push({ id: report.id, take: () => destination.retract!([report], { reason: demand.reason, at }) });
    }
  }
  return due.filter(({ id }) => !done(id));
}

function newestReports(world: World, readings: readonly Recorded[]): readonly Artifact[] {
  const newest = new Map(readings.map((recorded) => [recorded.reading.model.id, recorded]));
  return [...newest.values()].flatMap((recorded) =>
    recorded.artifacts.filter(({ kind }) => kind === 'fhir-bundle').map((report) => withBytes(world, recorded, report)),
  );
}

/** The bytes of a report are kept for some days only; composed anew, without pictures, they name the same resources. */
function withBytes(world: World, { reading }: Recorded, report: Artifact): Artifact {
  try {
    return { ...report, bytes: report.bytes };
  } catch {
    const identity = identify(reading, world.siteSecret);
    const { codes, gateway } = world;
    const composed = world.outputs
      .filter(({ kind }) => kind === 'fhir-bundle')
      .flatMap((output) => output.compose({ reading, identity, pictures: {}, codes, gateway }));
    return composed.find(({ id }) => id === report.id) ?? report;
  }
}
