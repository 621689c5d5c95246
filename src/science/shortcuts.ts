import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Examine } from '../core/examination.ts';
import { toScore } from '../core/reading.ts';
import { pictureFormatOf, readPicture } from '../model/picture-file.ts';
import { greyPng, levelsOf, squashedJpeg } from '../model/picture-writer.ts';
import { type Area, areaChange, areaUnderCurve } from './delong.ts';
import { type MaskName, maskFilm, masks } from './masks.ts';
import { examineOrFail, type Film } from './predictions.ts';
import { type Estimate, negativesOf, positivesOf, type Scored } from './scored.ts';

/**
 * The same films scored again after a change that takes something away. A model that reads lungs keeps its AUC without
 * edges and corners, and loses it without lungs. Changed films go through the reader's own path: as files.
 */

export const equalised = { side: 192, quality: 85 } as const;
export type ChangeName = MaskName | 'equalised';
export const changeNames = [...Object.keys(masks), 'equalised'] as readonly ChangeName[];

export interface Shortcuts {
  readonly changes: readonly Change[];
  /** DICOM films: a changed one would be another film, with other look-up tables than the one that was scored. */
  readonly dicomLeftOut: number;
}

/** One change, on the films that could be scored after it. */
export interface Change extends Compared {
  readonly name: ChangeName;
  /** Films that the reader refused after the change. */
  readonly refused: number;
  /** Films whose score stayed the same to the last digit: the model never looks at what was taken. */
  readonly unmoved: number;
  readonly bySource: readonly (Compared & { readonly stratum: string | null })[];
  readonly byView: readonly (Compared & { readonly stratum: string | null })[];
}

export interface Compared {
  readonly positives: number;
  readonly negatives: number;
  readonly area: Area;
  /** Of the same films, whole. */
  readonly whole: Area;
  /** `area` less `whole`. */
  readonly change: Estimate;
}

export interface ShortcutOptions {
  readonly examine: Examine;
  readonly atOnce: number;
  readonly progress: (done: number, total: number, note: string) => void;
}

/** Scores of one film after each change; null where the reader refused the changed film. */
type Rescored = ReadonlyMap<ChangeName, number | null>;

/** Changed films lie in a temporary folder that only this user may open, one at a time, and are removed. */
export async function checkShortcuts(films: readonly Film[], options: ShortcutOptions): Promise<Shortcuts> {
  const { atOnce, progress } = options;
  const folder = mkdtempSync(join(tmpdir(), `cxr-shortcuts-${process.pid}-`));
  const rescored: (Rescored | null)[] = films.map(() => null);
  let [next, done] = [0, 0];
  const work = async (): Promise<void> => {
    for (let index = next++; index < films.length; index = next++) {
      rescored[index] = await rescore(films[index]!, join(folder, String(index)), options.examine);
      progress(++done, films.length, 'changed and scored again');
    }
  };
  const workers = Array.from({ length: Math.min(atOnce, films.length) }, work);
  try {
    await Promise.all(workers);
  } finally {
    next = films.length;
    await Promise.allSettled(workers);
    rmSync(folder, { recursive: true, force: true });
  }
  const pairs = films.flatMap((film, index) => {
    const scores = rescored[index];
    return scores ? [{ film, scores }] : [];
  });
  return { changes: changeNames.map((name) => changeOf(name, pairs)), dicomLeftOut: films.length - pairs.length };
}

/** More pixels than the reader takes: a film that it has read cannot have them. */
const mostPixels = 64 * 1024 * 1024;

/** Null for a film that is no picture file. Decoded here only after the reader process has read it. */
async function rescore({ path }: Film, target: string, examine: Examine): Promise<Rescored | null> {
  const bytes = readFileSync(path);
  if (pictureFormatOf(bytes) === null) return null;
  const radiograph = await readPicture(bytes, mostPixels);
  const film = levelsOf(radiograph);
  const scores = new Map<ChangeName, number | null>();
  for (const name of changeNames) {
    const changed =
      name === 'equalised'
        ? await squashedJpeg(radiograph, equalised.side, equalised.quality)
        : await greyPng(maskFilm(film, name));
    writeFileSync(target, changed, { mode: 0o600 });
    const result = await examineOrFail(examine, target);
    scores.set(name, 'score' in result ? toScore(result.score) : null);
  }
  rmSync(target);
  return scores;
}

interface Pair {
  readonly film: Film;
  readonly scores: Rescored;
}

function changeOf(name: ChangeName, pairs: readonly Pair[]): Change {
  const scored = pairs.flatMap(({ film, scores }) => {
    const score = scores.get(name) ?? null;
    return score === null ? [] : [{ film, after: { positive: film.positive, score } }];
  });
  return {
    name,
    ...compared(scored),
    refused: pairs.length - scored.length,
    unmoved: scored.filter(({ film, after }) => film.score === after.score).length,
    bySource: strataOf(scored, ({ source }) => source),
    byView: strataOf(scored, ({ view }) => view),
  };
}

interface Twice {
  readonly film: Film;
  readonly after: Scored;
}

function compared(scored: readonly Twice[]): Compared {
  const before = scored.map(({ film }) => film);
  const after = scored.map((each) => each.after);
  return {
    positives: positivesOf(after).length,
    negatives: negativesOf(after).length,
    area: areaUnderCurve(after),
    whole: areaUnderCurve(before),
    change: areaChange(before, after),
  };
}

/** The largest first. */
function strataOf(scored: readonly Twice[], key: (film: Film) => string | null): Change['bySource'] {
  const groups = [...Map.groupBy(scored, ({ film }) => key(film))].sort(([, a], [, b]) => b.length - a.length);
  return groups.map(([stratum, members]) => ({ stratum, ...compared(members) }));
}
