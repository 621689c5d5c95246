import { areaUnderCurve, midranks } from '../../src/science/delong.ts';
import { drawnFilms } from './reference.ts';

const film = (score: number, positive: boolean) => ({ score, positive });

describe('the area under the curve', () => {
  test('counts a tie as half, because a coin would', () => {
    expect(areaUnderCurve([film(0.5, true), film(0.5, false)]).value).toBe(0.5);
    expect(midranks([3, 1, 3, 2])).toEqual([3.5, 1, 3.5, 2]);
  });

  test('has an interval around it, inside 0 to 1 even near the end, because it is built on the logit scale', () => {
    const { value, ci95 } = areaUnderCurve([
      ...[0.99, 0.98, 0.97, 0.5].map((score) => film(score, true)),
      ...[0.55, 0.1, 0.2, 0.3, 0.05].map((score) => film(score, false)),
    ]);
    expect(value).toBeCloseTo(0.95, 12);
    expect(ci95![0]).toBeGreaterThan(0);
    expect(ci95![0]).toBeLessThan(value!);
    expect(ci95![1]).toBeGreaterThan(value!);
    expect(ci95![1]).toBeLessThan(1);
  });

  test('has no interval under complete separation, because a width of nothing would be a lie', () => {
    const films = [film(0.9, true), film(0.8, true), film(0.2, false), film(0.1, false)];
    expect(areaUnderCurve(films)).toEqual({ value: 1, ci95: null, standardError: 0 });
  });

  test('is undefined where a class is missing, because there is no pair', () => {
    expect(areaUnderCurve([film(0.9, true)]).value).toBeNull();
  });

  test('covers the truth in about 95 of 100 draws, because that is what its name says', () => {
    // Scores as `drawnFilms` makes them; the truth is the area of very many.
    const truth = areaUnderCurve(drawnFilms(999, 60_000, null)).value!;
    const covered = Array.from({ length: 400 }, (_, seed) => areaUnderCurve(drawnFilms(seed + 10, 150, null))).filter(
      ({ ci95 }) => ci95 && ci95[0] <= truth && truth <= ci95[1],
    ).length;
    expect(covered / 400).toBeGreaterThan(0.92);
    expect(covered / 400).toBeLessThan(0.98);
  });
});
