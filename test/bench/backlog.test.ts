import { expect, test } from '@jest/globals';
import { quantile } from '../../bench/backlog.ts';
import { costs, type DepthCost, depths } from '../../bench/backlog-depth.ts';
import { plotDepths } from '../../bench/backlog-plot.ts';

/** The arithmetic and the picture of the benchmark of a backlog; nothing here is timed. */

const found = (['SQLite', 'PostgreSQL'] as const).flatMap((engine) =>
  depths.map((depth): DepthCost => {
    const ms = { announce: 1, claim: 2, record: 3, settle: 4, board: 5, restart: 6 };
    return { engine, depth, ms };
  }),
);

test('95 % within is the time of the slowest but the last twentieth, because a mean hides those who waited', () => {
  const seconds = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([quantile(seconds, 0.5), quantile(seconds, 0.95), quantile([7], 0.95)]).toEqual([50, 95, 7]);
});

test('a cost that is equal at each depth is a level line, because that is what the picture is for', () => {
  const svg = plotDepths(found);
  const lines = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points!.split(' '));
  expect(lines).toHaveLength(2 * costs.length);
  for (const points of lines) {
    expect(points).toHaveLength(depths.length);
    expect(new Set(points.map((point) => point.split(',')[1])).size).toBe(1);
  }
  for (const cost of costs) expect(svg.match(new RegExp(`>${cost}</text>`, 'g'))).toHaveLength(2);
});
