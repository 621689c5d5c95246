import type { Attributes } from '../../src/dicom/build.ts';
import type { Random } from '../../src/sandbox/random.ts';
import { makeSmallFilm, smallPixels, testStudyUid } from '../support/films.ts';

/** What modalities send in a chaos run, and what must become of each film. */

export type Expected = 'reported' | 'skipped' | 'quarantined';

export interface ChaosFilm {
  readonly SOPInstanceUID: string;
  readonly expected: Expected;
  /** Arrives after the study was reported. */
  readonly late: boolean;
  /** The PS3.10 file, made when it is sent. */
  readonly bytes: () => Uint8Array;
}

export interface ChaosStudy {
  readonly StudyInstanceUID: string;
  readonly PatientID: string;
  readonly AccessionNumber: string;
  readonly films: readonly ChaosFilm[];
  /** Sent a second time, as it was, after it was reported. */
  readonly sentAgain: boolean;
  /** The FHIR server knows the patient. */
  readonly admitted: boolean;
}

const columns = 224;
const rows = 256;

interface FilmKind {
  readonly expected: Expected;
  readonly late?: boolean;
  readonly attributes?: Attributes;
}

const frontal: FilmKind = { expected: 'reported' };
const lateral: FilmKind = { expected: 'skipped', attributes: { ViewPosition: 'LL' } };
const hip: FilmKind = { expected: 'skipped', attributes: { BodyPartExamined: 'HIP' } };
const blank: FilmKind = { expected: 'quarantined', attributes: { PixelData: new Uint8Array(columns * rows).fill(7) } };
const late: FilmKind = { ...frontal, late: true };

/** Share of the studies, and the films of one. */
const mix: readonly (readonly [number, readonly FilmKind[]])[] = [
  [0.58, [frontal]],
  [0.1, [frontal, frontal]],
  [0.1, [frontal, lateral]],
  [0.1, [frontal, late]],
  [0.04, [hip]],
  [0.03, [lateral]],
  [0.03, [blank]],
  [0.02, [frontal, blank]],
];
const shareSentAgain = 0.1;
const shareAdmitted = 0.5;

/**
 * @param number from 1; names the study, its patient and its order
 * @param today YYYYMMDD
 */
export function makeStudy(number: number, today: string, random: Random): ChaosStudy {
  const kinds = pick(random());
  const StudyInstanceUID = testStudyUid(number);
  return {
    StudyInstanceUID,
    PatientID: `TEST-${number}`,
    AccessionNumber: `TEST-A${number}`,
    sentAgain: random() < shareSentAgain,
    admitted: random() < shareAdmitted,
    films: kinds.map((kind, index) => makeFilm(number, index + 1, kind, today)),
  };
}

function pick(draw: number): readonly FilmKind[] {
  let below = 0;
  for (const [share, kinds] of mix) {
    below += share;
    if (draw < below) return kinds;
  }
  return mix[0]![1];
}

/** Each film is a series and an exposure of its own. */
function makeFilm(
  number: number,
  index: number,
  { expected, late = false, attributes }: FilmKind,
  today: string,
): ChaosFilm {
  const series = `${testStudyUid(number)}.${index}`;
  const SOPInstanceUID = `${series}.1`;
  const own: Attributes = {
    SeriesInstanceUID: series,
    SOPInstanceUID,
    SeriesNumber: index,
    StudyDate: today,
    AcquisitionDate: today,
    AcquisitionTime: `10150${index}`,
    Rows: rows,
    Columns: columns,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelData: pixels(number, index),
  };
  return { SOPInstanceUID, expected, late, bytes: () => makeSmallFilm(number, { ...own, ...attributes }) };
}

/** Some few pictures, drawn once. */
const drawn = new Map<number, Uint8Array>();

function pixels(number: number, index: number): Uint8Array {
  const seed = (number * 7 + index) % 16;
  const known = drawn.get(seed) ?? new Uint8Array(smallPixels(seed, { columns, rows }).map((value) => value >> 4));
  drawn.set(seed, known);
  return known;
}
