import { type Decision, decide } from '../core/reading.ts';

/** What all statistics are made of: a score and what is true. */
export interface Scored {
  /** p(opacity), 0 to 1. */
  readonly score: number;
  readonly positive: boolean;
}

/** Of a statistic: value and two-sided 95 % interval; null where the films do not define it. */
export interface Estimate {
  readonly value: number | null;
  readonly ci95: Interval | null;
}

export type Interval = readonly [low: number, high: number];

/** 97.5 % quantile of the normal distribution. */
export const z975 = 1.959963984540054;

export const positivesOf = (films: readonly Scored[]): readonly Scored[] => films.filter(({ positive }) => positive);
export const negativesOf = (films: readonly Scored[]): readonly Scored[] => films.filter(({ positive }) => !positive);

export const isPresent = (score: number, threshold: number): boolean =>
  decide(score, threshold) === ('present' satisfies Decision);
