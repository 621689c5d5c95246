import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Cost, costs, type DepthCost, measureEngines } from './backlog-depth.ts';
import { type Drained, drain } from './backlog-drain.ts';
import { concurrency, maxInFlight } from './backlog-gateway.ts';
import { plotDepths } from './backlog-plot.ts';
import type { Report, Row } from './table.ts';

/** `npm run bench -- backlog`: what a study costs behind a backlog, and how a gateway with one behaves (fault 77). */

export const depth = 100_000;
/** A window, not the whole: at one study a second 100,000 take more than a day. */
export const drainSeconds = 180;

const words: Readonly<Record<Cost, string>> = {
  announce: 'announcement of one study',
  claim: 'claim of the next in turn',
  record: 'record of a reading and of a receipt',
  settle: 'settlement',
  board: 'reading of the board: counts, lanes, a page of 100',
  restart: 'opening of the store, recovery, first claim',
};

export function depthReports(found: readonly DepthCost[]): readonly Report[] {
  return (['SQLite', 'PostgreSQL'] as const).map((engine) => {
    const of = found.filter((each) => each.engine === engine);
    const rows = costs.flatMap((cost) => {
      const least = of[0]?.ms[cost];
      return of.map((each): Row => {
        const ratio =
          least === undefined || each === of[0] ? {} : { ratio: { value: each.ms[cost] / least, of: 'the first' } };
        const what = `${words[cost]}, ${each.depth.toLocaleString('en-US')} waiting`;
        return {
          id: `${engine.toLowerCase()}-${cost}-${each.depth}`,
          what,
          value: each.ms[cost],
          unit: 'ms',
          ...ratio,
        };
      });
    });
    const absent: Row = {
      id: 'postgresql',
      what: 'PostgreSQL',
      value: null,
      unit: 'ms',
      note: 'its server is not installed',
    };
    return {
      name: `backlog, cost by depth, ${engine}`,
      about: 'The store alone; every commit is synced.',
      rows: rows.length > 0 ? rows : [absent],
    };
  });
}

/** The value below which this share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function drainReport(found: Drained): Report {
  const row = (id: string, what: string, value: number, unit: string, note?: string): Row => ({
    id,
    what,
    value,
    unit,
    ...(note && { note }),
  });
  const of = (id: string, what: string, seconds: readonly number[]): readonly Row[] => [
    row(`${id}-p50`, `STAT, ${what}, half of them within`, quantile(seconds, 0.5), 's', `${seconds.length} studies`),
    row(`${id}-p95`, `STAT, ${what}, 95 % within`, quantile(seconds, 0.95), 's', 'wanted: 10 s'),
  ];
  return {
    name: 'backlog, serve',
    about:
      `\`serve\` with SQLite and ${found.depth.toLocaleString('en-US')} waiting studies over simulated servers; the narrow untrained network, ` +
      `films of 224 × 256 pixels, ${concurrency} studies at a time, no settling; a STAT study every two seconds. A window of ${found.seconds} s, not the whole backlog.`,
    rows: [
      row('ready-empty', 'start until /readyz answers 200, with an empty store', found.readyEmptyMs / 1000, 's'),
      row(
        'ready',
        'start until /readyz answers 200, with jobs under way before',
        found.readyMs / 1000,
        's',
        'wanted: 10 s',
      ),
      ...of('stat-began', 'announcement until the archive is asked for it', found.statBegan),
      ...of('stat-reported', 'announcement until the archive holds its report', found.statReported),
      row('ended', 'studies that ended in the window, STAT ones among them', found.ended, 'studies'),
      row('rss', 'resident memory of serve at its highest', found.own, 'MiB', 'wanted: 1.5 GB with its readers'),
      row('rss-readers', 'resident memory of its readers at its highest', found.readers, 'MiB'),
      row(
        'in-flight',
        'requests that the archive had in flight at once, at most',
        found.inFlight,
        'requests',
        `configured: ${maxInFlight}`,
      ),
      row('metrics', 'GET /metrics, 95 % within', quantile(found.scrapes, 0.95), 'ms', `${found.scrapes.length} times`),
    ],
  };
}

export async function benchBacklog({ into }: { readonly into: string | null }): Promise<readonly Report[]> {
  const depths = await measureEngines();
  if (into !== null) writeFileSync(join(dirname(into), 'backlog.svg'), plotDepths(depths));
  return [...depthReports(depths), drainReport(await drain(depth, drainSeconds))];
}
