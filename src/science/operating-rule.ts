import { Failure } from '../core/failure.ts';
import { atSpecificity, youden } from './operating.ts';
import { rocCurve } from './roc.ts';
import type { Scored } from './scored.ts';

/** The operating point of a new model, chosen on its validation films. Pure. */

/** The manifest takes thresholds between 0 and 1, without the ends. */
const edge = 1e-6;

/**
 * `youden`, `specificity=0.9` (the highest sensitivity there), or a threshold as it stands. A rule's threshold lies in the middle
 * between the two scores that it parts, so that rounding on another machine tips no validation film; six decimals, as scores have.
 */
export function chooseOperatingPoint(rule: string, validation: readonly Scored[]): number {
  if (!/^[a-z]/.test(rule)) return within(Number(rule));
  const curve = rocCurve(validation);
  const [, target] = rule.split('=');
  const { threshold } = target === undefined ? youden(curve) : atSpecificity(curve, Number(target));
  if (!Number.isFinite(threshold)) {
    const where = '--operating-point';
    throw new Failure('config-invalid', {
      where,
      expected: 'a rule that calls some validation film positive',
      got: rule,
    });
  }
  const below = validation.reduce((most, { score }) => (score < threshold && score > most ? score : most), 0);
  const middle = Math.round(((below + threshold) / 2) * 1e6) / 1e6;
  return within(middle > below && middle <= threshold ? middle : threshold);
}

const within = (threshold: number): number => Math.min(1 - edge, Math.max(edge, threshold));
