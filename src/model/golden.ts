import { z } from 'zod';
import { asFailure, Failure } from '../core/failure.ts';
import type { Radiograph } from '../core/study.ts';
import type { Manifest } from './manifest.ts';
import { uniform } from './random.ts';
import type { Network } from './session.ts';
import { preprocess } from './tensor.ts';

/** Known answers: films drawn from a seed, and the scores that the model's makers got for them. */

export const goldenSchema = z.strictObject({
  /** How far p(opacity) may be from the known answer on another machine. */
  tolerance: z.number().positive().max(0.01),
  cases: z.array(z.strictObject({ seed: z.int().min(0), probability: z.number().min(0).max(1) })).min(1),
});

export type Golden = z.infer<typeof goldenSchema>;

const columns = 280;
const rows = 340;

/**
 * A film-like picture: a bright middle between two dark fields, with soft bright spots and grain, all drawn from the seed.
 * It is no radiograph and says nothing about how well a model reads; it only has to come out the same.
 */
export function goldenRadiograph(seed: number): Radiograph {
  const draw = uniform(seed);
  const fields = [drawField(draw, 0.3), drawField(draw, 0.7)];
  const spots = Array.from({ length: 6 }, () => ({
    x: draw() * columns,
    y: draw() * rows,
    radius: 8 + 40 * draw(),
    height: 0.5 * draw(),
  }));
  const pixels = new Float32Array(columns * rows);
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, i++) {
      const dark = fields.reduce((sum, each) => sum + each.depth * Math.exp(-distance(x, y, each)), 0);
      const bright = spots.reduce((sum, { height, ...at }) => {
        const near = ((x - at.x) ** 2 + (y - at.y) ** 2) / at.radius ** 2;
        return near > 20 ? sum : sum + height * Math.exp(-near);
      }, 0);
      pixels[i] = Math.min(1, Math.max(0, 0.8 - dark + bright + 0.04 * (draw() - 0.5)));
    }
  }
  return { columns, rows, pixels, pixelAspect: 1 };
}

interface Field {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
}

function drawField(draw: () => number, centre: number): Field {
  return {
    x: columns * (centre + 0.06 * (draw() - 0.5)),
    y: rows * (0.45 + 0.1 * (draw() - 0.5)),
    width: columns * (0.15 + 0.06 * draw()),
    height: rows * (0.26 + 0.1 * draw()),
    depth: 0.4 + 0.3 * draw(),
  };
}

const distance = (x: number, y: number, field: Field): number =>
  ((x - field.x) / field.width) ** 4 + ((y - field.y) / field.height) ** 4;

/** Asks the first known answer: preprocessing, weights and runtime together. Raises `model-unusable` when it comes out otherwise. */
export async function checkGolden(network: Network, manifest: Manifest, golden: Golden): Promise<void> {
  const [first] = golden.cases;
  if (!first) return;
  const where = `known answer of seed ${first.seed}`;
  const expected = `${first.probability} within ${golden.tolerance}`;
  const { tensor } = preprocess(goldenRadiograph(first.seed), manifest.preprocess);
  const got = await network.infer(tensor).catch((cause: unknown) => {
    throw new Failure('model-unusable', { where, expected, got: asFailure(cause).message, cause });
  });
  const probability = got.probabilities[1];
  if (Math.abs(probability - first.probability) <= golden.tolerance) return;
  throw new Failure('model-unusable', { where, expected, got: String(probability) });
}
