import { describe, expect, test } from '@jest/globals';
import { randomOf } from '../../src/sandbox/random.ts';
import type { isStow } from './requests.ts';
import { chaosScript, misbehavioursOf } from './script.ts';

describe('a chaos script', () => {
  test('is the same course for the same seed, ends rows of trouble, and leaves lasting refusals out', () => {
    const request = { method: 'POST', path: '/dicom-web/studies' } as Parameters<typeof isStow>[0];
    const course = (seed: number, rate: number) => {
      const script = chaosScript({ side: 'pacs', random: randomOf(seed), rate, mostInARow: 3 });
      return Array.from({ length: 400 }, () => script(request));
    };
    const names = (seed: number) => course(seed, 0.5).map((each) => each?.name);
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
    expect(
      course(3, 1)
        .slice(0, 8)
        .map((each) => each === null),
    ).toEqual([false, false, false, true, false, false, false, true]);
    const drawn = new Set(course(4, 0.9));
    const passing = misbehavioursOf('pacs').filter(({ kind, fits }) => kind === 'passing' && fits(request));
    expect(passing.filter((each) => !drawn.has(each))).toEqual([]);
    expect([...drawn].some((each) => each?.kind === 'lasting')).toBe(false);
  });
});
