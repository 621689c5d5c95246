import type { Examination, Examine } from '../core/examination.ts';
import { asFailure, Failure, type FailureCode } from '../core/failure.ts';
import type { FilmWindow } from '../core/lungs.ts';
import { type ActivationMap, type Decision, decide, toScore } from '../core/reading.ts';
import { type Overlap, overlapOf, type TrainingDigests } from './overlap.ts';
import type { Scored } from './scored.ts';
import type { Label, Row } from './table.ts';

/** From rows of the table to scored films. Whatever cannot be scored is named, never dropped. */

export interface Film extends Scored {
  readonly file: string;
  readonly label: Label;
  readonly group: string;
  readonly decision: Decision;
  readonly source: string | null;
  readonly view: string | null;
  /** Manufacturer and model, of DICOM films. */
  readonly device: string | null;
  /** The file that gave the score; of a study in a folder the one with the highest. */
  readonly path: string;
  readonly map: ActivationMap;
  /** The part of the film that the map lies on. */
  readonly window: FilmWindow;
}

export interface Unreadable {
  readonly file: string;
  readonly line: number;
  readonly code: FailureCode;
}

export interface AlreadySeen {
  readonly file: string;
  readonly line: number;
  readonly overlap: Overlap;
}

export interface Scoring {
  /** In the order of the table. */
  readonly films: readonly Film[];
  readonly unreadable: readonly Unreadable[];
  readonly alreadySeen: readonly AlreadySeen[];
  /** Image files that were scored, and the time from the first to the last. */
  readonly images: number;
  readonly elapsedMs: number;
}

export interface ScoringOptions {
  readonly examine: Examine;
  /** The image files of a row: one, or those of a study's folder. */
  readonly pathsOf: (row: Row) => readonly string[];
  readonly atOnce: number;
  /** Only DICOM counts, and its header rather than the table tells the view. */
  readonly dicom: boolean;
  readonly operatingPoint: number;
  readonly seen: TrainingDigests | null;
  readonly groupsUnrelated: boolean;
  readonly progress: (done: number, total: number, note: string) => void;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
}

/** More than this share of unreadable images and the figures would describe another table. */
export const mostUnreadable = 0.01;

type Outcome =
  | { readonly kind: 'film'; readonly film: Film; readonly images: number }
  | ({ readonly kind: 'unreadable' } & Unreadable)
  | ({ readonly kind: 'seen'; readonly images: number } & AlreadySeen);

/** Scores every row. Raises `images-unreadable` as soon as too many are, and whatever is not the fault of one image. */
export async function scoreRows(rows: readonly Row[], options: ScoringOptions): Promise<Scoring> {
  const { atOnce, progress, now } = options;
  await warmUp(rows, options);
  const outcomes = new Array<Outcome>(rows.length);
  const unreadable: Unreadable[] = [];
  let next = 0;
  let done = 0;
  const startedAt = now();
  const work = async (): Promise<void> => {
    for (let index = next++; index < rows.length; index = next++) {
      const outcome = await scoreRow(rows[index]!, options);
      outcomes[index] = outcome;
      if (outcome.kind === 'unreadable') unreadable.push(outcome);
      if (unreadable.length > mostUnreadable * rows.length) throw tooMany(unreadable, done + 1, rows.length);
      progress(++done, rows.length, unreadable.length === 0 ? '' : `${unreadable.length} unreadable`);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, rows.length) }, work));
  } finally {
    next = rows.length;
  }
  return {
    films: outcomes.flatMap((outcome) => (outcome.kind === 'film' ? outcome.film : [])),
    unreadable: outcomes.flatMap((outcome) => (outcome.kind === 'unreadable' ? without(outcome) : [])),
    alreadySeen: outcomes.flatMap((outcome) => (outcome.kind === 'seen' ? seenOnly(outcome) : [])),
    images: outcomes.reduce((sum, outcome) => sum + (outcome.kind === 'unreadable' ? 0 : outcome.images), 0),
    elapsedMs: now() - startedAt,
  };
}

const without = ({ file, line, code }: Unreadable): Unreadable => ({ file, line, code });
const seenOnly = ({ file, line, overlap }: AlreadySeen): AlreadySeen => ({ file, line, overlap });

/** Every reader process reads one film before the clock starts: the rate is of readers that run, as in a gateway. */
async function warmUp(rows: readonly Row[], { examine, pathsOf, atOnce }: ScoringOptions): Promise<void> {
  const path = rows.flatMap((row) => pathsOf(row).slice(0, 1)).at(0);
  if (path === undefined) return;
  const films = Array.from({ length: Math.min(atOnce, rows.length) }, () => examineOrFail(examine, path));
  await Promise.all(films);
}

async function scoreRow(row: Row, options: ScoringOptions): Promise<Outcome> {
  const { pathsOf, examine, dicom, operatingPoint, seen } = options;
  const { file, line, label, group, source } = row;
  const results = [];
  for (const path of pathsOf(row)) results.push({ path, result: await examineOrFail(examine, path) });
  const read = results.flatMap(({ path, result }) => (result instanceof Failure ? [] : [{ path, result }]));
  const usable = read.filter(
    ({ result }) => !dicom || (result.header !== null && (read.length === 1 || frontal(result))),
  );
  const [first, ...others] = usable;
  if (!first) {
    const failure = results.find(({ result }) => result instanceof Failure)?.result;
    return { kind: 'unreadable', file, line, code: failure instanceof Failure ? failure.code : 'not-dicom' };
  }
  const overlap = overlapOf(seen, { group, fileDigests: read.map(({ result }) => result.fileDigest) }, options);
  if (overlap) return { kind: 'seen', file, line, overlap, images: read.length };
  const best = others.reduce((high, other) => (other.result.score > high.result.score ? other : high), first);
  const score = toScore(best.result.score);
  const film: Film = {
    ...{ file, label, group, source, score, path: best.path },
    positive: isPositive(label),
    decision: decide(score, operatingPoint),
    view: (dicom ? null : row.view) ?? best.result.header?.ViewPosition?.toUpperCase() ?? null,
    device: deviceOf(best.result),
    map: best.result.map,
    window: best.result.window,
  };
  return { kind: 'film', film, images: read.length };
}

/** `other` counts as negative where it is asked for: a finding, and no opacity. */
export const isPositive = (label: Label): boolean => label === 'opacity' || label === 'covid';

/** What is wrong with one image is a result; anything else stops the command. */
export async function examineOrFail(examine: Examine, path: string): Promise<Examination | Failure> {
  try {
    return await examine(path);
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (failure.class !== 'quarantine' && failure.class !== 'skip') throw failure;
    return failure;
  }
}

/** View Position (0018,5101) of a study's other films (PS3.3 C.8.1.1, C.8.11.5). */
const notFrontal = /^(LL|RL|LLD|RLD|LLO|RLO|LAT.*|.*OBL.*)$/i;
const frontal = ({ header }: Examination): boolean => !notFrontal.test(header?.ViewPosition ?? '');

function deviceOf({ header }: Examination): string | null {
  const words = [header?.Manufacturer, header?.ManufacturerModelName].filter(Boolean);
  return words.length === 0 ? null : words.join(' ');
}

function tooMany(unreadable: readonly Unreadable[], done: number, total: number): Failure {
  const some = unreadable.slice(0, 5).map(({ line, code }) => `line ${line} ${code}`);
  return new Failure('images-unreadable', {
    where: `${done} of ${total} rows examined`,
    expected: `at most ${Math.floor(mostUnreadable * total)} unreadable images`,
    got: `${unreadable.length}: ${some.join(', ')}`,
  });
}

/** `file,label,score,decision`, the file as the table writes it (RFC 4180). */
export function predictionsCsv(films: readonly Film[]): string {
  const lines = films.map(({ file, label, score, decision }) => [cell(file), label, String(score), decision].join(','));
  return `${['file,label,score,decision', ...lines].join('\n')}\n`;
}

const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
