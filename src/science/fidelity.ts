import { join } from 'node:path';
import type { Examine } from '../core/examination.ts';
import { asFailure, Failure } from '../core/failure.ts';
import { decide, toScore } from '../core/reading.ts';
import { areaUnderCurve } from './delong.ts';
import { isPositive, mostUnreadable } from './predictions.ts';
import type { Row } from './table.ts';

/** Whether a network in fewer bits still says what the float network says, film by film. */

export interface Shot {
  /** p(opacity). */
  readonly score: number;
  /** Grad-CAM, cell by cell. */
  readonly map: readonly number[];
}

export interface ShootingTools {
  readonly root: string;
  readonly examine: Examine;
  readonly atOnce: number;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

/** What `seen` makes of each film; null where it cannot be read. Raises `images-unreadable` when too many cannot. */
export async function askAll<T>(
  rows: readonly Row[],
  { root, examine, atOnce, signal, progress }: ShootingTools,
  seen: (examination: Awaited<ReturnType<Examine>>) => T,
): Promise<readonly (T | null)[]> {
  const answers = new Array<T | null>(rows.length).fill(null);
  let next = 0;
  let done = 0;
  let unreadable = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < rows.length; index = next++) {
      signal.throwIfAborted();
      const answer = await examine(join(root, rows[index]!.file)).catch(readFailure);
      if (answer instanceof Failure) unreadable++;
      else answers[index] = seen(answer);
      if (unreadable > mostUnreadable * rows.length) throw tooMany(unreadable, rows.length);
      progress(++done, rows.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, rows.length) }, work));
  } catch (thrown) {
    // Ctrl-C in a terminal reaches the reader processes too: a film is not at fault for what dies then.
    signal.throwIfAborted();
    throw thrown;
  } finally {
    next = rows.length;
  }
  return answers;
}

function readFailure(thrown: unknown): Failure {
  const failure = asFailure(thrown);
  if (failure.class !== 'quarantine') throw failure;
  return failure;
}

function tooMany(unreadable: number, total: number): Failure {
  const expected = `at most ${Math.floor(mostUnreadable * total)} unreadable images`;
  return new Failure('images-unreadable', { where: 'files of the table', expected, got: `${unreadable} so far` });
}

export const shots = (rows: readonly Row[], tools: ShootingTools): Promise<readonly (Shot | null)[]> =>
  askAll(rows, tools, ({ score, map }) => ({ score, map: map.values }));

/** How two networks differ on the films that both could read. */
export interface Comparison {
  readonly films: number;
  readonly aucFloat: number;
  readonly aucOther: number;
  /** Share of the films whose decision differs. */
  readonly decisionsChanged: number;
  /** Pearson's, over the cells of a film, mean over the films whose map shows; null where none does. */
  readonly mapCorrelation: number | null;
  readonly largestDifference: number;
}

export interface ComparisonOptions {
  readonly operatingPoint: number;
  /** Map value of the deepest red. */
  readonly heatMax: number;
}

/** A map whose hottest cell is below this share of the heat scale is not seen in the picture. */
const shownFrom = 0.1;

/** Both classes must be among the films. */
export function compare(
  rows: readonly Row[],
  float: readonly (Shot | null)[],
  other: readonly (Shot | null)[],
  { operatingPoint, heatMax }: ComparisonOptions,
): Comparison {
  const pairs = rows.flatMap(({ label }, i) => {
    const [one, two] = [float[i], other[i]];
    return one && two ? [{ positive: isPositive(label), one, two }] : [];
  });
  const area = (side: 'one' | 'two') =>
    areaUnderCurve(pairs.map(({ positive, [side]: { score } }) => ({ positive, score }))).value;
  const [aucFloat, aucOther] = [area('one'), area('two')];
  if (aucFloat === null || aucOther === null)
    throw new Failure('table-invalid', { where: 'films to compare on', expected: 'films of both classes' });
  const decision = ({ score }: Shot) => decide(toScore(score), operatingPoint);
  const correlations = pairs
    .filter(({ one }) => Math.max(...one.map) >= shownFrom * heatMax)
    .map(({ one, two }) => correlation(one.map, two.map));
  return {
    films: pairs.length,
    ...{ aucFloat, aucOther },
    decisionsChanged: pairs.filter(({ one, two }) => decision(one) !== decision(two)).length / pairs.length,
    mapCorrelation: correlations.length === 0 ? null : mean(correlations),
    largestDifference: Math.max(...pairs.map(({ one, two }) => Math.abs(one.score - two.score))),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Pearson's; 0 where one side does not vary. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const sum = (of: (x: number, y: number) => number) =>
    a.reduce((total, value, i) => total + of(value - meanA, b[i]! - meanB), 0);
  const spread = Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
  return spread === 0 ? 0 : sum((x, y) => x * y) / spread;
}

/** What may change: with weights stored in 8 bits the ranking alone is asked for, with 8-bit arithmetic decisions and maps too. */
export const limits = { auc: 0.002, decisions: 0.002, map: 0.95 } as const;

const aucHolds = ({ aucFloat, aucOther }: Comparison): boolean => Math.abs(aucFloat - aucOther) <= limits.auc;

export function requireStored(comparison: Comparison): void {
  if (aucHolds(comparison)) return;
  throw new Failure('model-unusable', {
    where: 'weights in 8 bits',
    expected: `an AUC within ${limits.auc} of the float weights'`,
    got: wordsOf(comparison),
  });
}

export function int8Passes(comparison: Comparison): boolean {
  const { decisionsChanged, mapCorrelation } = comparison;
  return (
    aucHolds(comparison) &&
    decisionsChanged <= limits.decisions &&
    mapCorrelation !== null &&
    mapCorrelation >= limits.map
  );
}

export function requireInt8(comparison: Comparison): void {
  if (int8Passes(comparison)) return;
  const { auc, decisions, map } = limits;
  throw new Failure('model-unusable', {
    where: 'network in 8-bit arithmetic',
    expected: `an AUC within ${auc}, at most ${100 * decisions} % of decisions changed, maps that correlate by ${map}`,
    got: wordsOf(comparison),
  });
}

export function wordsOf(comparison: Comparison): string {
  const { films, aucFloat, aucOther, decisionsChanged, mapCorrelation, largestDifference } = comparison;
  return [
    `${films} films`,
    `AUC ${aucFloat.toFixed(4)} to ${aucOther.toFixed(4)}`,
    `${(100 * decisionsChanged).toFixed(2)} % of decisions changed`,
    `maps correlate by ${mapCorrelation?.toFixed(4) ?? 'nothing: none shows'}`,
    `scores differ by ${largestDifference.toFixed(4)} at most`,
  ].join(', ');
}
