import { multiplyAdds } from '../../bench/graph-work.ts';
import { busyWarning } from '../../bench/machine.ts';
import { median, perMinute, speedRatio, takeTurns } from '../../bench/measure.ts';
import { parseBenchOptions } from '../../bench/options.ts';
import { readRows } from '../../bench/read-rows.ts';
import { figure, renderReport } from '../../bench/table.ts';
import { buildResnet101 } from '../../src/model/resnet.ts';

/** The arithmetic and the arguments of the benchmark; nothing here is timed. */

const known = ['read', 'decode'] as const;

test('arguments choose benchmarks, and a wrong one is told with those that there are', () => {
  expect(parseBenchOptions([], known)).toEqual({ names: ['read', 'decode'], json: false, rounds: 5 });
  expect(parseBenchOptions(['decode', '--json', '--rounds', '2'], known)).toEqual({
    names: ['decode'],
    json: true,
    rounds: 2,
  });
  expect(() => parseBenchOptions(['reed'], known)).toThrow('no benchmark reed; there are read, decode');
  expect(() => parseBenchOptions(['--rounds', '0'], known)).toThrow('--rounds');
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

test('images a minute are held against the paper’s radiologist and against bare ONNX Runtime', () => {
  const names = ['1x1', '1x2', '2x1'].flatMap((setting) => [`picture ${setting}`, `film ${setting}`]);
  const all = ['gemm 1', 'gemm 2', 'bare 1', 'bare 2', 'network 1', 'network 2', ...names];
  const timings = new Map(all.map((name) => [name, [name.startsWith('bare') ? 0.1 : 0.2]]));
  const rows = readRows(timings, 2 * 1024 ** 3, null);
  expect(rows[0]).toMatchObject({ value: 150, note: '5.4 G multiply-adds a second' });
  expect(rows.find(({ what }) => what.startsWith('bare ONNX Runtime, 1'))).toMatchObject({
    value: 600,
    ratio: { value: 4, of: 'yardstick' },
    note: 'efficiency 342 (paper: 258)',
  });
  expect(rows.find(({ what }) => what.startsWith('session with its checks, 2'))?.ratio).toEqual({
    value: 0.5,
    of: 'bare, 2 threads',
  });
  expect(rows.at(-1)).toMatchObject({ value: null, note: 'no /proc here' });
});

test('a figure has three digits, and one that was not measured is never a number', () => {
  expect([figure(1234.5), figure(0.98765), figure(12.345)]).toEqual(['1235', '0.988', '12.3']);
  const text = renderReport({ name: 'n', about: 'a', rows: [{ what: 'w', value: null, unit: 'ms', note: 'why' }] });
  expect(text).toContain('| w | not measured |  | why |');
});

test('a busy machine is told, because its figures are those of what others leave', () => {
  const machine = { model: 'm', cores: 2, node: 'v24', load: 1.5 };
  expect(busyWarning(machine)).toBeNull();
  expect(busyWarning({ ...machine, load: 1.51 })).toContain('load average 1.51');
});
