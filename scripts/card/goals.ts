import { checkGoals } from './checks.ts';
import type { Acceptance, Documents } from './documents.ts';
import type { SetFigures } from './figures.ts';
import { auc, decimal, percent } from './words.ts';

/** What was wanted of the model, set before it was trained, and what came of it. Pure. */

export interface Goal {
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
  /** Null: not measured. */
  readonly reached: boolean | null;
}

/** Area under the curve that the paper reports for confirmed COVID-19 against "No finding". */
export const paperAuc = 0.82;
const limits = { crossSource: 0.85, sensitivity: 0.773, specificity: 0.718, adult: 0.8, ece: 0.05 };

export function goalsOf({ figures: { sets } }: Pick<Documents, 'figures'>): readonly Goal[] {
  const { adult } = sets;
  const calibrated = adult.ece === null ? null : adult.ece <= limits.ece;
  const crossSource = sets['cross-source'];
  return [
    atLeast(
      'AUC across sources, COVID-19 of one hospital against normal films of another',
      limits.crossSource,
      crossSource,
    ),
    ...operating(crossSource),
    ...['AP', 'PA'].map((view) => atLeast(`AUC on held-out adults, ${view}`, limits.adult, adult.by_view[view])),
    {
      what: 'Calibration error (ECE) on held-out adults',
      wanted: `at most ${decimal(limits.ece)}`,
      got: adult.ece === null ? 'not defined' : decimal(adult.ece),
      reached: calibrated,
    },
    ...checkGoals({ sets }),
  ];
}

type Area = Pick<SetFigures, 'auc' | 'auc_ci95'>;

function atLeast(what: string, limit: number, figures: Area | undefined): Goal {
  const wanted = `at least ${limit.toFixed(2)}`;
  if (!figures || figures.auc === null) return { what, wanted, got: 'not measured', reached: null };
  return { what, wanted, got: auc(figures), reached: figures.auc >= limit };
}

/** The paper's pair of figures: at the threshold that ships, and at one that these very films choose. */
function operating({ operating_points: points }: SetFigures): readonly Goal[] {
  const wanted = `sensitivity at least ${percent(limits.sensitivity)} at specificity at least ${percent(limits.specificity)}`;
  const goal = (what: string, point: SetFigures['operating_points'][number] | undefined): Goal => {
    if (!point || point.sensitivity === null || point.specificity === null)
      return { what, wanted, got: 'not defined', reached: null };
    const { sensitivity, specificity } = point;
    const got = `${percent(sensitivity)} at ${percent(specificity)}`;
    return { what, wanted, got, reached: sensitivity >= limits.sensitivity && specificity >= limits.specificity };
  };
  const chosen = points
    .filter((point) => (point.specificity ?? 0) >= limits.specificity)
    .sort((a, b) => (b.sensitivity ?? 0) - (a.sensitivity ?? 0))[0];
  return [
    goal("Across sources at the model's own operating point", points[0]),
    goal('Across sources at the best threshold, chosen on the same films (what the curve can do)', chosen),
  ];
}

export const verdict = ({ reached }: Goal): string =>
  reached === null ? 'not known' : reached ? '**reached**' : '**not reached**';

/** The one sentence on the paper's figure: computed, so that nobody can claim what was not measured. */
export function parity(acceptance: Acceptance | null, weightsSha256: string): string {
  const none = `This card does not claim parity with the paper (AUC ${paperAuc})`;
  if (!acceptance) return `${none}: the model has not been measured on an acceptance set that its makers never had.`;
  if (acceptance.weights_sha256 !== weightsSha256)
    return `${none}: the acceptance figure that is there is of other weights.`;
  const told = `AUC ${auc({ auc: acceptance.auc, auc_ci95: acceptance.auc_ci95 })} on ${acceptance.films} (${acceptance.n_positive} positive, ${acceptance.n_negative} negative)`;
  if (acceptance.auc < paperAuc) return `${none}: the acceptance set gave ${told}, which is below it.`;
  return `The acceptance set gave ${told}: not below the paper's AUC of ${paperAuc}, on other films than the paper's.`;
}
