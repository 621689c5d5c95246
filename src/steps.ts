import type { Codes } from './core/codes.ts';
import { type Conclusion, concludeFilms, type Film, outcomeOf } from './core/conclude.ts';
import { asFailure, Failure } from './core/failure.ts';
import { identify } from './core/ids.ts';
import type {
  Archive,
  Artifact,
  Chosen,
  Described,
  Destination,
  FilmReader,
  GatewayIdentity,
  InstanceOutcome,
  Job,
  Ledger,
  Output,
  Receipt,
  Recorded,
  Settlement,
} from './core/ports.ts';
import { type ContentSettings, decide, type ModelIdentity, toScore, type View, zoneTold } from './core/reading.ts';
import type { Dataset, Instance, PatientIdentity } from './core/study.ts';
import type { Steps } from './pipeline.ts';

/** The steps of the spine over the ports: the same for a PACS and for a folder of files. */

/** What the steps are built from. Every effect is handed in. */
export interface World {
  readonly archive: Archive;
  readonly reader: FilmReader;
  readonly ledger: Ledger;
  readonly outputs: readonly Output[];
  readonly destinations: readonly Destination[];
  readonly select: (instances: readonly Instance[], now: number) => readonly Chosen[];
  readonly describe: (header: Dataset) => Described;
  readonly model: ModelIdentity;
  readonly settings: ContentSettings;
  readonly codes: Codes;
  readonly gateway: GatewayIdentity;
  readonly siteSecret: string;
  /** Whether a study with no scored image gets a failed-processing report. */
  readonly reportFailures: boolean;
  readonly settle: { readonly quietSeconds: number; readonly maxSeconds: number };
  readonly progress: (job: Job, state: 'selected' | 'read' | 'delivering') => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createSteps(world: World): Steps<Film, Conclusion> {
  return {
    list: ({ studyInstanceUid }) => world.archive.list(studyInstanceUid),
    select: (instances) => world.select(instances, world.now()),
    recall: (job, chosen) => recall(world, job, chosen),
    settle: (job, chosen) => settle(world, job, chosen),
    read: (job, chosen) => readFilms(world, job, chosen),
    outcomes: (chosen, films) => chosen.map((entry) => outcomeOf(entry, films)),
    note: (job, outcomes: readonly InstanceOutcome[]) => world.ledger.recordOutcomes(job, outcomes),
    conclude: (job, films) => conclude(world, job, films),
    record: (job, conclusion) => record(world, job, conclusion),
    deliver: (job, recorded) => deliver(world, job, recorded),
  };
}

const eligible = (chosen: readonly Chosen[]): readonly { readonly instance: Instance; readonly view: View }[] =>
  chosen.flatMap(({ instance, choice }) => (choice.outcome === 'eligible' ? [{ instance, view: choice.view }] : []));

/** The recorded reading stands while the films and their patient are the same; new settings do not reopen it. */
async function recall(world: World, job: Job, chosen: readonly Chosen[]): Promise<Recorded | null> {
  const films = eligible(chosen);
  if (films.length === 0) return null;
  const recorded = await world.ledger.latest(job.studyInstanceUid, world.model.id);
  if (!recorded) return null;
  const { images, failures, study } = recorded.reading;
  const read = new Set([...images.map(({ image }) => image.SOPInstanceUID), ...failures.map((f) => f.SOPInstanceUID)]);
  const listed = films.map(({ instance }) => instance.header && world.describe(instance.header));
  const same = listed.every((film) => film && read.has(film.image.SOPInstanceUID) && samePatient(film.study, study));
  return same && new Set(listed.map((film) => film?.image.SOPInstanceUID)).size === read.size ? recorded : null;
}

/** Ready when the number of foreign objects stood still for `quietSeconds`, or the study has grown for `maxSeconds`. */
function settle(
  { settle: { quietSeconds, maxSeconds }, now }: World,
  job: Job,
  chosen: readonly Chosen[],
): Settlement | null {
  if (quietSeconds === 0 || now() - job.announcedAt >= maxSeconds * 1000) return null;
  const count = chosen.filter(({ choice }) => choice.outcome === 'eligible' || choice.code !== 'own-output').length;
  const since = job.settling?.count === count ? job.settling.since : now();
  const quietAt = since + quietSeconds * 1000;
  return now() >= quietAt && job.settling ? null : { state: 'settling', dueAt: quietAt, settling: { count, since } };
}

/** Reads the eligible images one after another. A quarantine is a fact about one film; anything else stops the run. */
async function readFilms(world: World, job: Job, chosen: readonly Chosen[]): Promise<readonly Film[]> {
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

async function conclude(world: World, job: Job, films: readonly Film[]): Promise<Conclusion | null> {
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
  });
  if (!conclusion || (conclusion.reading.images.length === 0 && !world.reportFailures)) return null;
  return conclusion;
}

/** The SR that a later revision replaces: the newest one that reached an archive. */
function predecessorOf({ reading, artifacts, receipts }: Recorded, siteSecret: string) {
  const sr = artifacts.find(({ kind }) => kind === 'sr');
  if (!sr?.SOPClassUID || !receipts.some(({ artifact }) => artifact === sr.name)) return reading.predecessor;
  return {
    StudyInstanceUID: reading.study.StudyInstanceUID,
    SeriesInstanceUID: identify(reading, siteSecret).sr.SeriesInstanceUID,
    SOPInstanceUID: sr.id,
    SOPClassUID: sr.SOPClassUID,
  };
}

async function record(world: World, job: Job, { reading, pictures }: Conclusion): Promise<Recorded> {
  const identity = identify(reading, world.siteSecret);
  const { codes, gateway } = world;
  const artifacts = world.outputs.flatMap((output) => output.compose({ reading, identity, pictures, codes, gateway }));
  return world.ledger.record(job, reading, artifacts);
}

/** Each destination for itself: one that is down holds nothing back from another. */
async function deliver(world: World, job: Job, recorded: Recorded): Promise<void> {
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

/** What one side does not tell contradicts nothing: archives leave out the issuer, and some the patient. */
function samePatient(a: PatientIdentity, b: PatientIdentity): boolean {
  const agree = (one: string | null, other: string | null) => one === null || other === null || one === other;
  return agree(a.PatientID, b.PatientID) && agree(a.IssuerOfPatientID, b.IssuerOfPatientID);
}
