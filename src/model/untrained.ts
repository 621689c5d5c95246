import { deviceUid, sha256 } from '../core/ids.ts';
import { type Golden, goldenRadiograph } from './golden.ts';
import { identityOf, type LoadedModel, type Manifest } from './manifest.ts';
import { encodeModel, type ModelMessage } from './onnx-schema.ts';
import type { Step } from './preprocess-steps.ts';
import { buildResnet101, featuresOf, type Head, resnetNames, resnetOpset } from './resnet.ts';
import { type Network, openNetwork } from './session.ts';
import { preprocess } from './tensor.ts';
import { spreadHead } from './untrained-head.ts';

/** Makes a whole model folder around a network of noise: manifest, card, weights and known answers. */

export interface UntrainedOptions {
  readonly id: string;
  /** Channels of the first convolution: 64 makes the ResNet-101 of the paper, 4 one for fast tests. */
  readonly width: number;
  readonly seed: number;
}

export interface UntrainedFolder {
  readonly files: {
    readonly 'weights.onnx': Uint8Array;
    readonly 'model.json': string;
    readonly 'golden.json': string;
    readonly 'CARD.md': string;
  };
  readonly parameters: number;
}

/** As the training code prepares films. */
export const steps: readonly Step[] = [
  { step: 'resize', width: 224, height: 224, kernel: 'bicubic' },
  { step: 'percentile-stretch', low: 1, high: 99 },
  { step: 'quantize', rounding: 'floor' },
  { step: 'normalize', statistics: 'per-film' },
];

const fittingFilms = 12;
const goldenSeeds = [1, 2, 3, 4, 5, 6];
const goldenTolerance = 1e-3;

export async function buildUntrained(options: UntrainedOptions): Promise<UntrainedFolder> {
  const { width, seed } = options;
  const trunk = await openBuilt(options, buildResnet101({ width, seed }), 1);
  const features: Float32Array[] = [];
  for (let film = 0; film < fittingFilms; film++) features.push((await ask(trunk, 1000 + film)).features);
  await trunk.close();
  const head: Head = spreadHead(features, seed);
  const built = buildResnet101({ width, seed, head });
  const network = await openBuilt(options, built, 1);
  const cases: Golden['cases'] = [];
  const peaks: number[] = [];
  for (const goldenSeed of goldenSeeds) {
    const { probabilities, map } = await ask(network, goldenSeed);
    cases.push({ seed: goldenSeed, probability: Number(probabilities[1].toFixed(6)) });
    peaks.push(Math.max(...map.values));
  }
  await network.close();
  const weights = encodeModel(built);
  const manifest = manifestFor(options, weights, Math.max(...peaks));
  const parameters = countParameters(built);
  return {
    files: {
      'weights.onnx': weights,
      'model.json': `${JSON.stringify(manifest, null, 2)}\n`,
      'golden.json': `${JSON.stringify({ tolerance: goldenTolerance, cases } satisfies Golden, null, 2)}\n`,
      'CARD.md': cardFor(manifest, options, parameters),
    },
    parameters,
  };
}

async function ask(network: Network, film: number) {
  return network.infer(preprocess(goldenRadiograph(film), steps).tensor);
}

function openBuilt(options: UntrainedOptions, built: ModelMessage, heatMax: number): Promise<Network> {
  const weights = encodeModel(built);
  const manifest = manifestFor(options, weights, heatMax);
  const model: LoadedModel = { folder: '', manifest, identity: identityOf(manifest), weights, golden: null };
  return openNetwork(model, { threads: 1 });
}

function manifestFor({ id, width }: UntrainedOptions, weights: Uint8Array, heatMax: number): Manifest {
  const { input, probabilities, map, features } = resnetNames;
  return {
    id,
    manufacturer: 'cxr-gateway project',
    name: width === 64 ? 'ResNet-101, untrained' : `ResNet-101 of width ${width}, untrained`,
    version: '1',
    training: 'untrained',
    intendedUse: 'Tests and demonstration of the gateway. The weights are noise: its scores say nothing about a film.',
    weights: { file: 'weights.onnx', sha256: sha256(weights) },
    opset: resnetOpset,
    input: { name: input, shape: [1, 3, 224, 224] },
    outputs: {
      probabilities: { name: probabilities, shape: [1, 2] },
      map: { name: map, shape: [1, 1, 7, 7] },
      features: { name: features, shape: [1, featuresOf(width)] },
    },
    classes: ['none', 'opacity'],
    preprocess: [...steps] as Manifest['preprocess'],
    operatingPoint: 0.5,
    heat: { max: Number(heatMax.toPrecision(3)) },
    golden: 'golden.json',
  };
}

/** Learnable numbers, as torchvision counts them: the statistics of the normalisations are none. */
export function countParameters({ graph }: ModelMessage): number {
  const learnable = graph.initializer.filter(({ name }) => /\.(weight|bias|scale)$/.test(name));
  return learnable.reduce((sum, { dims }) => sum + dims.reduce((product, dim) => product * dim, 1), 0);
}

function cardFor(manifest: Manifest, { width, seed }: UntrainedOptions, parameters: number): string {
  return `# ${manifest.name}

**This model has learned nothing.** Its weights are noise drawn from seed ${seed}; its scores and its heat-maps say nothing
about a film. It exists so that tests, the demo and measurements of speed can run a network of the right shape.
The gateway marks every result of it UNTRAINED MODEL, and \`serve\` refuses to use it unless it is told otherwise.

| | |
|---|---|
| Network | ResNet-101, ${width} channels in the first convolution, 104 convolutions, ${parameters} parameters, ${featuresOf(width)} features |
| Input | one frontal chest radiograph, 224 × 224, squashed, grey in three channels |
| Output | p(none), p(opacity); Grad-CAM of p(opacity), 7 × 7; features |
| Training data | none |
| Performance | none: not better than chance, and not meant to be |
| Head | a direction drawn from the seed in which the features of ${fittingFilms} drawn pictures differ, so that scores spread around 0.5 |
| Heat scale | the hottest cell seen on ${goldenSeeds.length} drawn pictures |
| Known answers | \`golden.json\`: scores of drawn pictures, checked at each start |
| DeviceUID | ${deviceUid(manifest.weights.sha256)} |
| Made by | \`node scripts/build-model.ts --width ${width} --seed ${seed} --id ${manifest.id}\` |
`;
}
