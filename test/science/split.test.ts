import fc from 'fast-check';
import { type Grouped, splitByGroup } from '../../src/science/split.ts';

const films = fc.array(fc.record({ group: fc.nat(30).map(String), target: fc.constantFrom<0 | 1>(0, 1) }), {
  minLength: 1,
  maxLength: 120,
});
const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });

const single = (count: number, target: 0 | 1): readonly Grouped[] =>
  Array.from({ length: count }, (_, i) => ({ group: `${target}-${i}`, target }));
const opacityOf = (side: readonly Grouped[]) => side.filter(({ target }) => target === 1).length;

describe('the split', () => {
  test('puts every film on one side and no group on both, because a patient who is known proves nothing', () => {
    fc.assert(
      fc.property(films, share, fc.nat(1000), (all, part, seed) => {
        const { training, validation } = splitByGroup(all, part, seed);
        expect(new Set([...training, ...validation])).toEqual(new Set(all));
        expect(training.length + validation.length).toBe(all.length);
        const trained = new Set(training.map(({ group }) => group));
        expect(validation.filter(({ group }) => trained.has(group))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('shares out each label as near as the largest group allows, because a side of one label trains nothing', () => {
    const pure = films.map((all) => all.map(({ group, target }) => ({ group: `${target}-${group}`, target })));
    fc.assert(
      fc.property(pure, share, fc.nat(1000), (all, part, seed) => {
        const { training } = splitByGroup(all, part, seed);
        const largest = Math.max(...[...Map.groupBy(all, ({ group }) => group).values()].map(({ length }) => length));
        for (const target of [0, 1]) {
          const of = (side: readonly Grouped[]) => side.filter((film) => film.target === target).length;
          expect(Math.abs(of(training) - part * of(all))).toBeLessThanOrEqual(largest / 2 + 1e-9);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('shares out groups that hold both labels too, because those of one label cannot always mend it', () => {
    const pairs = Array.from({ length: 20 }, (_, i) =>
      [0, 1].map((target) => ({ group: `${i}`, target: target as 0 | 1 })),
    );
    const { training, validation } = splitByGroup([...pairs.flat(), ...single(20, 1)], 0.7, 1);
    expect([opacityOf(training), training.length - opacityOf(training)]).toEqual([28, 14]);
    expect([opacityOf(validation), validation.length - opacityOf(validation)]).toEqual([12, 6]);
    fc.assert(
      fc.property(films, share, fc.nat(1000), (all, part, seed) => {
        const side = splitByGroup(all, part, seed).training;
        const largest = Math.max(...[...Map.groupBy(all, ({ group }) => group).values()].map(({ length }) => length));
        const off = (target: number) =>
          side.filter((film) => film.target === target).length -
          part * all.filter((film) => film.target === target).length;
        expect(Math.hypot(off(0), off(1))).toBeLessThanOrEqual(2 * largest);
      }),
      { numRuns: 1000 },
    );
  });

  test("gives the paper's counts on the paper's films: 1,516 and 1,547 to train, 650 and 663 to validate", () => {
    const { training, validation } = splitByGroup([...single(2166, 1), ...single(2210, 0)], 0.7, 1);
    expect([opacityOf(training), training.length - opacityOf(training)]).toEqual([1516, 1547]);
    expect([opacityOf(validation), validation.length - opacityOf(validation)]).toEqual([650, 663]);
  });

  test('is the same for one seed and another for another, because a result must be made again', () => {
    const all = [...single(40, 1), ...single(40, 0)];
    expect(splitByGroup(all, 0.7, 5)).toEqual(splitByGroup(all, 0.7, 5));
    expect(splitByGroup(all, 0.7, 5)).not.toEqual(splitByGroup(all, 0.7, 6));
  });
});
