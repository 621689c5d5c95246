import type { Figures, SetFigures } from '../../scripts/card/figures.ts';
import { setNames } from '../../scripts/card/sets.ts';

/** Invented figures: every set alike. */

export interface Headline {
  readonly auc: number;
  readonly sensitivity: number;
  readonly specificity: number;
  readonly ece: number;
}

export function madeFigures(headline: Headline = { auc: 0.9, sensitivity: 0.8, specificity: 0.8, ece: 0.04 }): Figures {
  const { auc, sensitivity, specificity, ece } = headline;
  const rates = {
    ...{ sensitivity, sensitivity_ci95: null, specificity, specificity_ci95: null },
    ...{ accuracy: 0.8, accuracy_ci95: [0.7, 0.9] as [number, number] },
  };
  const stratum = { n_positive: 5, n_negative: 6, auc, auc_ci95: [0.7, 0.99] as [number, number], ...rates };
  const at_prevalence = { prevalence: 0.0257, ppv: 0.1, npv: 0.99, flags_per_1000: 200 };
  const set: SetFigures = {
    ...stratum,
    ...{ ece, brier: 0.1, n_groups: 10, by_source: {}, by_view: { PA: stratum, AP: stratum } },
    operating_points: [{ name: 'manifest', threshold: 0.5, chosen_on_these_films: false, at_prevalence, ...rates }],
    calibration: [{ low: 0, high: 1, n: 11, mean_score: 0.5, share_of_positives: 0.45 }],
    ...{ unreadable: 0, left_out_as_seen: 0, model_sha256: 'a'.repeat(64) },
    ...{ software: '0.1.0', evaluated_at: '2026-01-01T00:00:00.000Z' },
  };
  const none = { value: null, ci95: null };
  const judged = {
    ...{ n: 0, crossed: { bothOpacity: 0, textOnly: 0, judgedOnly: 0, bothNone: 0 }, share: none, kappa: none },
    model: { positives: 0, negatives: 0, area: none },
  };
  return {
    model: { id: 'm', version: '1', sha256: 'a'.repeat(64), settings_sha256: 'b'.repeat(64) },
    sets: Object.fromEntries(setNames.map((name) => [name, set])) as Figures['sets'],
    judged: { google: judged, rsna: judged },
    failures: [{ kind: 'false positive', rank: 1, score: 0.9, view: 'PA', findings: 'No Finding' }],
  };
}

/** The same, with what an evaluation says that has looked for shortcuts. */
export function checkedFigures(lungsMaskedAuc: number, meanMass: number): Figures {
  const figures = madeFigures();
  const mass = {
    ...{ n: 6, mean: meanMass, mean_ci95: [0.6, 0.9] as [number, number], median: 0.85, mean_of_flat_map: 0.966 },
    template_not_widened: { mean: 0.61, mean_of_flat_map: 0.52 },
  };
  const masked = { auc: lungsMaskedAuc, auc_ci95: null, change: lungsMaskedAuc - 0.9, n_positive: 5, n_negative: 6 };
  const share = { value: 0.5, ci95: [0.2, 0.8] as [number, number] };
  const checks = {
    shortcuts: { lungs_masked: masked },
    heat_map: {
      lung_mass: { called_positive: mass, all: mass },
      pointing: { n: 8, hit: share, near: share, chance: 0.2 },
    },
  };
  const { adult, 'cross-source': crossSource } = figures.sets;
  return {
    ...figures,
    sets: { ...figures.sets, adult: { ...adult, ...checks }, 'cross-source': { ...crossSource, ...checks } },
  };
}
