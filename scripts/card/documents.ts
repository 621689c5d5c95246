import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../src/core/failure.ts';
import { sha256 } from '../../src/core/ids.ts';
import { type Manifest, manifestSchema } from '../../src/model/manifest.ts';
import { type Figures, figuresSchema } from './figures.ts';

/** What a card is made of: documents of the model folder alone, so that it can be made again without the films. */

const byGroup = z.record(z.string(), z.object({ auc: z.number().nullable(), opacity: z.int(), none: z.int() }));
const epoch = z.object({
  ...{ epoch: z.number(), step: z.int(), minutes: z.number(), size: z.int() },
  ...{ loss: z.number(), films_per_second: z.number(), blocks: z.array(z.int()).optional(), tune: byGroup },
});

/** `log.json` of the recipe (`models/recipe/outcome.py`). */
const logSchema = z.object({
  data: z.array(
    z.object({ ...{ part: z.string(), source: z.string(), view: z.string(), label: z.string() }, films: z.int() }),
  ),
  runs: z.array(
    z.object({
      settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      ...{ device: z.string(), torch: z.string() },
    }),
  ),
  epochs: z.array(epoch),
  final: z
    .object({ ...{ step: z.int(), epoch: z.number(), minutes: z.number(), size: z.int() }, tune: byGroup })
    .nullable(),
  /** The head that `train-head` trained on this backbone (`models/recipe/with_head.py`), where there is one. */
  head: z.object({ tune: byGroup }).optional(),
});
export type Log = z.infer<typeof logSchema>;

const fitted = z.object({
  ...{ opacity: z.int(), none: z.int(), ece_before: z.number(), ece: z.number() },
  ...{ sensitivity: z.number(), specificity: z.number() },
});

/** `export.json` of the recipe (`models/recipe/export.py`). */
const exportSchema = z.object({
  weights_sha256: z.string(),
  torch: z.string(),
  onnxruntime: z.string(),
  films: z.int(),
  differences: z.object({ probability: z.number(), map: z.number(), features: z.number() }),
  heat: z.object({ percentile: z.number(), films: z.int() }),
  calibration: z
    .object({
      ...{ method: z.string(), source: z.string(), a: z.number(), c: z.number() },
      ...{ operating_point: z.number(), rule: z.string(), tune: fitted, check: fitted },
    })
    .nullable(),
});
export type Export = z.infer<typeof exportSchema>;

/** The part of `int8.json` that says what 8-bit arithmetic was seen to change. */
const int8Schema = z.object({
  /** Hex SHA-256 of the weights that it belongs to. */
  weights: z.string(),
  calibration: z.object({ films: z.int() }),
  seen: z.object({
    ...{ films: z.int(), aucFloat: z.number(), aucInt8: z.number(), decisionsChanged: z.number() },
    ...{ mapCorrelation: z.number(), passed: z.boolean() },
  }),
});
export type Int8 = z.infer<typeof int8Schema>;

/** `acceptance.json`, written by whoever measured the delivered model on films that its makers never had. */
const acceptanceSchema = z.strictObject({
  auc: z.number().min(0).max(1),
  auc_ci95: z.tuple([z.number(), z.number()]).nullable(),
  ...{ n_positive: z.int().min(1), n_negative: z.int().min(1) },
  /** What the films are, in a few words. */
  films: z.string().min(1),
  weights_sha256: z.string(),
});
export type Acceptance = z.infer<typeof acceptanceSchema>;

export interface Documents {
  readonly manifest: Manifest;
  readonly figures: Figures;
  readonly log: Log | null;
  readonly exported: Export | null;
  readonly int8: Int8 | null;
  readonly acceptance: Acceptance | null;
  /** `card-notes.md`: what a person wrote. */
  readonly notes: string | null;
}

export const figuresFile = 'figures.json';
export const notesFile = 'card-notes.md';

/** Raises `model-unusable` for a document that is not of its form. */
export function readDocuments(folder: string, fresh: Figures | null = null): Documents {
  return {
    manifest: required(folder, 'model.json', manifestSchema),
    figures: fresh ?? required(folder, figuresFile, figuresSchema),
    log: optional(folder, 'log.json', logSchema),
    exported: optional(folder, 'export.json', exportSchema),
    int8: optional(folder, 'int8.json', int8Schema),
    acceptance: optional(folder, 'acceptance.json', acceptanceSchema),
    notes: existsSync(join(folder, notesFile)) ? readFileSync(join(folder, notesFile), 'utf8').trim() : null,
  };
}

function required<T>(folder: string, name: string, schema: z.ZodType<T>): T {
  const found = optional(folder, name, schema);
  if (found !== null) return found;
  throw new Failure('model-unusable', { where: name, expected: 'a file in the model folder' });
}

function optional<T>(folder: string, name: string, schema: z.ZodType<T>): T | null {
  const path = join(folder, name);
  if (!existsSync(path)) return null;
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const got = cause instanceof z.ZodError ? (cause.issues[0]?.path.join('.') ?? 'another form') : 'no JSON';
    throw new Failure('model-unusable', { where: name, expected: 'the form that the card reads', got, cause });
  }
}

/** Whose figures they are: the weights, and the settings under which a score and a decision came about. */
export function modelFacts({ manifest }: { readonly manifest: Manifest }): Figures['model'] {
  const { id, version, weights, preprocess, operatingPoint } = manifest;
  const settings = sha256(JSON.stringify([preprocess, operatingPoint]));
  return { id, version, sha256: weights.sha256, settings_sha256: settings };
}

/** Figures of other weights, or of these with another crop or threshold, say nothing of this model: `model-unusable`. */
export function requireOwnFigures({ manifest, figures }: Pick<Documents, 'manifest' | 'figures'>): void {
  const expected = modelFacts({ manifest });
  const others = Object.values(figures.sets).filter(({ model_sha256: of }) => of !== expected.sha256);
  const same = figures.model.sha256 === expected.sha256 && figures.model.settings_sha256 === expected.settings_sha256;
  if (same && others.length === 0) return;
  const got = 'figures of other weights or settings: measure again (--data)';
  throw new Failure('model-unusable', { where: figuresFile, expected: `figures of ${expected.sha256}`, got });
}
