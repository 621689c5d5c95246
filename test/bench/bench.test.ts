import type { Entry } from '../../bench/entry.ts';
import { multiplyAdds, withBatch, withFloatKernels } from '../../bench/graph-work.ts';
import { busyWarning } from '../../bench/machine.ts';
import { median, perMinute, speedRatio, takeTurns } from '../../bench/measure.ts';
import { parseBenchOptions } from '../../bench/options.ts';
import { entryRow, memoryRows, peakRow } from '../../bench/read-rows.ts';
import { figure, renderReport } from '../../bench/table.ts';
import { peakOf } from '../../bench/yardstick.ts';
import { decodeModel, encodeModel } from '../../src/model/onnx-schema.ts';
import { buildResnet101 } from '../../src/model/resnet.ts';
import { floatsOf, storeKernels } from '../../src/model/stored-weights.ts';

/** The arithmetic and the arguments of the benchmark; nothing here is timed. */

const known = ['read', 'decode'] as const;

test('arguments choose benchmarks, and a wrong one is told with those that there are', () => {
  const plain = { output: 'markdown', rounds: 5, peers: [], model: null, into: null };
  expect(parseBenchOptions([], known)).toEqual({ ...plain, names: ['read', 'decode'] });
  const args = ['decode', '--json', '--rounds', '2', '--peers', 'a', '--peers', 'b', '--model', 'm'];
  expect(parseBenchOptions(args, known)).toEqual({
    ...plain,
    names: ['decode'],
    output: 'json',
    rounds: 2,
    peers: ['a', 'b'],
    model: 'm',
  });
  expect(parseBenchOptions(['--into', 'page.md', '--markdown'], known).into).toBe('page.md');
  expect(() => parseBenchOptions(['reed'], known)).toThrow('no benchmark reed; there are read, decode');
  expect(() => parseBenchOptions(['--rounds', '0'], known)).toThrow('--rounds');
  expect(() => parseBenchOptions(['--json', '--into', 'page.md'], known)).toThrow('--json');
  expect(() => parseBenchOptions(['--fast'], known)).toThrow("Unknown option '--fast'");
});

test('contestants take turns and the first round does not count, because caches and compilers warm up in it', async () => {
  let clock = 0;
  const turns: string[] = [];
  const contestant = (name: string, secondsEach: readonly number[]) => {
    let turn = 0;
    const work = async (times: number) => {
      turns.push(name);
      clock += secondsEach[turn++]! * 1000 * times;
    };
    return { name, times: 2, work };
  };
  const timings = await takeTurns([contestant('a', [9, 1, 2]), contestant('b', [9, 2, 8])], 2, () => clock);
  expect(turns).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  expect([timings.get('a'), timings.get('b')]).toEqual([
    [1, 2],
    [2, 8],
  ]);
  expect(speedRatio(timings.get('a')!, timings.get('b')!)).toBe(3);
});

test('a contestant in another process is timed by its own clock, because the way there is not its work', async () => {
  const timings = await takeTurns([{ name: 'a', times: 4, work: async () => 2 }], 1, () => 0);
  expect(timings.get('a')).toEqual([0.5]);
});

test('medians and rates are those of the rounds', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  expect(() => median([])).toThrow(RangeError);
  expect(perMinute(0.5)).toBe(120);
});

test('a ResNet-101 takes 7.8 G multiply-adds, as its published tables say', () => {
  // He 2015, table 1, has 7.6 G with the stride in the 1×1 convolution; 7.80 G with it in the 3×3 one. The work grows with
  // the square of the width but for the stem and the head.
  const narrow = multiplyAdds(buildResnet101({ width: 4, seed: 1 }));
  const wider = multiplyAdds(buildResnet101({ width: 8, seed: 1 }));
  // Two widths give the linear and the square part, and they the work at width 64.
  const square = (wider - 2 * narrow) / (8 * 8 - 2 * 4 * 4);
  const linear = narrow / 4 - 4 * square;
  expect((square * 64 * 64 + linear * 64) / 1e9).toBeCloseTo(7.8, 2);
});

test('a network for several images has the same nodes and weights, and the batch at its ends', () => {
  const model = buildResnet101({ width: 4, seed: 1 });
  const four = withBatch(model, 4);
  const ends = [...four.graph.input, ...four.graph.output].map(({ type }) =>
    type.tensorType.shape.dim.map(({ dimValue }) => dimValue),
  );
  expect(ends).toEqual([
    [4, 3, 224, 224],
    [4, 2],
    [4, 1, 7, 7],
    [4, 128],
  ]);
  expect(four.graph.node).toBe(model.graph.node);
  expect(multiplyAdds(four)).toBe(multiplyAdds(model));
});

test('kernels stored in 8 bits count as the convolutions that they are', () => {
  const model = buildResnet101({ width: 4, seed: 1 });
  const stored = decodeModel(storeKernels(encodeModel(model), new Set()));
  expect(stored.graph.node.some(({ opType }) => opType === 'Mul')).toBe(true);
  expect(multiplyAdds(stored)).toBe(multiplyAdds(model));
});

test('a peer gets kernels as floats, because OpenVINO computes some out of 8 bits in every run', () => {
  const model = buildResnet101({ width: 4, seed: 1 });
  const restored = withFloatKernels(decodeModel(storeKernels(encodeModel(model), new Set())));
  expect(restored.graph.node.map(({ name }) => name)).toEqual(model.graph.node.map(({ name }) => name));
  const names = ({ graph }: typeof model) => graph.initializer.map(({ name }) => name).sort();
  expect(names(restored)).toEqual(names(model));
  const kernel = (of: typeof model) =>
    floatsOf(of.graph.initializer.find(({ name }) => name === 'stem.conv.weight')!.rawData);
  const [before, after] = [kernel(model), kernel(restored)];
  const most = Math.max(...before.map(Math.abs));
  expect(Math.max(...after.map((weight, i) => Math.abs(weight - before[i]!)))).toBeLessThan(most / 127);
  expect(withFloatKernels(model).graph.initializer).toEqual(model.graph.initializer);
});

test('the peak is that of the best form in each round, because one form waits for memory where another does not', () => {
  const peak = peakOf(
    new Map([
      ['a', [3, 1, 1]],
      ['b', [2, 2, 2]],
    ]),
  );
  expect(peak).toEqual({ rates: [3, 2, 2], form: 'b' });
  const row = peakRow({ ...peak, rates: [2e9, 4e9, 3e9] }, 2, 6e9);
  expect(row).toMatchObject({ value: 30, note: '3.0 G multiply-adds a second; most often the b' });
});

describe('a row of the table', () => {
  const entry = (overrides: Partial<Entry>): Entry => {
    const { id = 'session 2' } = overrides;
    const contestant = { name: id, times: 1, work: async () => undefined };
    return { id, what: 'it', threads: 2, batch: 1, against: 'bare 2', contestant, ...overrides };
  };
  const timings = new Map([
    ['bare 2', [0.1, 0.2]],
    ['session 2', [0.2, 0.2]],
    ['cuda b8', [0.001, 0.001]],
  ]);
  const peaks = new Map([[2, { rates: [20, 10], form: 'product' }]]);

  test('holds images a minute against bare ONNX Runtime and the peak of the same round, and against a radiologist', () => {
    expect(entryRow(entry({}), timings, peaks, 1)).toEqual({
      ...{ id: 'session 2', what: 'it', batch: 1, threads: 2, unit: 'images/min', value: 300 },
      ratio: { value: 0.75, of: 'bare, 2 threads' },
      share: 0.375,
      efficiency: 171,
    });
  });

  test('of what is not there has no figure and says why', () => {
    const row = entryRow(entry({ contestant: null, note: 'no driver' }), timings, peaks, 1);
    expect(row).toMatchObject({ value: null, note: 'no driver' });
    expect(Object.keys(row)).not.toContain('ratio');
  });

  test('of a graphics card has no share of the processor’s peak', () => {
    const row = entryRow(entry({ id: 'cuda b8', threads: null, batch: 8 }), timings, peaks, 1);
    expect(Object.keys(row)).not.toContain('share');
    expect(row.ratio?.value).toBeCloseTo(150);
  });

  test('of 8-bit arithmetic has no share of a peak of floats', () => {
    const row = entryRow(entry({ eightBit: true }), timings, peaks, 1);
    expect(Object.keys(row)).not.toContain('share');
    expect(row.ratio).toEqual({ value: 0.75, of: 'bare, 2 threads' });
  });
});

test('memory is the median of the processes, and not known without /proc', () => {
  const rows = memoryRows('child', [{ now: 1, peak: 4 }, null, { now: 3, peak: 5 }]);
  expect(rows.map(({ value }) => value)).toEqual([2, 4.5]);
  expect(memoryRows('child', [null])[0]).toMatchObject({ value: null, note: 'no /proc here' });
});

test('a figure has three digits, and one that is not there is never a number', () => {
  expect([figure(1234.5), figure(0.98765), figure(12.345)]).toEqual(['1235', '0.988', '12.3']);
  const row = { id: 'w', what: 'w', value: null, unit: 'ms', note: 'why | how' };
  expect(renderReport({ name: 'n', about: 'a', rows: [row] })).toContain(
    '| what | median | note |\n|---|---|---|\n| w | not there | why / how |',
  );
});

test('a busy machine is told, because its figures are those of what others leave', () => {
  const machine = { model: 'm', cores: 2, node: 'v24', load: 1.5 };
  expect(busyWarning(machine)).toBeNull();
  expect(busyWarning({ ...machine, load: 1.51 })).toContain('load average 1.51');
});
