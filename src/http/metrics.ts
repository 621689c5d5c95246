/**
 * Counters, gauges and histograms in the Prometheus text format 0.0.4. Label values come from closed lists of ours (states, codes,
 * classes, destinations), never from data: no UID, no name.
 */

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(labels?: Labels, by?: number): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export interface Metrics {
  counter(name: string, help: string): Counter;
  /** `bounds` are the upper bounds of the buckets, ascending, without infinity. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** Read when somebody looks. */
  gauge(name: string, help: string, read: () => Promise<readonly Sample[]>): void;
  text(): Promise<string>;
}

type Family = () => Promise<readonly string[]>;

export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const add = (name: string, type: string, help: string, lines: Family): void => {
    if (families.has(name)) throw new Error(`metric ${name} exists`);
    families.set(name, async () => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...(await lines())]);
  };
  return {
    counter(name, help) {
      const values = new Map<string, number>();
      add(name, 'counter', help, async () => [...values].map(([labels, value]) => `${name}${labels} ${value}`));
      return {
        add(labels = {}, by = 1) {
          const key = format(labels);
          values.set(key, (values.get(key) ?? 0) + by);
        },
      };
    },
    histogram(name, help, bounds) {
      const series = new Map<string, Buckets>();
      add(name, 'histogram', help, async () => [...series.values()].flatMap((one) => bucketLines(name, bounds, one)));
      return { observe: (value, labels = {}) => observe(series, bounds, value, labels) };
    },
    gauge(name, help, read) {
      add(name, 'gauge', help, async () =>
        (await read()).map(({ labels = {}, value }) => `${name}${format(labels)} ${value}`),
      );
    },
    async text() {
      const lines = await Promise.all([...families.values()].map((family) => family()));
      return `${lines.flat().join('\n')}\n`;
    },
  };
}

interface Buckets {
  readonly labels: Labels;
  /** One count for each bound, not cumulative; what is above the last bound stands only in `count`. */
  readonly counts: number[];
  count: number;
  sum: number;
}

function observe(series: Map<string, Buckets>, bounds: readonly number[], value: number, labels: Labels): void {
  const key = format(labels);
  const buckets = series.get(key) ?? { labels, counts: bounds.map(() => 0), count: 0, sum: 0 };
  const index = bounds.findIndex((bound) => value <= bound);
  if (index >= 0) buckets.counts[index]! += 1;
  buckets.count += 1;
  buckets.sum += value;
  series.set(key, buckets);
}

function bucketLines(name: string, bounds: readonly number[], { labels, counts, count, sum }: Buckets): string[] {
  let below = 0;
  const lines = bounds.map((bound, index) => {
    below += counts[index]!;
    return `${name}_bucket${format({ ...labels, le: String(bound) })} ${below}`;
  });
  const all = `${name}_bucket${format({ ...labels, le: '+Inf' })} ${count}`;
  return [...lines, all, `${name}_sum${format(labels)} ${sum}`, `${name}_count${format(labels)} ${count}`];
}

function format(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
