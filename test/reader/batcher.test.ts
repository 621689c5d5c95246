import { setTimeout as sleep } from 'node:timers/promises';
import { createBatcher } from '../../src/reader/batcher.ts';
import { startClock } from '../../src/reader/clock.ts';

function trial({ max = 3, waitMs = 50, fails = false } = {}) {
  const runs: number[][] = [];
  let running = 0;
  let most = 0;
  const ask = createBatcher<number, number>({
    max: () => max,
    waitMs,
    async run(items) {
      most = Math.max(most, ++running);
      runs.push([...items]);
      await sleep(30);
      running--;
      if (fails && items.includes(13)) throw new Error('unlucky');
      return items.map((item) => item * 10);
    },
  });
  return { ask, runs, most: () => most };
}

test('an item alone waits no longer than waitMs, because a late film must not wait for company that never comes', async () => {
  const { ask, runs } = trial({ waitMs: 50 });
  const began = performance.now();
  expect(await ask(1)).toBe(10);
  expect(performance.now() - began).toBeLessThan(1000);
  expect(runs).toEqual([[1]]);
});

test('a full run starts at once, and what comes meanwhile goes with the next, in its order', async () => {
  const { ask, runs, most } = trial({ waitMs: 60_000 });
  expect(await Promise.all([1, 2, 3, 4, 5].map(ask))).toEqual([10, 20, 30, 40, 50]);
  expect(runs).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(most()).toBe(1);
});

test('a run that fails fails its own items and no others', async () => {
  const { ask } = trial({ fails: true });
  const results = await Promise.allSettled([13, 1, 2, 3].map(ask));
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
});

describe('a clock', () => {
  test('rings after its time', async () => {
    let rung = 0;
    startClock(20, () => rung++);
    await sleep(100);
    expect(rung).toBe(1);
  });

  test('stands still while others work, and runs on after that', async () => {
    let rung = 0;
    const clock = startClock(100, () => rung++);
    await clock.standStill(sleep(300));
    expect(rung).toBe(0);
    await sleep(300);
    expect(rung).toBe(1);
  });

  test('that was stopped never rings, not even when the work ends after it', async () => {
    let rung = 0;
    const clock = startClock(20, () => rung++);
    const work = clock.standStill(sleep(50));
    clock.stop();
    await work;
    await sleep(80);
    expect(rung).toBe(0);
  });
});
