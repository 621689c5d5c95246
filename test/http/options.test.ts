import { describe, expect, test } from '@jest/globals';
import { createMetrics, httpOptionsSchema } from '../../src/http/index.ts';

describe('T17: where the server listens', () => {
  test('is loopback by default, because nobody chose to open it', () => {
    expect(httpOptionsSchema.parse({})).toEqual({
      host: '127.0.0.1',
      port: 8088,
      allowedHosts: [],
      behindProxy: false,
    });
  });

  test.each(['0.0.0.0', '::', '10.0.0.7', 'gateway.example'])(
    '%s needs behindProxy, because the token would travel in clear',
    (host) => {
      expect(() => httpOptionsSchema.parse({ host })).toThrow('behindProxy');
      expect(httpOptionsSchema.safeParse({ host, behindProxy: true }).success).toBe(true);
    },
  );

  test.each(['127.0.0.1', '127.0.0.53', '::1', 'localhost'])(
    '%s does not, because nothing leaves the machine',
    (host) => {
      expect(httpOptionsSchema.safeParse({ host }).success).toBe(true);
    },
  );

  test.each([
    { token: 'short' },
    { token: 'with spaces in the middle' },
    { allowedHosts: ['http://x'] },
    { tokn: 'x' },
  ])('%j is refused, because it would not do what it says', (options) => {
    expect(httpOptionsSchema.safeParse(options).success).toBe(false);
  });
});

describe('the metrics text', () => {
  test('escapes label values, because a quote would end the line for the reader', async () => {
    const metrics = createMetrics();
    metrics.counter('a_total', 'A.').add({ label: 'x"\\\ny' }, 2);
    expect(await metrics.text()).toBe('# HELP a_total A.\n# TYPE a_total counter\na_total{label="x\\"\\\\\\ny"} 2\n');
  });

  test('has cumulative buckets up to infinity, because Prometheus adds nothing up', async () => {
    const metrics = createMetrics();
    const histogram = metrics.histogram('t_seconds', 'T.', [1, 10]);
    for (const value of [0.5, 1, 5, 50]) histogram.observe(value);
    expect((await metrics.text()).split('\n').slice(2, 7)).toEqual([
      't_seconds_bucket{le="1"} 2',
      't_seconds_bucket{le="10"} 3',
      't_seconds_bucket{le="+Inf"} 4',
      't_seconds_sum 56.5',
      't_seconds_count 4',
    ]);
  });

  test('refuses a name twice, because two series of one name are one wrong series', () => {
    const metrics = createMetrics();
    metrics.counter('a_total', 'A.');
    expect(() => metrics.counter('a_total', 'A.')).toThrow('a_total');
  });
});
