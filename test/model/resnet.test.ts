/** @jest-environment ./test/model/onnx-environment.js */

import { deviceUid, sha256 } from '../../src/core/ids.ts';
import { goldenRadiograph } from '../../src/model/golden.ts';
import type { LoadedModel } from '../../src/model/manifest.ts';
import { encodeModel, type ModelMessage } from '../../src/model/onnx-schema.ts';
import { buildResnet101 } from '../../src/model/resnet.ts';
import { openNetwork } from '../../src/model/session.ts';
import { preprocess } from '../../src/model/tensor.ts';
import { countParameters } from '../../src/model/untrained.ts';
import { loadNarrow } from './models.ts';

const convolutions = ({ graph }: ModelMessage) => graph.node.filter(({ opType }) => opType === 'Conv');

/** The narrow model's contract around another graph. */
function around(built: ModelMessage, features: number): LoadedModel {
  const narrow = loadNarrow();
  const weights = encodeModel(built);
  const digest = sha256(weights);
  const { outputs } = narrow.manifest;
  return {
    ...narrow,
    manifest: { ...narrow.manifest, outputs: { ...outputs, features: { name: 'features', shape: [1, features] } } },
    identity: { ...narrow.identity, sha256: digest, deviceUid: deviceUid(digest) },
    weights,
  };
}

describe('a ResNet-101 of full width', () => {
  test('has the 104 convolutions and 42.5 million parameters of the paper, and runs', async () => {
    const built = buildResnet101({ width: 64, seed: 1 });
    const trunk = convolutions(built).filter(({ name }) => name !== 'cam.conv');
    expect(trunk).toHaveLength(104);
    expect(trunk.filter(({ name }) => name.endsWith('.project.conv'))).toHaveLength(4);
    // torchvision's resnet101 with a head of 2 classes.
    expect(countParameters(built)).toBe(42_504_258);
    const model = around(built, 2048);
    const network = await openNetwork(model, { threads: 2 });
    const { tensor } = preprocess(goldenRadiograph(1), model.manifest.preprocess);
    const { probabilities, map, features } = await network.infer(tensor);
    await network.close();
    expect(probabilities).toHaveLength(2);
    expect(map.values).toHaveLength(49);
    expect(features).toHaveLength(2048);
    // Noise that grew through 33 blocks would end in infinities on the first bright film.
    expect(Math.max(...features)).toBeLessThan(100);
  }, 120_000);
});

describe('the narrow one', () => {
  test('has the same convolutions, because tests must walk the same path', () => {
    const strip = (model: ModelMessage) =>
      model.graph.node.map(({ name, opType, attribute }) => ({ name, opType, attribute }));
    const [narrow, wider] = [buildResnet101({ width: 2, seed: 1 }), buildResnet101({ width: 8, seed: 1 })];
    expect(strip(narrow)).toEqual(strip(wider));
    expect(convolutions(narrow)).toHaveLength(105);
  });

  test('is the same bytes for the same seed, and others for another', () => {
    const digest = (seed: number) => sha256(encodeModel(buildResnet101({ width: 2, seed })));
    expect(digest(5)).toBe(digest(5));
    expect(digest(5)).not.toBe(digest(6));
  });

  test('scores drawn films on both sides of 0.5, because a demo that shows one decision shows half', () => {
    const scores = loadNarrow().golden?.cases.map(({ probability }) => probability) ?? [];
    expect(Math.min(...scores)).toBeLessThan(0.4);
    expect(Math.max(...scores)).toBeGreaterThan(0.6);
  });
});
