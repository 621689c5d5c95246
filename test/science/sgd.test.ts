import { gaussian } from '../../src/model/random.ts';
import { areaUnderCurve } from '../../src/science/delong.ts';
import { trainHeadOn } from '../../src/science/head-training.ts';
import { onRawFeatures, scaled, scalingOf } from '../../src/science/scaling.ts';
import { bestEpoch, type Epoch, type SgdOptions, trainEpochs } from '../../src/science/sgd.ts';
import { crossEntropy, probabilityOf, type Sample, type SoftmaxHead } from '../../src/science/softmax-head.ts';
import { parseTrainHeadOptions } from '../../src/science/train-options.ts';
import { requireBothSides, type TrainingFilm } from '../../src/science/training-films.ts';
import { fitLogistic } from './logistic.ts';

/** The paper's training options, from its table. */
const paper = `
| Optimizer             | SGD with momentum |
| Mini-batch size       | 10                |
| Maximum epochs        | 8                 |
| Initial learning rate | 1e-4              |
| Shuffle               | every epoch       |
| Validation            | every epoch       |
| Training share        | 0.7               |
`;
const fromPaper = (name: string): string => new RegExp(`\\| ${name} +\\| (.+?) +\\|`).exec(paper)![1]!;

const defaults = parseTrainHeadOptions({ id: 'm' });

/**
 * Features as a network pools them: positive, with a large common mean, most of their variance in a few directions. `shift`
 * parts the classes along directions that vary.
 */
function pooled(count: number, width: number, shift: number, seed: number): readonly TrainingFilm[] {
  const draw = gaussian(seed);
  const factors = Array.from({ length: 12 }, () => Float64Array.from({ length: width }, () => 0.15 * draw()));
  return Array.from({ length: count }, (_, i) => {
    const target = (i % 2) as 0 | 1;
    const shares = factors.map((_, j) => draw() + (j < 4 ? (target - 0.5) * shift : 0));
    const features = Float32Array.from({ length: width }, (_, k) =>
      Math.max(
        0,
        factors.reduce((sum, factor, j) => sum + shares[j]! * factor[k]!, 1.5 + 0.1 * draw()),
      ),
    );
    const name = String(i);
    return { file: name, label: target ? 'opacity' : 'none', group: name, target, features, fileDigest: name };
  });
}

const quiet = { signal: new AbortController().signal, epoch: () => {} };
const areaOf = (head: SoftmaxHead, films: readonly Sample[]): number =>
  areaUnderCurve(
    films.map(({ features, target }) => ({ score: probabilityOf(head, features), positive: target === 1 })),
  ).value!;

describe('the options', () => {
  test("are the paper's where it names one, because that is what is claimed", () => {
    expect(defaults.batch).toBe(Number(fromPaper('Mini-batch size')));
    expect(defaults.epochs).toBe(Number(fromPaper('Maximum epochs')));
    expect(defaults.learningRate).toBe(Number(fromPaper('Initial learning rate')));
    expect(defaults.split).toBe(Number(fromPaper('Training share')));
    expect(fromPaper('Optimizer')).toBe('SGD with momentum');
    expect([defaults.momentum, defaults.l2]).toEqual([0.9, 1e-4]);
  });

  test.each([
    [{ id: 'A b' }, '--id'],
    [{ id: 'm', epochs: 0 }, '--epochs'],
    [{ id: 'm', learningRate: Number.NaN }, '--learning-rate'],
    [{ id: 'm', split: 1 }, '--split'],
    [{ id: 'm', operatingPoint: 'best' }, '--operating-point'],
    [{ id: 'm', epoch: 3 }, '--epoch'],
  ])('name the flag that is wrong: %j', (input, flag) => {
    expect(() => parseTrainHeadOptions(input)).toThrow(`Where: ${flag}.`);
  });
});

describe('training', () => {
  const options: SgdOptions = {
    epochs: 3,
    batch: 10,
    learningRate: 0.01,
    momentum: 0.9,
    l2: 0.01,
    bias: true,
    seed: 4,
  };
  const films = pooled(200, 16, 1, 3);
  const split = { training: films.slice(0, 145), validation: films.slice(145) };

  test('takes the steps that the textbook takes, because the formula is the method', () => {
    // Without shuffle to hide behind: one batch an epoch, so that each step is full and the order of films does not matter.
    const whole = { ...options, batch: 145, epochs: 20 };
    const [weight, velocity] = [0, 0].map(() => [new Float64Array(17), new Float64Array(17)]);
    for (let step = 0; step < whole.epochs; step++) {
      const slope = [new Float64Array(17), new Float64Array(17)];
      for (const { features, target } of split.training) {
        const x = [...features, 1];
        const powers = weight!.map((row) => Math.exp(x.reduce((sum, value, k) => sum + value * row[k]!, 0)));
        powers.forEach((power, c) => {
          const error = power / (powers[0]! + powers[1]!) - (c === target ? 1 : 0);
          x.forEach((value, k) => {
            slope[c]![k]! += (error * value) / split.training.length;
          });
        });
      }
      for (const c of [0, 1])
        for (let k = 0; k < 17; k++) {
          const decay = k < 16 ? whole.l2 * weight![c]![k]! : 0;
          velocity![c]![k] = whole.momentum * velocity![c]![k]! - whole.learningRate * (slope[c]![k]! + decay);
          weight![c]![k]! += velocity![c]![k]!;
        }
    }
    const { head } = [...trainEpochs(split, whole)].at(-1)!;
    for (const c of [0, 1]) {
      expect(head.bias[c]).toBeCloseTo(weight![c]![16]!, 10);
      for (let k = 0; k < 16; k++) expect(head.weight[c * 16 + k]).toBeCloseTo(weight![c]![k]!, 10);
    }
  });

  test('leaves the biases at 0 when it is told to, because what a bias says the heat-map cannot show', () => {
    const { head } = [...trainEpochs(split, { ...options, bias: false })].at(-1)!;
    expect([...head.bias]).toEqual([0, 0]);
    expect(head.weight.some((value) => value !== 0)).toBe(true);
  });

  test('gives the same numbers for one seed and others for another, because a result must be made again', () => {
    expect([...trainEpochs(split, options)]).toEqual([...trainEpochs(split, options)]);
    expect([...trainEpochs(split, options)]).not.toEqual([...trainEpochs(split, { ...options, seed: 5 })]);
  });

  test('sees every film once an epoch, each time in another order, because that is what shuffling is', () => {
    // A rate of nothing leaves a tie for every film, which counts as opacity: a batch's accuracy is its share of opacity.
    const [first, second] = [...trainEpochs(split, { ...options, learningRate: 0 })];
    const share = split.training.filter(({ target }) => target === 1).length / split.training.length;
    expect(first!.batches).toHaveLength(15);
    expect(first!.training.accuracy).toBeCloseTo(share, 12);
    expect(second!.training.accuracy).toBeCloseTo(share, 12);
    expect(second!.batches).not.toEqual(first!.batches);
  });

  test('keeps the epoch of the lowest validation loss, of equals the first', () => {
    const epoch = (number: number, loss: number) => ({ number, validation: { loss, accuracy: 0 } }) as unknown as Epoch;
    expect(bestEpoch([epoch(1, 3), epoch(2, 1), epoch(3, 1), epoch(4, 2)])?.number).toBe(2);
  });

  test('tells a loss that leaves all bounds, because NaN in a graph loads silently', async () => {
    const raw = { ...defaults, rawFeatures: true, learningRate: 10, l2: 10, epochs: 2000, batch: 1, momentum: 0.99 };
    await expect(trainHeadOn(films, raw, quiet)).rejects.toThrow(/--learning-rate/);
  }, 60_000);

  test('is heard when it is stopped, between two epochs', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const stop = ({ number }: Epoch) => {
      seen.push(number);
      if (number === 2) abort.abort();
    };
    await expect(trainHeadOn(films, defaults, { signal: abort.signal, epoch: stop })).rejects.toThrow(/abort/i);
    expect(seen).toEqual([1, 2]);
  });
});

describe('what is learned', () => {
  test.each([
    ['separable', 6],
    ['overlapping', 0.7],
    ['hardly different', 0.3],
  ])(
    'ranks %s films, as many as the paper has, within 0.01 AUC of an L2-regularised logistic fit, because the layer is one',
    async (_name, shift) => {
      const films = pooled(2166 + 2210, 48, shift, 11);
      const { head, split, epochs, validationArea } = await trainHeadOn(films, defaults, quiet);
      const scaling = scalingOf(split.training.map(({ features }) => features));
      const fitted = onRawFeatures(
        fitLogistic(
          split.training.map((film) => ({ ...film, features: scaled(film.features, scaling) })),
          0.01,
        ),
        scaling,
      );
      expect(epochs.at(-1)!.training.loss).toBeLessThan(epochs[0]!.training.loss);
      expect(epochs.at(-1)!.validation.loss).toBeLessThan(Math.LN2);
      expect(Math.abs(areaOf(head, split.validation) - areaOf(fitted, split.validation))).toBeLessThanOrEqual(0.01);
      expect(validationArea.value).toBeCloseTo(areaOf(head, split.validation), 12);
    },
    60_000,
  );

  test('is nothing where there is nothing, because labels at random must not look learned', async () => {
    const { validationArea } = await trainHeadOn(pooled(1000, 48, 0, 12), defaults, quiet);
    expect(Math.abs(validationArea.value! - 0.5)).toBeLessThan(0.1);
  });

  test('is said of raw features as it was learned on scaled ones', () => {
    const films = pooled(30, 8, 1, 13);
    const scaling = scalingOf(films.map(({ features }) => features));
    const head = { weight: Float64Array.from({ length: 16 }, (_, i) => Math.sin(i)), bias: Float64Array.of(0.3, -0.2) };
    for (const { features } of films)
      expect(probabilityOf(onRawFeatures(head, scaling), features)).toBeCloseTo(
        probabilityOf(head, scaled(features, scaling)),
        6,
      );
  });

  test('says all of it in the map, because a positive without a warm cell shows nobody where', async () => {
    const { head, split } = await trainHeadOn(pooled(2166 + 2210, 48, 0.7, 11), defaults, quiet);
    expect([...head.bias]).toEqual([0, 0]);
    // Pooled features are the mean of their cells, so the mean of the map is half the logit, and none is above a positive mean.
    const half = (film: Sample) => film.features.reduce((sum, value, k) => sum + value * head.weight[48 + k]!, 0);
    for (const film of split.validation) expect(half(film) > 0).toBe(probabilityOf(head, film.features) > 0.5);
  });

  test('is of one length across the mean and of 1 along it, because one learning rate must suit every network', () => {
    const scaling = scalingOf(pooled(400, 48, 1, 14).map(({ features }) => features));
    const films = pooled(400, 48, 1, 14).map(({ features }) => scaled(features, scaling));
    const means = films[0]!.map((_, k) => films.reduce((sum, film) => sum + film[k]! / films.length, 0));
    for (const [k, mean] of means.entries()) expect(mean).toBeCloseTo(scaling.direction[k]!, 4);
    const squares = films.map((film) => film.reduce((sum, value, k) => sum + (value - means[k]!) ** 2, 0));
    expect(squares.reduce((sum, value) => sum + value / films.length, 0)).toBeCloseTo(1024, 0);
  });

  test('has a loss for any logit, because exp overflows', () => {
    expect(crossEntropy(1e4, 1)).toBe(0);
    expect(crossEntropy(1e4, 0)).toBe(1e4);
    expect(crossEntropy(-3, 1)).toBeCloseTo(Math.log(1 + Math.exp(3)), 12);
  });
});

test('a side without one class is refused, because one large group can take it all', () => {
  const film = (target: 0 | 1) => ({ group: 'g', target });
  expect(() => requireBothSides({ training: [film(0), film(1)], validation: [film(0)] })).toThrow(
    /table-invalid.*validation side.*0 opacity, 1 none/,
  );
});
