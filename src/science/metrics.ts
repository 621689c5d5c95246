import type { Stratum } from './assess.ts';
import type { Calibration } from './calibration.ts';
import { cautions, type Evaluation, imagesPerMinute, modelEfficiency } from './evaluation.ts';
import { heatMapOf, shortcutsOf } from './metrics-checks.ts';
import type { OperatingPoint } from './operating.ts';
import { corners, type RocPoint } from './roc.ts';
import type { Estimate } from './scored.ts';

/** `metrics.json`: names are stable, new ones may be added. Figures at the top are at the model's operating point. */

export function metricsOf(evaluation: Evaluation): Readonly<Record<string, unknown>> {
  const { assessment, settings, scoring, model, table, machine } = evaluation;
  const { area, calibration, points } = assessment;
  const { name: _, ...chosen } = pointOf(points[0]!);
  return {
    auc: area.value,
    auc_ci95: area.ci95,
    auc_standard_error: area.standardError,
    auc_method: 'DeLong 1988; interval symmetric on the logit scale',
    ...chosen,
    ece: calibration.ece,
    ece_method: '10 bins of equal width on p(opacity)',
    brier: calibration.brier,
    n_positive: assessment.positives,
    n_negative: assessment.negatives,
    n_groups: assessment.groups,
    images_per_minute: imagesPerMinute(evaluation),
    model_efficiency: modelEfficiency(evaluation),
    radiologist_rate: settings.radiologistRate,
    by_source: strataOf(assessment.bySource),
    by_view: strataOf(assessment.byView),
    by_device: strataOf(assessment.byDevice),
    heat_map: heatMapOf(evaluation.heatMaps),
    ...(evaluation.shortcuts ? { shortcuts: shortcutsOf(evaluation.shortcuts) } : {}),
    operating_points: points.map(pointOf),
    calibration: binsOf(calibration),
    roc: curveOf(assessment.curve),
    cautions: cautions(evaluation),
    unreadable: scoring.unreadable,
    overlap: {
      checked: evaluation.overlapChecked,
      groups_compared: !settings.groupsUnrelated,
      left_out: scoring.alreadySeen,
    },
    table: { name: table.name, sha256: table.sha256, rows: table.rows, other_left_out: table.otherLeftOut },
    model: { id: model.id, version: model.version, sha256: model.sha256, training: model.training },
    machine,
    software: evaluation.software,
    evaluated_at: evaluation.evaluatedAt,
  };
}

const binsOf = ({ bins }: Calibration) =>
  bins.map(({ low, high, n, meanScore, shareOfPositives, ci95 }) => ({
    ...{ low, high, n, mean_score: meanScore, share_of_positives: shareOfPositives, ci95 },
  }));

const curveOf = (curve: readonly RocPoint[]) =>
  corners(curve).map(({ threshold, sensitivity, falsePositiveRate }) => ({
    threshold: Number.isFinite(threshold) ? threshold : null,
    false_positive_rate: falsePositiveRate,
    sensitivity,
  }));

const estimate = (name: string, { value, ci95 }: Estimate) => ({ [name]: value, [`${name}_ci95`]: ci95 });

function pointOf({ name, threshold, chosenHere, confusion, performance, atPrevalence }: OperatingPoint) {
  const { prevalence, accuracy, ppv, npv, flagsPerThousand } = atPrevalence;
  return {
    name,
    threshold: Number.isFinite(threshold) ? threshold : null,
    chosen_on_these_films: chosenHere,
    ...estimate('sensitivity', performance.sensitivity),
    ...estimate('specificity', performance.specificity),
    ...estimate('accuracy', performance.accuracy),
    confusion: {
      tp: confusion.truePositives,
      fn: confusion.falseNegatives,
      tn: confusion.trueNegatives,
      fp: confusion.falsePositives,
    },
    at_prevalence: { prevalence, accuracy, ppv, npv, flags_per_1000: flagsPerThousand },
  };
}

const notTold = 'not told';

const strataOf = (strata: readonly Stratum[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    strata.map(({ name, positives, negatives, area, performance }) => [
      name ?? notTold,
      {
        n_positive: positives,
        n_negative: negatives,
        ...estimate('auc', area),
        ...estimate('sensitivity', performance.sensitivity),
        ...estimate('specificity', performance.specificity),
        ...estimate('accuracy', performance.accuracy),
      },
    ]),
  );
