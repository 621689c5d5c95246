import { Failure } from '../core/failure.ts';
import type { Extracted } from './features.ts';
import type { Grouped, Split } from './split.ts';
import type { Label, Row } from './table.ts';

/** Which rows of a table train a head, and as what. Pure. */

/** 0 none, 1 opacity. */
export type Target = Grouped['target'];

export interface TrainingRow extends Grouped {
  readonly file: string;
  readonly label: Label;
}

export interface TrainingFilm extends TrainingRow {
  readonly features: Float32Array;
  readonly fileDigest: string;
}

/** How many films each step left; the card tells all of it. */
export interface TableCounts {
  readonly rows: number;
  readonly none: number;
  readonly opacity: number;
  /** Rows of confirmed COVID-19 that count as opacity. */
  readonly covid: number;
  /** Rows left out for their label. */
  readonly leftOut: number;
}

/** Rows with a target: opacity and none, covid where it was asked for; the others are left out. Raises `table-invalid`. */
export function trainingRows(
  rows: readonly Row[],
  includeCovid: boolean,
): { readonly rows: readonly TrainingRow[]; readonly counts: TableCounts } {
  const used = rows.flatMap(({ file, label, group }): TrainingRow[] => {
    if (label === 'other' || (label === 'covid' && !includeCovid)) return [];
    return [{ file, label, group, target: label === 'none' ? 0 : 1 }];
  });
  requireBothClasses(used, 'column label');
  const count = (label: Label) => used.filter((row) => row.label === label).length;
  const [none, opacity, covid] = [count('none'), count('opacity'), count('covid')];
  return { rows: used, counts: { rows: rows.length, none, opacity, covid, leftOut: rows.length - used.length } };
}

export function requireBothClasses(films: readonly Grouped[], where: string): void {
  const opacity = films.filter(({ target }) => target === 1).length;
  const none = films.length - opacity;
  if (none > 0 && opacity > 0) return;
  const got = `${opacity} opacity, ${none} none`;
  throw new Failure('table-invalid', { where, expected: 'films of both classes, opacity and none', got });
}

/** Raises `table-invalid` when a side lacks a class: one large group, or too few films. */
export function requireBothSides({ training, validation }: Split<Grouped>): void {
  requireBothClasses(training, 'training side of the split by group');
  requireBothClasses(validation, 'validation side of the split by group');
}

/**
 * One film for the same bytes under several names: only its first row stays, and the groups of all its rows become one group,
 * so that no copy stands on the other side of the split. Raises `table-invalid` when the rows contradict each other.
 */
export function withoutCopies(rows: readonly TrainingRow[], extracted: readonly Extracted[]): readonly TrainingFilm[] {
  const films = new Map<string, TrainingFilm>();
  const joined = new Map<string, string>();
  const rootOf = (group: string): string => {
    const parent = joined.get(group);
    return parent === undefined ? group : rootOf(parent);
  };
  for (const { index, features, fileDigest } of extracted) {
    const row = rows[index]!;
    const first = films.get(fileDigest);
    if (!first) films.set(fileDigest, { ...row, features, fileDigest });
    else if (first.target !== row.target) {
      const where = `rows of ${first.file} and ${row.file}`;
      throw new Failure('table-invalid', {
        where,
        expected: 'one label for one film',
        got: 'the same bytes, two labels',
      });
    } else if (rootOf(first.group) !== rootOf(row.group)) joined.set(rootOf(row.group), rootOf(first.group));
  }
  return [...films.values()].map((film) => ({ ...film, group: rootOf(film.group) }));
}
