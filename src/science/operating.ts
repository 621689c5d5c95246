import {
  type AtPrevalence,
  atPrevalence,
  type Confusion,
  confusionAt,
  type Performance,
  performanceOf,
} from './confusion.ts';
import type { RocPoint } from './roc.ts';
import type { Scored } from './scored.ts';

/** Thresholds that one might run a model at. Pure. */

export interface OperatingPoint {
  readonly name: 'manifest' | 'half' | 'youden' | 'specificity';
  /** For a table's first column. */
  readonly title: string;
  readonly threshold: number;
  /** The threshold was chosen on these very films: its figures are optimistic. */
  readonly chosenHere: boolean;
  readonly confusion: Confusion;
  readonly performance: Performance;
  readonly atPrevalence: AtPrevalence;
}

export interface OperatingOptions {
  /** The threshold of the model's manifest. */
  readonly manifestPoint: number;
  /** The sensitivity is told where the specificity is at least this. */
  readonly targetSpecificity: number;
  readonly prevalence: number;
}

/** The manifest's point first, then p = 0.5 and two that the curve itself suggests. Both classes must be there. */
export function operatingPoints(
  films: readonly Scored[],
  curve: readonly RocPoint[],
  { manifestPoint, targetSpecificity, prevalence }: OperatingOptions,
): readonly OperatingPoint[] {
  const at = (name: OperatingPoint['name'], title: string, threshold: number, chosenHere: boolean): OperatingPoint => {
    const confusion = confusionAt(films, threshold);
    const performance = performanceOf(confusion);
    return {
      name,
      title,
      threshold,
      chosenHere,
      confusion,
      performance,
      atPrevalence: atPrevalence(confusion, prevalence),
    };
  };
  const target = `Specificity ≥\u00A0${(100 * targetSpecificity).toFixed(1)}\u00A0%`;
  return [
    at('manifest', "The model's own", manifestPoint, false),
    at('half', 'p = 0.5', 0.5, false),
    at('youden', "Youden's J", youden(curve).threshold, true),
    at('specificity', target, atSpecificity(curve, targetSpecificity).threshold, true),
  ];
}

/** Highest sensitivity + specificity − 1; of several, the one with the fewest alarms. */
export function youden(curve: readonly RocPoint[]): RocPoint {
  const gain = ({ sensitivity, falsePositiveRate }: RocPoint) => sensitivity - falsePositiveRate;
  return curve.reduce((best, point) => (gain(point) > gain(best) ? point : best));
}

/** Highest sensitivity where the specificity is at least `target`; of several, the one with the fewest alarms. */
export function atSpecificity(curve: readonly RocPoint[], target: number): RocPoint {
  const allowed = curve.filter(({ falsePositiveRate }) => 1 - falsePositiveRate >= target);
  return allowed.reduce((best, point) => (point.sensitivity > best.sensitivity ? point : best));
}
