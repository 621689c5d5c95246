import { z } from 'zod';
import { goldenSchema } from './golden.ts';

/** `int8.json` of a model folder: how its network runs in 8-bit arithmetic, and what that was seen to change. */

export const int8File = 'int8.json';

const share = z.number().min(0).max(1);

export const int8Schema = z.strictObject({
  /** Hex SHA-256 of the weights that this belongs to. */
  weights: z.string().regex(/^[0-9a-f]{64}$/),
  /** Films whose activations the ranges were taken from, and the digest of their table. */
  calibration: z.strictObject({ films: z.int().min(1), table: z.string() }),
  /** value = (level − zeroPoint) × scale. */
  activations: z.record(
    z.string(),
    z.strictObject({ scale: z.number().positive(), zeroPoint: z.int().min(0).max(255) }),
  ),
  /** Logit of p(opacity) = slope × logit of the 8-bit network + shift: takes back what is equal in all films. */
  logit: z.strictObject({ slope: z.number().positive(), shift: z.number() }),
  /** Known answers of the 8-bit network. */
  golden: goldenSchema,
  /** Against the float network, on films with labels. */
  seen: z.strictObject({
    films: z.int().min(1),
    aucFloat: share,
    aucInt8: share,
    /** Share of the films whose decision at the operating point differs. */
    decisionsChanged: share,
    /** Mean over the films whose map is not empty. */
    mapCorrelation: z.number().min(-1).max(1),
    passed: z.boolean(),
  }),
});

export type Int8 = z.infer<typeof int8Schema>;
