import { expect, test } from '@jest/globals';
import { createCertificateWatch } from '../../src/core/certificate-watch.ts';

const day = 86_400_000;

test('a certificate that ends is told 30, 7 and 1 days before, once each, and its days are a metric (fault 34)', () => {
  const told: unknown[] = [];
  let now = 0;
  const watch = createCertificateWatch(
    ({ event, code, source, days }) => told.push([event, code, source, days]),
    () => now,
  );
  const end = 40 * day + day / 2;
  for (let hour = 0; hour < 42 * 24; hour += 2) {
    now = hour * 3_600_000;
    watch.seen('pacs', end);
    watch.seen('fhir', 1000 * day);
  }
  expect(told).toEqual([
    ['alert', 'certificate-ends', 'pacs', 30],
    ['alert', 'certificate-ends', 'pacs', 7],
    ['alert', 'certificate-ends', 'pacs', 1],
  ]);
  expect(watch.daysLeft()[0]?.days).toBeLessThan(0);
  // A new certificate that ends soon is another one.
  watch.seen('pacs', now + 5 * day);
  expect([told.length, watch.daysLeft()[0]?.days]).toEqual([4, 5]);
});
