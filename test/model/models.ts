import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/core/ids.ts';
import { type LoadedModel, loadModel, type Manifest } from '../../src/model/manifest.ts';
import { decodeModel, encodeModel, type ModelMessage, onnxElement } from '../../src/model/onnx-schema.ts';
import { temporaryFolder } from './python.ts';

/** The committed narrow model, and copies of it with one thing changed. */

export const narrowFolder = 'models/resnet101-narrow-untrained';

/** A copy of the narrow model's folder that a test may harm. */
export function copyOfNarrow(): string {
  const folder = join(temporaryFolder(), 'resnet101-narrow-untrained');
  mkdirSync(folder);
  cpSync(narrowFolder, folder, { recursive: true });
  return folder;
}

/** Rewrites the manifest of a copied folder. */
export function changeManifest(folder: string, change: (manifest: Manifest) => object): void {
  const file = join(folder, 'model.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  writeFileSync(file, JSON.stringify(change(manifest)));
}

/** Rewrites the weights of a copied folder, and their digest with them: only the graph itself can be found at fault. */
export function changeWeights(folder: string, change: (model: ModelMessage) => ModelMessage): void {
  const file = join(folder, 'weights.onnx');
  const weights = encodeModel(change(decodeModel(readFileSync(file))));
  writeFileSync(file, weights);
  changeManifest(folder, (manifest) => ({ ...manifest, weights: { ...manifest.weights, sha256: sha256(weights) } }));
}

/** The model with an initializer's first number replaced. */
export function withNumber(model: ModelMessage, name: string, value: number): ModelMessage {
  const initializer = model.graph.initializer.map((tensor) => {
    if (tensor.name !== name) return tensor;
    const rawData = Uint8Array.from(tensor.rawData);
    new DataView(rawData.buffer).setFloat32(0, value, true);
    return { ...tensor, rawData };
  });
  return { ...model, graph: { ...model.graph, initializer } };
}

/** The loaded model whose graph also gives out an inner value. */
export function withInnerOutput(model: LoadedModel, name: string, dims: readonly number[]): LoadedModel {
  const message = decodeModel(model.weights);
  const tensorType = { elemType: onnxElement.float, shape: { dim: dims.map((dimValue) => ({ dimValue })) } };
  const output = [...message.graph.output, { name, type: { tensorType } }];
  return { ...model, weights: encodeModel({ ...message, graph: { ...message.graph, output } }) };
}

export const loadNarrow = (): LoadedModel => loadModel(narrowFolder);
