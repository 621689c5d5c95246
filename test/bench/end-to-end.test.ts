import {
  between,
  bucketsOf,
  percentile,
  quantileOf,
  secondsToReadBack,
  studiesPerMinute,
  sum,
} from '../../bench/end-to-end-figures.ts';
import { renumbered } from '../../bench/end-to-end-hospital.ts';
import { type Measured, rowsOf } from '../../bench/end-to-end-rows.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { watchEventLoop } from '../../src/http/event-loop.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { makeSmallFilm, testStudyUid } from '../support/films.ts';

/** The arithmetic of the benchmark from archive to results; nothing here is timed. */

test('a percentile is a value that was seen, because a mean of two hides which study was slow', () => {
  expect([percentile([4, 1, 3, 2], 0.5), percentile([4, 1, 3, 2], 0.95), percentile([7], 0.99)]).toEqual([2, 4, 7]);
  expect(() => percentile([], 0.5)).toThrow(RangeError);
});

describe('delays of the event loop', () => {
  const buckets = (...counts: readonly number[]) =>
    new Map(counts.map((count, i) => [[0.01, 0.05, Infinity][i]!, count]));

  test('are read out of the metrics that the gateway gives, because nobody else sees its event loop', async () => {
    const metrics = createMetrics();
    let now = 0;
    // Each timer comes 65 ms after the last and was due after 20: late by 45, again and again.
    const stop = watchEventLoop(metrics, () => {
      now += 65;
      return now;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    stop();
    const found = bucketsOf(await metrics.text(), 'cxr_gateway_event_loop_delay_seconds');
    expect(found.get(Infinity)).toBeGreaterThan(1);
    expect([found.get(0.03), found.get(0.05)]).toEqual([0, found.get(Infinity)]);
    expect(() => bucketsOf('', 'cxr_gateway_event_loop_delay_seconds')).toThrow('expected cxr_gateway_event_loop');
  });

  test('of a round are those between two looks, and lie between the bounds of a bucket', () => {
    const round = between(buckets(10, 10, 10), buckets(100, 110, 110));
    expect(round).toEqual(buckets(90, 100, 100));
    expect(quantileOf(round, 0.5)).toBeCloseTo(0.01 * (50 / 90));
    expect(quantileOf(round, 0.99)).toBeCloseTo(0.01 + 0.04 * 0.9);
    expect(quantileOf(buckets(0, 0, 5), 0.99)).toBe(0.05);
    expect(quantileOf(buckets(0, 0, 0), 0.99)).toBe(0);
    expect(sum([buckets(1, 2, 3), buckets(4, 5, 6)])).toEqual(buckets(5, 7, 9));
  });
});

test('the time to the read-back begins when the study had settled, because the quiet time is the site’s own', () => {
  const history = [
    { at: 1000, state: 'announced' },
    { at: 1100, state: 'settling' },
    { at: 2300, state: 'selected' },
    { at: 3600, state: 'done' },
  ];
  expect(secondsToReadBack(history, 1)).toBeCloseTo(1.5);
  expect(() => secondsToReadBack(history.slice(0, 3), 1)).toThrow('expected settling and done');
});

test('studies a minute leave out the begin and the end, where not all places are taken', () => {
  expect(studiesPerMinute([0, 9000, 9500, 10_000, 10_500, 60_000], 1, 4)).toBeCloseTo(120);
});

test('a film with another number is another study of another patient with the same pixels', () => {
  const film = makeSmallFilm(100_000);
  const other = parsePart10(renumbered(film, 100_000, 100_123));
  expect(other.header['0020000D']?.Value).toEqual([testStudyUid(100_123)]);
  expect(JSON.stringify(other.header)).not.toContain('100000');
  expect(other.header).toEqual(parsePart10(makeSmallFilm(100_123)).header);
  expect(() => renumbered(film, 100_000, 1_000_000)).toThrow('expected a number of 6 digits');
});

test('rows tell whether a goal was met, and hold each round against the bare network of the same round', () => {
  const load = (perMinute: number, seconds: number): Measured['loads'][number] => ({
    ...{
      perMinute,
      latencies: [seconds, seconds],
      health: [1, 200],
      eventLoop: new Map([
        [0.05, 9],
        [Infinity, 9],
      ]),
    },
    cpu: { gateway: 0.05, reader: 0.2, servers: null },
  });
  const rows = rowsOf({ loads: [load(310, 1), load(330, 3)], bare: [620, 330], pace: 300, steady: [0.5, 1] });
  const of = (id: string) => rows.find((row) => row.id === id);
  expect(of('full')).toMatchObject({
    value: 320,
    ratio: { value: 0.75 },
    efficiency: 182,
    note: expect.stringContaining('met'),
  });
  expect(of('steady p95')).toMatchObject({ value: 1, note: 'goal ≤ 2 s: met' });
  expect(of('full p95')).toMatchObject({ value: 3, note: 'goal ≤ 2 s: missed' });
  expect(of('health p99')?.note).toBe('goal ≤ 100 ms: missed');
  expect(of('event loop p99')?.note).toBe('goal ≤ 50 ms: met');
  expect([of('cpu reader')?.value, of('cpu servers')?.value]).toEqual([200, null]);
});
