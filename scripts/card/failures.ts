import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Examine } from '../../src/core/examination.ts';
import { isPresent } from '../../src/science/scored.ts';
import type { Row } from '../../src/science/table.ts';

/** The films that a model is surest of and wrong about: for somebody to look at, and never for the repository. */

export type FailureKind = 'false positive' | 'false negative';

/** What may be told of a film without saying whose it is. */
export interface ToldFailure {
  readonly kind: FailureKind;
  /** From 1: the surest. */
  readonly rank: number;
  readonly score: number;
  readonly view: string | null;
  /** Text-mined findings, as the table names them. */
  readonly findings: string;
}

export interface FailedFilm extends ToldFailure {
  readonly file: string;
}

const mostOfAKind = 8;

export function failedFilms(
  rows: readonly Row[],
  scores: ReadonlyMap<string, number>,
  threshold: number,
): readonly FailedFilm[] {
  const scored = rows.flatMap((row) => {
    const score = scores.get(row.file);
    return score === undefined ? [] : [{ row, score }];
  });
  const of = (kind: FailureKind, truth: Row['label'], present: boolean) =>
    scored
      .filter(({ row, score }) => row.label === truth && isPresent(score, threshold) === present)
      .sort((a, b) => (present ? b.score - a.score : a.score - b.score))
      .slice(0, mostOfAKind)
      .map(({ row: { file, view, cells }, score }, index) => ({
        ...{ kind, rank: index + 1, score, view, file },
        findings: cells['nih_labels'] ?? '',
      }));
  return [...of('false positive', 'none', true), ...of('false negative', 'opacity', false)];
}

export const told = ({ kind, rank, score, view, findings }: FailedFilm): ToldFailure => ({
  ...{ kind, rank, score, view, findings },
});

/** Each film as it is and under its heat-map, and a list that says which is which. */
export async function showFailures(
  films: readonly FailedFilm[],
  root: string,
  to: string,
  examine: Examine,
): Promise<void> {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const lines = ['picture,file,score,view,findings'];
  for (const { kind, rank, file, score, view, findings } of films) {
    const name = `${kind.replace(' ', '-')}-${rank}`;
    const path = join(root, file);
    copyFileSync(path, join(to, `${name}${extname(file)}`));
    const { picture } = await examine(path, { picture: true });
    if (picture) writeFileSync(join(to, `${name}-map.jpg`), picture.jpeg);
    lines.push([name, file, score, view ?? '', findings].join(','));
  }
  writeFileSync(join(to, 'failures.csv'), `${lines.join('\n')}\n`);
}
