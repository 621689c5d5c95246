import { z } from 'zod';

/** The preprocessing of a manifest: named steps with parameters, done in the order in which they stand. */

/** Side of the network's input, pixels. */
export const inputSide = 224;

const side = z.int().min(8).max(4096);
const percent = z.number().min(0).max(100);
const perChannel = z.tuple([z.number(), z.number(), z.number()]);

const resize = z.strictObject({
  step: z.literal('resize'),
  width: side,
  height: side,
  kernel: z.enum(['bicubic', 'lanczos3', 'triangle']),
});

const centralCrop = z.strictObject({
  step: z.literal('central-crop'),
  /** Share of each side that is kept. */
  fraction: z.number().gt(0).max(1),
});

const percentileStretch = z
  .strictObject({ step: z.literal('percentile-stretch'), low: percent, high: percent })
  .refine(({ low, high }) => low < high, 'low must be below high');

const quantize = z.strictObject({
  step: z.literal('quantize'),
  /** `floor` is what numpy's astype does, `nearest` what an 8-bit image library does. */
  rounding: z.enum(['floor', 'nearest']),
});

const normalize = z.discriminatedUnion('statistics', [
  z.strictObject({ step: z.literal('normalize'), statistics: z.literal('per-film') }),
  z.strictObject({
    step: z.literal('normalize'),
    statistics: z.literal('fixed'),
    mean: perChannel,
    std: perChannel.refine((values) => values.every((value) => value > 0), 'std must be above 0'),
  }),
]);

const step = z.union([resize, centralCrop, percentileStretch, quantize, normalize]);

export type Step = Readonly<z.infer<typeof step>>;
export type Kernel = z.infer<typeof resize>['kernel'];
export type Normalization = Readonly<z.infer<typeof normalize>>;
export type PlaneStep = Exclude<Step, Normalization>;

/** Ends with a normalisation, and with the plane at the network's input size. */
export const stepsSchema = z
  .array(step)
  .refine(
    (steps) => steps.findIndex(isNormalization) === steps.length - 1,
    'exactly one normalize, and it is the last step',
  )
  .refine((steps) => {
    const last = steps.findLast((each) => each.step === 'resize' || each.step === 'central-crop');
    return last?.step === 'resize' && last.width === inputSide && last.height === inputSide;
  }, `the last change of size is a resize to ${inputSide}x${inputSide}`);

export function isNormalization(each: Step): each is Normalization {
  return each.step === 'normalize';
}

/** All steps with all parameters in one line: it is written into results, and its digest into their identities. */
export function describeSteps(steps: readonly Step[]): string {
  return steps.map(describeStep).join('; ');
}

function describeStep(each: Step): string {
  switch (each.step) {
    case 'resize':
      return `resize ${each.width}x${each.height} ${each.kernel}`;
    case 'central-crop':
      return `central-crop ${each.fraction}`;
    case 'percentile-stretch':
      return `percentile-stretch ${each.low}-${each.high}`;
    case 'quantize':
      return `quantize ${each.rounding}`;
    case 'normalize':
      return each.statistics === 'per-film'
        ? 'normalize per-film'
        : `normalize mean ${each.mean.join(',')} std ${each.std.join(',')}`;
  }
}
