import { describe, expect, test } from '@jest/globals';
import { alertEveryMs, withoutRepeatedAlerts } from '../../src/core/alerts.ts';
import type { Log } from '../../src/core/ports.ts';

type Line = Parameters<Log>[0];

function alerts() {
  const told: Line[] = [];
  const clock = { now: Date.parse('2026-03-14T09:00:00Z') };
  const log = withoutRepeatedAlerts(
    (line) => told.push(line),
    () => clock.now,
  );
  return { told, clock, log, alert: (code: string, more: Line = {}) => log({ event: 'alert', code, ...more }) };
}

describe('fault 101: a storm of alerts', () => {
  test('of one cause is one line in a quarter of an hour, because nobody reads the second thousand', () => {
    const { told, clock, alert } = alerts();
    for (let job = 0; job < 1_000; job++) {
      alert('patient-differs', { job });
      clock.now += 100;
    }
    expect(told).toEqual([{ event: 'alert', code: 'patient-differs', job: 0 }]);
  });

  test('tells with the next line how many were held back, because a storm is worse than a gust', () => {
    const { told, clock, alert } = alerts();
    for (let index = 0; index < 5; index++) alert('disk-full');
    clock.now += alertEveryMs - 1;
    alert('disk-full');
    clock.now += 1;
    alert('disk-full');
    clock.now += alertEveryMs;
    alert('disk-full');
    expect(told.map(({ repeated = null }) => repeated)).toEqual([null, 5, null]);
  });

  test('hides no other cause, and no other source of the same code, because each is mended by somebody else', () => {
    const { told, alert } = alerts();
    for (const source of ['qido-poll', 'orthanc-changes']) {
      for (let index = 0; index < 3; index++) alert('source-failing', { source });
    }
    alert('disk-full');
    expect(told).toHaveLength(3);
  });

  test('hides no line that is no alert, because the log is the account of the work', () => {
    const { told, log } = alerts();
    for (let index = 0; index < 3; index++) log({ event: 'failure', code: 'disk-full' });
    expect(told).toHaveLength(3);
  });

  test('is told again after the clock was set back, because an alert must not be hidden for a day', () => {
    const { told, clock, alert } = alerts();
    alert('disk-full');
    clock.now -= 86_400_000;
    alert('disk-full');
    expect(told).toHaveLength(2);
  });

  test('of more causes than anybody has does not fill the memory', () => {
    const { told, alert } = alerts();
    for (let index = 0; index < 3_000; index++) alert(`cause-${index}`);
    alert('cause-2999');
    expect(told).toHaveLength(3_000);
  });
});
