import type { HeatMaps, LungMass } from './heat-map.ts';
import type { Hits } from './pointing.ts';
import type { Estimate } from './scored.ts';
import { type Compared, equalised, type Shortcuts } from './shortcuts.ts';

/** The parts of `metrics.json` that tell whether a model looks at lungs. Names are stable, as in `metrics.ts`. */

const notTold = 'not told';

export function heatMapOf({ calledPositive, all, bySource, pointing, zones }: HeatMaps) {
  return {
    lung_mass: {
      ...{ called_positive: massOf(calledPositive), all: massOf(all) },
      by_source: Object.fromEntries(bySource.map(({ name, mass }) => [name ?? notTold, massOf(mass)])),
      interval_method: 'percentiles of 2,000 means over groups drawn again',
    },
    pointing: pointing && { ...hitsOf(pointing), called_positive: hitsOf(pointing.calledPositive) },
    zones_called_positive: Object.fromEntries([...zones].map(([zone, films]) => [zone ?? 'none', films])),
  };
}

const massOf = ({ n, withoutMass, mean, meanCi95, median, meanOfFlat, strict }: LungMass) => ({
  ...{ n, without_mass: withoutMass, mean, mean_ci95: meanCi95, median, mean_of_flat_map: meanOfFlat },
  template_not_widened: { mean: strict.mean, mean_of_flat_map: strict.meanOfFlat },
});

const hitsOf = ({ n, hit, near, chance, chanceNear, centre }: Hits) => ({
  ...{ n, hit: estimateOf(hit), near: estimateOf(near) },
  ...{ chance, chance_near: chanceNear, chance_lung_centre: centre },
});

const estimateOf = ({ value, ci95 }: Estimate) => ({ value, ci95 });

/** By the name of the change. */
export function shortcutsOf({ changes, dicomLeftOut }: Shortcuts) {
  const strata = (of: readonly (Compared & { readonly stratum: string | null })[]) =>
    Object.fromEntries(of.map(({ stratum, ...figures }) => [stratum ?? notTold, comparedOf(figures)]));
  return Object.fromEntries(
    changes.map(({ name, refused, unmoved, bySource, byView, ...figures }) => [
      name,
      {
        ...comparedOf(figures),
        ...(name === 'equalised' ? { side: equalised.side, jpeg_quality: equalised.quality } : {}),
        ...{ n_refused: refused, n_score_unmoved: unmoved, n_dicom_left_out: dicomLeftOut },
        ...{ by_source: strata(bySource), by_view: strata(byView) },
      },
    ]),
  );
}

const comparedOf = ({ positives, negatives, area, whole, change }: Compared) => ({
  ...{ auc: area.value, auc_ci95: area.ci95, auc_whole_film: whole.value },
  ...{ change: change.value, change_ci95: change.ci95, n_positive: positives, n_negative: negatives },
});
