import { z } from 'zod';
import { Failure } from '../../src/core/failure.ts';
import type { Row } from '../../src/science/table.ts';
import { heatMapSchema, shortcutsSchema } from './checks.ts';
import { setNames } from './sets.ts';

/** `models/<id>/figures.json`: what a card says in numbers, and of which weights. No patient, no file name. */

const value = z.number().nullable();
const interval = z.tuple([z.number(), z.number()]).nullable();
const estimate = z.object({ value, ci95: interval });
export type EstimateFigure = z.infer<typeof estimate>;

const rates = z.object({
  ...{ sensitivity: value, sensitivity_ci95: interval },
  ...{ specificity: value, specificity_ci95: interval },
  ...{ accuracy: value, accuracy_ci95: interval },
});
const stratum = rates.extend({
  ...{ n_positive: z.int(), n_negative: z.int(), auc: value, auc_ci95: interval },
});
const point = rates.extend({
  name: z.string(),
  threshold: value,
  chosen_on_these_films: z.boolean(),
  at_prevalence: z.object({ prevalence: z.number(), ppv: value, npv: value, flags_per_1000: value }),
});
const bin = z.object({ low: z.number(), high: z.number(), n: z.int(), mean_score: value, share_of_positives: value });
/** Of a list that names films only its length is kept. */
const counted = z.union([z.int(), z.array(z.unknown()).transform((list) => list.length)]);

/** The part of `metrics.json` that a card needs: whatever else stands there is dropped, above all lists of films. */
export const setFiguresSchema = stratum.extend({
  ece: value,
  brier: value,
  n_groups: z.int(),
  by_source: z.record(z.string(), stratum),
  by_view: z.record(z.string(), stratum),
  operating_points: z.array(point),
  calibration: z.array(bin),
  unreadable: counted,
  left_out_as_seen: z.int(),
  model_sha256: z.string(),
  software: z.string(),
  evaluated_at: z.string(),
  /** Absent where it was not asked for. */
  shortcuts: shortcutsSchema.optional(),
  heat_map: heatMapSchema.optional(),
});
export type SetFigures = z.infer<typeof setFiguresSchema>;

const judgement = z.object({
  n: z.int(),
  crossed: z.object({ bothOpacity: z.int(), textOnly: z.int(), judgedOnly: z.int(), bothNone: z.int() }),
  share: estimate,
  kappa: estimate,
  model: z.object({ positives: z.int(), negatives: z.int(), area: estimate }),
});

export const figuresSchema = z.object({
  model: z.object({ id: z.string(), version: z.string(), sha256: z.string(), settings_sha256: z.string() }),
  sets: z.record(z.enum(setNames), setFiguresSchema),
  judged: z.object({ google: judgement, rsna: judgement }),
  failures: z.array(
    z.object({
      kind: z.enum(['false positive', 'false negative']),
      ...{ rank: z.int(), score: z.number(), view: z.string().nullable(), findings: z.string() },
    }),
  ),
});
export type Figures = z.infer<typeof figuresSchema>;

/** From `metrics.json`. Raises a ZodError where a figure is missing. */
export function setFigures(metrics: Readonly<Record<string, unknown>>): SetFigures {
  const { overlap, model } = z
    .object({ overlap: z.object({ left_out: z.array(z.unknown()) }), model: z.object({ sha256: z.string() }) })
    .parse(metrics);
  return rounded(
    setFiguresSchema.parse({ ...metrics, left_out_as_seen: overlap.left_out.length, model_sha256: model.sha256 }),
  );
}

const digits = 6;

/** Noise of the last bits would make each run another file. */
export function rounded<T>(whole: T): T {
  const text = JSON.stringify(whole, (_key, each: unknown) =>
    typeof each === 'number' ? Number(each.toPrecision(digits)) : each,
  );
  return JSON.parse(text) as T;
}

/** Raises `config-invalid` when figures name a film, a patient or a group of the table: they are for the public. */
export function refuseIdentifiers(figures: Figures, rows: readonly Row[]): void {
  const names = new Set(
    rows
      .flatMap(({ file, group, cells }) => [file, stem(file), group, cells['patient'] ?? ''])
      .filter(({ length }) => length >= shortestName),
  );
  const found = textsOf(figures).filter(
    (text) => names.has(text) || names.has(stem(text)) || /\.(jpe?g|png|dcm)\b/i.test(text),
  );
  if (found.length === 0) return;
  const expected = 'no file name, patient or group';
  throw new Failure('config-invalid', { where: 'figures.json', expected, got: `${found.length} of them` });
}

/** A group called `1` would be found in every version. */
const shortestName = 4;

const stem = (path: string): string => path.replace(/^.*\//, '').replace(/\.[^.]*$/, '');

function textsOf(node: unknown): readonly string[] {
  if (typeof node === 'string') return [node];
  if (node === null || typeof node !== 'object') return [];
  if (Array.isArray(node)) return node.flatMap(textsOf);
  return Object.entries(node).flatMap(([key, each]) => [key, ...textsOf(each)]);
}
