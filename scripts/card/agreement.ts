import { proportion } from '../../src/science/confusion.ts';
import { areaUnderCurve } from '../../src/science/delong.ts';
import { type Estimate, type Scored, z975 } from '../../src/science/scored.ts';
import type { Row } from '../../src/science/table.ts';
import { partOf } from './partition.ts';
import { adultFolders, folderOf } from './sets.ts';

/** How far labels that a program took from reports agree with labels that radiologists gave the film. Pure. */

export interface Judge {
  readonly name: 'google' | 'rsna';
  readonly column: string;
  /** Null where the film was not judged. */
  readonly verdict: (text: string) => boolean | null;
}

export const judges: readonly Judge[] = [
  {
    name: 'google',
    column: 'google_airspace_opacity',
    verdict: (text) => ({ YES: true, NO: false })[text.toUpperCase()] ?? null,
  },
  {
    name: 'rsna',
    column: 'rsna_class',
    verdict: (text) => (text === '' ? null : text === 'Lung Opacity'),
  },
];

/** Films by text-mined label and by verdict. */
export interface Crossed {
  readonly bothOpacity: number;
  readonly textOnly: number;
  readonly judgedOnly: number;
  readonly bothNone: number;
}

export interface Agreement {
  readonly n: number;
  readonly crossed: Crossed;
  readonly share: Estimate;
  readonly kappa: Estimate;
}

const textMined = (rows: readonly Row[]): readonly Row[] =>
  rows.filter((row) => adultFolders.includes(folderOf(row)) && (row.label === 'opacity' || row.label === 'none'));

/** Over all parts: a label is right or wrong whoever trains on it. */
export function agreementWith({ column, verdict }: Judge, rows: readonly Row[]): Agreement {
  const judged = textMined(rows).flatMap((row) => {
    const opacity = verdict(row.cells[column] ?? '');
    return opacity === null ? [] : [{ text: row.label === 'opacity', opacity }];
  });
  const count = (text: boolean, opacity: boolean) =>
    judged.filter((film) => film.text === text && film.opacity === opacity).length;
  const crossed = {
    bothOpacity: count(true, true),
    textOnly: count(true, false),
    judgedOnly: count(false, true),
    bothNone: count(false, false),
  };
  const agreed = crossed.bothOpacity + crossed.bothNone;
  return { n: judged.length, crossed, share: proportion(agreed, judged.length), kappa: cohensKappa(crossed) };
}

/** Cohen's kappa with the large-sample variance of Fleiss, Cohen & Everitt (Psychol Bull 1969; 72:323). */
export function cohensKappa({ bothOpacity, textOnly, judgedOnly, bothNone }: Crossed): Estimate {
  const n = bothOpacity + textOnly + judgedOnly + bothNone;
  if (n === 0) return { value: null, ci95: null };
  const p = [
    [bothOpacity / n, textOnly / n],
    [judgedOnly / n, bothNone / n],
  ] as const;
  const rows = [p[0][0] + p[0][1], p[1][0] + p[1][1]] as const;
  const columns = [p[0][0] + p[1][0], p[0][1] + p[1][1]] as const;
  const observed = p[0][0] + p[1][1];
  const expected = rows[0] * columns[0] + rows[1] * columns[1];
  if (expected === 1) return { value: null, ci95: null };
  const value = (observed - expected) / (1 - expected);
  let spread = 0;
  for (const i of [0, 1] as const) {
    spread += p[i][i] * (1 - (rows[i] + columns[i]) * (1 - value)) ** 2;
    for (const j of [0, 1] as const) if (i !== j) spread += (1 - value) ** 2 * p[i][j] * (columns[i] + rows[j]) ** 2;
  }
  const variance = (spread - (value - expected * (1 - value)) ** 2) / (n * (1 - expected) ** 2);
  const half = z975 * Math.sqrt(Math.max(0, variance));
  return { value, ci95: [Math.max(-1, value - half), Math.min(1, value + half)] };
}

/** Fewer films of a class than this, and an area under the curve is not told. */
export const fewestJudged = 10;

export interface JudgedArea {
  readonly positives: number;
  readonly negatives: number;
  /** Undefined values where a class has fewer than `fewestJudged` films. */
  readonly area: Estimate;
}

/** The model against radiologists, on the held-out films that they judged; `scores` by file. */
export function judgedArea(
  { column, verdict }: Judge,
  rows: readonly Row[],
  scores: ReadonlyMap<string, number>,
): JudgedArea {
  const films: readonly Scored[] = rows.flatMap(({ file, group, cells }) => {
    const positive = verdict(cells[column] ?? '');
    const score = scores.get(file);
    return positive === null || score === undefined || partOf(group) !== 'check' ? [] : [{ score, positive }];
  });
  const positives = films.filter(({ positive }) => positive).length;
  const negatives = films.length - positives;
  const enough = Math.min(positives, negatives) >= fewestJudged;
  const { value, ci95 } = enough ? areaUnderCurve(films) : { value: null, ci95: null };
  return { positives, negatives, area: { value, ci95 } };
}
