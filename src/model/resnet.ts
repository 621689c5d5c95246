import { createGraph, type GraphBuilder } from './onnx.ts';
import type { ModelMessage } from './onnx-schema.ts';
import { uniform } from './random.ts';

/**
 * A ResNet-101 (He 2015, table 1; stride in the 3×3 convolution as in torchvision) with seeded weights, a two-class head and
 * its Grad-CAM as part of the graph. At width 64: 104 convolutions, 42.5 million parameters, 2,048 features.
 */

export const resnetNames = { input: 'film', probabilities: 'probabilities', map: 'map', features: 'features' } as const;
export const resnetOpset = 17;
/** Name of the value that holds the last feature map, 1 × features × 7 × 7. */
export const lastFeatureMap = 'trunk';

export interface Head {
  /** 2 × features, row by row: none, opacity. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

export interface ResnetOptions {
  /** Channels of the first convolution; 64 in the paper. */
  readonly width: number;
  readonly seed: number;
  readonly head?: Head;
}

const blocksOfStage = [3, 4, 23, 3] as const;
const expansion = 4;
/** Scale of each block's last normalisation: small, so that 33 additions of noise keep the features bounded. */
const branchScale = 0.25;

export const featuresOf = (width: number): number => width * 2 ** (blocksOfStage.length - 1) * expansion;

/** The model, ready to be encoded. Its weights are noise: it finds nothing. */
export function buildResnet101({ width, seed, head }: ResnetOptions): ModelMessage {
  const graph = createGraph();
  const draw = uniform(seed);
  const layers: Layers = { graph, draw };
  let value = relu(layers, 'stem.relu', convolve(layers, 'stem', resnetNames.input, [3, width, 7, 2]));
  value = graph.node('stem.pool', 'MaxPool', [value], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = width;
  blocksOfStage.forEach((blocks, stage) => {
    const inner = width * 2 ** stage;
    for (let block = 0; block < blocks; block++) {
      const last = stage === blocksOfStage.length - 1 && block === blocks - 1;
      const name = last ? lastFeatureMap : `stage${stage + 1}.${block}`;
      value = bottleneck(layers, name, value, { channels, inner, stride: stage > 0 && block === 0 ? 2 : 1 });
      channels = inner * expansion;
    }
  });
  addHead(graph, channels, head ?? randomHead(channels, draw));
  const { input, probabilities, map, features } = resnetNames;
  return graph.finish({
    name: 'resnet101',
    docString: `ResNet-101 of width ${width}, weights drawn from seed ${seed}. Untrained: finds nothing.`,
    opset: resnetOpset,
    input: { [input]: [1, 3, 224, 224] },
    output: {
      [probabilities]: [1, 2],
      [map]: [1, 1, 7, 7],
      [features]: [1, channels],
    },
  });
}

interface Layers {
  readonly graph: GraphBuilder;
  readonly draw: () => number;
}

/** Channels in, channels out, kernel side, stride. */
type ConvolutionShape = readonly [from: number, to: number, kernel: number, stride: number];

/** Convolution without bias, uniform weights of He's variance (2 / fan-in), and its batch normalisation (mean 0, variance 1). */
function convolve({ graph, draw }: Layers, name: string, input: string, shape: ConvolutionShape, scale = 1): string {
  const [from, to, kernel, stride] = shape;
  const fanIn = from * kernel * kernel;
  const drawn = noise(to * fanIn, Math.sqrt(6 / fanIn), draw);
  const weight = graph.floats(`${name}.conv.weight`, [to, from, kernel, kernel], drawn);
  const pad = (kernel - 1) / 2;
  const convolved = graph.node(`${name}.conv`, 'Conv', [input, weight], {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
  });
  const statistics = [
    graph.floats(`${name}.norm.scale`, [to], new Float32Array(to).fill(scale)),
    graph.floats(`${name}.norm.bias`, [to], new Float32Array(to)),
    graph.floats(`${name}.norm.mean`, [to], new Float32Array(to)),
    graph.floats(`${name}.norm.variance`, [to], new Float32Array(to).fill(1)),
  ];
  return graph.node(`${name}.norm`, 'BatchNormalization', [convolved, ...statistics], { epsilon: 1e-5 });
}

function relu({ graph }: Layers, name: string, input: string): string {
  return graph.node(name, 'Relu', [input]);
}

interface BlockShape {
  readonly channels: number;
  readonly inner: number;
  readonly stride: number;
}

/** 1×1 down, 3×3, 1×1 up, added to the input, which is projected where its shape changes. */
function bottleneck(layers: Layers, name: string, input: string, { channels, inner, stride }: BlockShape): string {
  const outer = inner * expansion;
  const down = relu(layers, `${name}.relu1`, convolve(layers, `${name}.1`, input, [channels, inner, 1, 1]));
  const across = relu(layers, `${name}.relu2`, convolve(layers, `${name}.2`, down, [inner, inner, 3, stride]));
  const up = convolve(layers, `${name}.3`, across, [inner, outer, 1, 1], branchScale);
  const projected = channels !== outer || stride !== 1;
  const beside = projected ? convolve(layers, `${name}.project`, input, [channels, outer, 1, stride]) : input;
  return relu(layers, name, layers.graph.node(`${name}.add`, 'Add', [up, beside]));
}

/**
 * Average, fully connected layer, softmax; and the Grad-CAM of p(opacity). For this head the gradient of the logit difference
 * at the last feature map A is (w1−w0)ₖ/(H·W) in every cell, so that ReLU(Σ(w1−w0)ₖAₖ) is Grad-CAM exactly, up to a factor.
 * w1−w0 is taken from the head's own weights in the graph: the map cannot disagree with the score.
 */
function addHead(graph: GraphBuilder, channels: number, { weight, bias }: Head): void {
  const { probabilities, map, features } = resnetNames;
  const pooled = graph.node('pool', 'GlobalAveragePool', [lastFeatureMap]);
  graph.node(features, 'Flatten', [pooled], { axis: 1 });
  const classes = graph.floats('head.weight', [2, channels], weight);
  const biases = graph.floats('head.bias', [2], bias);
  graph.node('logits', 'Gemm', [features, classes, biases], { transB: 1 });
  graph.node(probabilities, 'Softmax', ['logits'], { axis: 1 });
  const none = graph.node('cam.none', 'Gather', [classes, graph.ints('cam.index0', [0])], { axis: 0 });
  const opacity = graph.node('cam.opacity', 'Gather', [classes, graph.ints('cam.index1', [1])], { axis: 0 });
  const difference = graph.node('cam.difference', 'Sub', [opacity, none]);
  const kernel = graph.node('cam.kernel', 'Unsqueeze', [difference, graph.ints('cam.axes', [2, 3])]);
  const weighted = graph.node('cam.conv', 'Conv', [lastFeatureMap, kernel], { kernel_shape: [1, 1] });
  graph.node(map, 'Relu', [weighted]);
}

function randomHead(channels: number, draw: () => number): Head {
  return { weight: noise(2 * channels, Math.sqrt(3 / channels), draw), bias: new Float32Array(2) };
}

/** Uniform between −bound and bound. */
function noise(length: number, bound: number, draw: () => number): Float32Array {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = (2 * draw() - 1) * bound;
  return values;
}
