import { z } from 'zod';
import { asFailure, Failure } from '../core/failure.ts';
import type { Radiograph } from '../core/study.ts';
import type { LoadedModel, Manifest } from './manifest.ts';
import { uniform } from './random.ts';
import type { BatchNetwork, Network } from './session.ts';
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
const spots = 6;

/** A smooth blot: the product of a profile over the columns and one over the rows. */
interface Blot {
  /** Negative for a dark one. */
  readonly height: number;
  readonly across: Float64Array;
  readonly down: Float64Array;
}

/**
 * A film-like picture: a bright middle between two dark fields, with soft bright spots and grain, all drawn from the seed.
 * It is no radiograph and says nothing about how well a model reads; it only has to come out the same.
 */
export function goldenRadiograph(seed: number): Radiograph {
  const draw = uniform(seed);
  const blots = [darkField(draw, 0.3), darkField(draw, 0.7), ...Array.from({ length: spots }, () => brightSpot(draw))];
  const pixels = new Float32Array(columns * rows);
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, i++) {
      let grey = 0.8 + 0.04 * (draw() - 0.5);
      for (const { height, across, down } of blots) grey += height * across[x]! * down[y]!;
      pixels[i] = Math.min(1, Math.max(0, grey));
    }
  }
  return { columns, rows, pixels, pixelAspect: 1 };
}

/** exp(−(distance / radius)^power) along one side. */
function profile(length: number, centre: number, radius: number, power: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.exp(-(Math.abs((i - centre) / radius) ** power)));
}

function darkField(draw: () => number, centre: number): Blot {
  return {
    height: -(0.4 + 0.3 * draw()),
    across: profile(columns, columns * (centre + 0.06 * (draw() - 0.5)), columns * (0.15 + 0.06 * draw()), 4),
    down: profile(rows, rows * (0.45 + 0.1 * (draw() - 0.5)), rows * (0.26 + 0.1 * draw()), 4),
  };
}

function brightSpot(draw: () => number): Blot {
  const radius = 8 + 40 * draw();
  return {
    height: 0.5 * draw(),
    across: profile(columns, draw() * columns, radius, 2),
    down: profile(rows, draw() * rows, radius, 2),
  };
}

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

/** How far a provider may be from the known answer: what design allows between processors, drivers and cards. */
const providerTolerance = 1e-4;

/**
 * Asks as many known answers in one run as films may go together, different ones, so that a graph that mixes its films is
 * found out. Gives the function that asks them again, for whoever wants to know how long that takes. Raises `model-unusable`.
 */
export async function checkProvider(
  network: BatchNetwork,
  { manifest, golden }: Pick<LoadedModel, 'manifest' | 'golden'>,
  films: number,
): Promise<() => Promise<unknown>> {
  if (!golden) throw new Failure('model-unusable', { where: 'known answers', expected: 'at least one', got: 'none' });
  const cases = Array.from({ length: films }, (_, film) => golden.cases[film % golden.cases.length]!);
  const tensors = cases.map(({ seed }) => preprocess(goldenRadiograph(seed), manifest.preprocess).tensor);
  const answers = await network.inferAll(tensors);
  cases.forEach(({ seed, probability }, film) => {
    const answer = answers[film];
    const got = answer instanceof Failure ? answer.message : String(answer?.probabilities[1]);
    if (Math.abs(Number(got) - probability) <= providerTolerance) return;
    const expected = `${probability} within ${providerTolerance}`;
    throw new Failure('model-unusable', { where: `known answer of seed ${seed}`, expected, got });
  });
  return () => network.inferAll(tensors);
}
