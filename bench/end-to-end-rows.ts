import { percentile, quantileOf, sum } from './end-to-end-figures.ts';
import { type FullLoad, inFlight } from './end-to-end-load.ts';
import { median } from './measure.ts';
import { efficiencyOf } from './read-rows.ts';
import type { Row } from './table.ts';

/** The rows of one table, with the goals and whether they were met. */

export interface Measured {
  readonly loads: readonly FullLoad[];
  /** Images a minute of bare ONNX Runtime on two threads, one a round. */
  readonly bare: readonly number[];
  /** Studies a minute that arrived at a steady pace, and the seconds of each. */
  readonly pace: number;
  readonly steady: readonly number[];
}

const goal = (words: string, met: boolean): string => `goal ${words}: ${met ? 'met' : 'missed'}`;

export function rowsOf({ loads, bare, pace, steady }: Measured): readonly Row[] {
  const rate = median(loads.map(({ perMinute }) => perMinute));
  const rates = loads.map(({ perMinute }) => Math.round(perMinute));
  const ratio = median(loads.map(({ perMinute }, round) => perMinute / bare[round]!));
  const atFull = loads.flatMap(({ latencies }) => latencies);
  const health = loads.flatMap((load) => load.health);
  const eventLoopMs = 1000 * quantileOf(sum(loads.map(({ eventLoop }) => eventLoop)), 0.99);
  const [steady95, full95, health99] = [percentile(steady, 0.95), percentile(atFull, 0.95), percentile(health, 0.99)];
  return [
    {
      ...{
        id: 'full',
        what: 'studies at full load, delivery and read-back included',
        value: rate,
        unit: 'studies/min',
      },
      ...{ ratio: { value: ratio, of: 'bare, 2 threads' }, efficiency: efficiencyOf(rate) },
      note: `${goal('≥ 300', rate >= 300)}; rounds ${Math.min(...rates)} to ${Math.max(...rates)}`,
    },
    {
      id: 'bare',
      what: 'bare ONNX Runtime, 2 threads, one image a run',
      value: median(bare),
      unit: 'images/min',
      efficiency: efficiencyOf(median(bare)),
    },
    {
      id: 'steady p50',
      what: `settled to read-back, ${pace} studies/min arriving, p50`,
      value: percentile(steady, 0.5),
      unit: 's',
    },
    {
      id: 'steady p95',
      what: `settled to read-back, ${pace} studies/min arriving, p95`,
      value: steady95,
      unit: 's',
      note: goal('≤ 2 s', steady95 <= 2),
    },
    {
      id: 'full p50',
      what: `settled to read-back at full load, ${inFlight} in flight, p50`,
      value: percentile(atFull, 0.5),
      unit: 's',
    },
    {
      id: 'full p95',
      what: `settled to read-back at full load, ${inFlight} in flight, p95`,
      value: full95,
      unit: 's',
      note: goal('≤ 2 s', full95 <= 2),
    },
    { id: 'health p50', what: '/healthz at full load, p50', value: percentile(health, 0.5), unit: 'ms' },
    {
      id: 'health p99',
      what: '/healthz at full load, p99',
      value: health99,
      unit: 'ms',
      note: goal('≤ 100 ms', health99 <= 100),
    },
    {
      id: 'event loop p99',
      what: 'delay of the event loop of serve at full load, p99',
      value: eventLoopMs,
      unit: 'ms',
      note: goal('≤ 50 ms', eventLoopMs <= 50),
    },
    ...cpuRows(loads),
  ];
}

const processes = { gateway: 'serve', reader: 'its reader processes', servers: 'archive and FHIR server' } as const;

function cpuRows(loads: readonly FullLoad[]): readonly Row[] {
  return (Object.keys(processes) as (keyof typeof processes)[]).map((key) => {
    const known = loads.flatMap(({ cpu }) => cpu[key] ?? []);
    const row = { id: `cpu ${key}`, what: `processor time a study, ${processes[key]}`, unit: 'ms' };
    return known.length === 0
      ? { ...row, value: null, note: 'no /proc here' }
      : { ...row, value: 1000 * median(known) };
  });
}
