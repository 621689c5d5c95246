import { type Calibration, calibrationOf } from './calibration.ts';
import { confusionAt, type Performance, performanceOf } from './confusion.ts';
import { type Area, areaUnderCurve } from './delong.ts';
import { type OperatingOptions, type OperatingPoint, operatingPoints } from './operating.ts';
import type { Film } from './predictions.ts';
import { type RocPoint, rocCurve } from './roc.ts';
import { negativesOf, positivesOf } from './scored.ts';

/** All that scored films say about a model. Pure. */

export interface Assessment {
  readonly positives: number;
  readonly negatives: number;
  readonly groups: number;
  readonly area: Area;
  readonly curve: readonly RocPoint[];
  readonly points: readonly OperatingPoint[];
  readonly calibration: Calibration;
  readonly bySource: readonly Stratum[];
  readonly byView: readonly Stratum[];
  readonly byDevice: readonly Stratum[];
  /** Every source with both classes has its own figure; false where no source has. */
  readonly comparableWithinSource: boolean;
}

/** Films that have one thing in common, at the model's operating point. */
export interface Stratum {
  /** Null: not told. */
  readonly name: string | null;
  readonly positives: number;
  readonly negatives: number;
  readonly area: Area;
  readonly performance: Performance;
}

/** Both classes must be there. */
export function assess(films: readonly Film[], options: OperatingOptions): Assessment {
  const curve = rocCurve(films);
  const strata = (key: (film: Film) => string | null) => stratify(films, key, options.manifestPoint);
  const bySource = strata(({ source }) => source);
  return {
    positives: positivesOf(films).length,
    negatives: negativesOf(films).length,
    groups: new Set(films.map(({ group }) => group)).size,
    area: areaUnderCurve(films),
    curve,
    points: operatingPoints(films, curve, options),
    calibration: calibrationOf(films),
    bySource,
    byView: strata(({ view }) => view),
    byDevice: strata(({ device }) => device),
    comparableWithinSource: bySource.some(({ positives, negatives }) => positives > 0 && negatives > 0),
  };
}

/** The largest stratum first. */
export function stratify(
  films: readonly Film[],
  key: (film: Film) => string | null,
  threshold: number,
): readonly Stratum[] {
  const groups = [...Map.groupBy(films, key)].sort(([, a], [, b]) => b.length - a.length);
  return groups.map(([name, members]) => ({
    name,
    positives: positivesOf(members).length,
    negatives: negativesOf(members).length,
    area: areaUnderCurve(members),
    performance: performanceOf(confusionAt(members, threshold)),
  }));
}
