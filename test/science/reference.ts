import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { uniform } from '../../src/model/random.ts';
import type { Scored } from '../../src/science/scored.ts';

/** An independent implementation of the statistics, in numpy. Use under `testWithPython`. */

export interface Reference {
  readonly auc: number;
  readonly standardError: number;
  readonly trapezoids: number;
  readonly tpr: readonly number[];
  readonly fpr: readonly number[];
  readonly youden: number | null;
  readonly confusion: readonly number[];
  readonly sensitivity: readonly [number, number];
  readonly specificity: readonly [number, number];
  readonly ece: number;
  readonly brier: number;
}

const python = process.env['CXR_TEST_PYTHON'] ?? resolve('test/services/.cache/venv/bin/python');

export function reference(films: readonly Scored[], threshold: number): Reference {
  const job = { score: films.map(({ score }) => score), positive: films.map(({ positive }) => positive), threshold };
  const input = JSON.stringify(job);
  const text = execFileSync(python, ['test/science/python/statistics.py'], { input, encoding: 'utf8' });
  return JSON.parse(text) as Reference;
}

/** Overlapping classes; with `steps` the scores are rounded to so many, so that nearly all are tied. */
export function drawnFilms(seed: number, count: number, steps: number | null): readonly Scored[] {
  const draw = uniform(seed);
  return Array.from({ length: count }, () => {
    const positive = draw() < 0.35;
    const score = 0.6 * draw() + (positive ? 0.38 * draw() ** 0.7 : 0.3 * draw());
    return { score: steps === null ? score : Math.round(score * steps) / steps, positive };
  });
}
