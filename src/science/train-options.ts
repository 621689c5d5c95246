import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import { manifestSchema } from '../model/manifest.ts';

/** Options of `train-head`. The paper's table of training options gives the defaults; what it leaves open is ours. */

/** `youden`, `specificity=0.9`, or a threshold on p(opacity). */
const pointRule = z
  .string()
  .regex(/^(youden|specificity=0?\.\d+|0?\.\d+)$/, 'youden, specificity=0.9 or a threshold such as 0.5');

export const trainHeadOptionsSchema = z.strictObject({
  id: manifestSchema.shape.id,
  epochs: z.int().min(1).max(10_000).default(8),
  batch: z.int().min(1).max(100_000).default(10),
  learningRate: z.number().positive().max(10).default(1e-4),
  /** Not in the paper: what its toolbox does when nothing is said. */
  momentum: z.number().min(0).lt(1).default(0.9),
  /** Not in the paper, likewise. */
  l2: z.number().min(0).max(10).default(1e-4),
  /** The layer sees the features as they are, not scaled, and has a bias. */
  rawFeatures: z.boolean().default(false),
  /** Share of the films of each label that train; the others validate. */
  split: z.number().gt(0).lt(1).default(0.7),
  seed: z.int().min(0).max(2_147_483_646).default(1),
  /** Confirmed COVID-19 counts as opacity; the paper keeps it out of training. */
  includeCovid: z.boolean().default(false),
  operatingPoint: pointRule.default('youden'),
  name: manifestSchema.shape.name.optional(),
  modelVersion: manifestSchema.shape.version.default('1'),
  manufacturer: manifestSchema.shape.manufacturer.optional(),
});

export type TrainHeadOptions = Readonly<z.output<typeof trainHeadOptionsSchema>>;

/** Raises `config-invalid` that names the flag. */
export function parseTrainHeadOptions(input: Readonly<Record<string, unknown>>): TrainHeadOptions {
  const parsed = trainHeadOptionsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue?.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : String(issue?.path[0] ?? '');
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new Failure('config-invalid', { where: flag, expected: issue?.message ?? 'a valid value' });
}
