import { Failure } from './failure.ts';
import type { Chosen, Described, InstanceOutcome, Recorded } from './ports.ts';
import {
  type ContentSettings,
  concludeStudy,
  type ImageFailure,
  type ImageReading,
  type ModelIdentity,
  type Picture,
  type Reading,
  type StudyHeader,
  unseenPixels,
  type View,
} from './reading.ts';
import { type Dataset, type Demand, type Instance, type InstanceReference, samePatient } from './study.ts';

/** From films to one conclusion about the study. Pure. */

/** One eligible image after the reader saw it: read, or stopped by a failure. */
export type Film = {
  readonly instance: Instance;
  readonly view: View;
} & (
  | { readonly failure: Failure; readonly reading?: never }
  | { readonly failure?: never; readonly reading: ImageReading; readonly study: StudyHeader; readonly picture: Picture }
);

type ReadFilm = Extract<Film, { readonly reading: ImageReading }>;

export interface Conclusion {
  readonly reading: Reading;
  /** By SOP Instance UID. */
  readonly pictures: Readonly<Record<string, Picture>>;
}

export interface Circumstances {
  readonly model: ModelIdentity;
  readonly settings: ContentSettings;
  readonly describe: (header: Dataset) => Described;
  readonly readAt: string;
  /** The recorded reading that this one follows. */
  readonly previous: Recorded | null;
  readonly predecessor: InstanceReference | null;
  readonly source: string;
  /** The replay that asked for the reading. */
  readonly demand: Demand | null;
}

/**
 * One reading of the films, or null when there is no film that names its study.
 * Raises `identity-conflict` when the films name two patients or two studies.
 */
export function concludeFilms(films: readonly Film[], circumstances: Circumstances): Conclusion | null {
  const { previous, describe } = circumstances;
  const read = distinct(films.filter((film): film is ReadFilm => film.reading !== undefined));
  const failures = failuresOf(films, new Set(read.map(uidOf)), describe);
  const study = studyOf(films, describe);
  if (!study) return null;
  const images = read.map(({ reading }) => revised(reading, study, previous));
  const reading: Reading = {
    model: circumstances.model,
    settings: circumstances.settings,
    study,
    images,
    failures,
    ...concludeStudy(images),
    readAt: circumstances.readAt,
    revision: (previous?.reading.revision ?? 0) + 1,
    predecessor: circumstances.predecessor,
    source: circumstances.source,
    ...(circumstances.demand && { demand: circumstances.demand }),
    ...(previous?.reading.takenOver && { takenOver: previous.reading.takenOver }),
  };
  return { reading, pictures: Object.fromEntries(read.map((film) => [uidOf(film), film.picture])) };
}

const uidOf = (film: ReadFilm): string => film.reading.image.SOPInstanceUID;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The first film of every SOP Instance UID, sorted by it; the outcome of the others tells why they are left out. */
function distinct(films: readonly ReadFilm[]): readonly ReadFilm[] {
  const first = new Map<string, ReadFilm>();
  for (const film of films) if (!first.has(uidOf(film))) first.set(uidOf(film), film);
  return [...first.values()].sort((a, b) => byText(uidOf(a), uidOf(b)));
}

function failuresOf(
  films: readonly Film[],
  read: ReadonlySet<string>,
  describe: Circumstances['describe'],
): readonly ImageFailure[] {
  const failed = new Map<string, ImageFailure>();
  for (const { failure, instance } of films) {
    if (!failure || !instance.header) continue;
    const { image } = describe(instance.header);
    if (read.has(image.SOPInstanceUID)) continue;
    const { StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, SOPClassUID } = image;
    const note = { code: failure.code, detail: failure.detail.where ?? '' };
    failed.set(SOPInstanceUID, { StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, SOPClassUID, failure: note });
  }
  return [...failed.values()].sort((a, b) => byText(a.SOPInstanceUID, b.SOPInstanceUID));
}

/** Patient and study as the analysed films themselves say, not as an archive retells them. */
function studyOf(films: readonly Film[], describe: Circumstances['describe']): StudyHeader | null {
  const headers = films.flatMap((film) => {
    if (film.reading) return [film.study];
    return film.instance.header ? [describe(film.instance.header).study] : [];
  });
  const [first] = headers;
  if (!first) return null;
  const named = (study: StudyHeader) => [study.StudyInstanceUID, study.PatientID, study.IssuerOfPatientID].join('\n');
  if (headers.some((study) => named(study) !== named(first))) {
    throw new Failure('identity-conflict', { where: 'PatientID, IssuerOfPatientID or StudyInstanceUID of the images' });
  }
  return first;
}

/** Flag of an image whose pixels are not those that were read under its UID before (fault 3). */
export const pixelsChanged = 'pixels-changed';

/**
 * Other pixels make another heat-map. So does another patient, whom a heat-map bears: under the old UID the bytes that name the
 * first one would stay (fault 5). And so does a withdrawal: an archive that acted on the rejection note refuses the same object.
 */
function revised(reading: ImageReading, study: StudyHeader, previous: Recorded | null): ImageReading {
  const before = previous?.reading.images.find(({ image }) => image.SOPInstanceUID === reading.image.SOPInstanceUID);
  if (!previous || !before) return { ...reading, revision: 1 };
  const changed = before.pixelDigest !== unseenPixels && before.pixelDigest !== reading.pixelDigest;
  const another = changed || !samePatient(study, previous.reading.study) || previous.withdrawn;
  return {
    ...reading,
    revision: before.revision + (another ? 1 : 0),
    flags: changed ? [...reading.flags, pixelsChanged] : reading.flags,
  };
}

/**
 * Whether the films show what the recorded reading was made of: the same images with the same pixels, and the same failures. A
 * reader that gave up on a film says nothing about its pixels.
 */
export function showTheSame(
  films: readonly Film[],
  { images, failures }: Reading,
  describe: Circumstances['describe'],
): boolean {
  const shown = new Map<string, string | null>();
  for (const film of films) {
    const uid = film.reading
      ? uidOf(film)
      : film.instance.header && describe(film.instance.header).image.SOPInstanceUID;
    if (uid !== null && !shown.has(uid)) shown.set(uid, film.reading?.pixelDigest ?? film.failure?.code ?? null);
  }
  const gaveUp = (found: string | null | undefined) => found?.startsWith('reader-') === true;
  const same = (uid: string, before: string) => shown.get(uid) === before || gaveUp(shown.get(uid));
  // Nobody has looked at the pixels of a report that was found; the same films are all that can be asked for.
  const samePixels = (uid: string, before: string) => (before === unseenPixels && shown.has(uid)) || same(uid, before);
  return (
    shown.size === images.length + failures.length &&
    images.every(({ image, pixelDigest }) => samePixels(image.SOPInstanceUID, pixelDigest)) &&
    failures.every(({ SOPInstanceUID, failure }) => same(SOPInstanceUID, failure.code))
  );
}

/** What became of one listed object: the rule's word, or what the reader found. */
export function outcomeOf({ instance, choice }: Chosen, films: readonly Film[]): InstanceOutcome {
  const header = instance.header;
  const base = {
    key: instance.key,
    SOPInstanceUID: (header?.['00080018']?.Value?.[0] as string | undefined) ?? null,
    view: null,
    score: null,
    decision: null,
  };
  if (choice.outcome !== 'eligible') {
    return { ...base, outcome: choice.outcome, reason: choice.code, because: choice.because };
  }
  const film = films.find((candidate) => candidate.instance.key === instance.key);
  if (!film?.reading) {
    const failure = film?.failure ?? new Failure('internal', { where: 'outcome of an eligible image' });
    return { ...base, view: choice.view, outcome: 'quarantined', reason: failure.code, because: [failure.message] };
  }
  const { view, score, decision, pixelDigest, image } = film.reading;
  const first = films.find((candidate) => candidate.reading?.image.SOPInstanceUID === image.SOPInstanceUID);
  const conflict = first?.reading && first.reading.pixelDigest !== pixelDigest;
  const scored = { ...base, SOPInstanceUID: image.SOPInstanceUID, view, score, decision };
  return conflict
    ? {
        ...scored,
        outcome: 'quarantined',
        reason: 'uid-conflict',
        because: ['other pixels than the first file of this UID'],
      }
    : { ...scored, outcome: 'reported', reason: null, because: [] };
}
