import type { View } from '../core/reading.ts';
import type { Dataset } from '../core/study.ts';
import { items, number, text } from './dataset.ts';
import { imageTypeOf } from './select-own.ts';
import type { SelectionRules } from './select-rules.ts';

/**
 * One reading an exposure (fault 14). Two different films must never be merged, so that images count as one exposure only
 * on evidence: the same irradiation event, a derivation from one source image, or a raw and a processed image of the same
 * acquisition time. Equal times alone prove nothing: some devices write the minute, some the start of the study.
 */
export interface EligibleFilm {
  readonly key: string;
  readonly header: Dataset;
  readonly view: View;
}

/** By key of the film that is not read: the evidence that another film shows its exposure. */
export function duplicateExposures(films: readonly EligibleFilm[], rules: SelectionRules): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const spare = pairedRaw(films, rules);
  for (const film of films) {
    if (spare.has(film.key)) found.set(film.key, 'same acquisition time as a FOR PRESENTATION image');
    for (const other of films) {
      const evidence = linked(film, other);
      if (evidence && isBetter(other, film, rules)) found.set(film.key, evidence);
    }
  }
  return found;
}

/** Files that share a SOP Instance UID are one object and are never compared with each other. */
function linked(a: EligibleFilm, b: EligibleFilm): string | null {
  if (uidOf(a) === uidOf(b) || !viewsAgree(a.view, b.view)) return null;
  const event = irradiationEvent(a);
  if (event !== null && event === irradiationEvent(b)) return 'same IrradiationEventUID';
  if (onlySource(a) === uidOf(b) || onlySource(b) === uidOf(a)) return 'SourceImageSequence';
  return null;
}

const uidOf = ({ header }: EligibleFilm): string | null => text(header, 'SOPInstanceUID');
const viewsAgree = (a: View, b: View): boolean => a === b || a === 'frontal' || b === 'frontal';

/** IrradiationEventUID (0008,3010), PS3.3 C.7.6.1.1; one image may belong to several events, which then proves nothing. */
function irradiationEvent({ header }: EligibleFilm): string | null {
  const values = header['00083010']?.Value ?? [];
  const [event] = values;
  return values.length === 1 && typeof event === 'string' && event !== '' ? event : null;
}

/** The one image that this one was derived from; a picture stitched from several has no such image. */
function onlySource({ header }: EligibleFilm): string | null {
  const [source, ...more] = items(header, 'SourceImageSequence');
  return source && more.length === 0 ? text(source, 'ReferencedSOPInstanceUID') : null;
}

function isBetter(a: EligibleFilm, b: EligibleFilm, rules: SelectionRules): boolean {
  const [left, right] = [rank(a, rules), rank(b, rules)];
  return left === right ? String(uidOf(a)) < String(uidOf(b)) : left < right;
}

/** FOR PRESENTATION first, then what was not derived from another image. */
function rank(film: EligibleFilm, rules: SelectionRules): number {
  return (isRaw(film, rules) ? 2 : 0) + (imageTypeOf(film.header)[0] === 'DERIVED' ? 1 : 0);
}

function isRaw({ header }: EligibleFilm, { images }: SelectionRules): boolean {
  const sopClass = text(header, 'SOPClassUID');
  return (
    text(header, 'PresentationIntentType') === 'FOR PROCESSING' ||
    images.sopClasses.forProcessing.some(({ uid }) => uid === sopClass)
  );
}

/**
 * Keys of the raw images that have a processed partner of the same device, view and acquisition time. Where there are
 * more raw images than processed ones, nobody knows which of them is the film without a partner: all are read.
 */
function pairedRaw(films: readonly EligibleFilm[], rules: SelectionRules): ReadonlySet<string> {
  const groups = Map.groupBy(films, acquisitionOf);
  groups.delete(null);
  const paired = [...groups.values()].flatMap((group) => {
    const raw = group.filter((film) => isRaw(film, rules));
    return countUids(raw) <= countUids(group) - countUids(raw) ? raw : [];
  });
  return new Set(paired.map(({ key }) => key));
}

const countUids = (films: readonly EligibleFilm[]): number => new Set(films.map(uidOf)).size;

/**
 * Device, view, technique and acquisition time to the second; null when the time is not that exact, or is only the start
 * of the study again.
 */
function acquisitionOf({ header, view }: EligibleFilm): string | null {
  const joined = `${text(header, 'AcquisitionDate') ?? ''}${text(header, 'AcquisitionTime') ?? ''}`;
  const time = text(header, 'AcquisitionDateTime') ?? joined;
  const study = `${text(header, 'StudyDate') ?? ''}${text(header, 'StudyTime') ?? ''}`;
  if (!/^\d{14}/.test(time) || time === study) return null;
  const device = text(header, 'DeviceSerialNumber') ?? text(header, 'StationName') ?? '';
  const technique = (['AcquisitionNumber', 'KVP', 'Exposure'] as const).map((keyword) => number(header, keyword) ?? '');
  return [time, view, device, ...technique].join('\n');
}
