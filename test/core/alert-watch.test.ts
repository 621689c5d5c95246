import { expect, test } from '@jest/globals';
import { alertAfterMs, watchForAlerts } from '../../src/core/alert-watch.ts';

function watched() {
  const told: unknown[] = [];
  const time = { ms: 0 };
  const log = watchForAlerts(
    ({ event, code, forSeconds }) => told.push([event, code, forSeconds]),
    () => time.ms,
  );
  const fails = (job: number, code = 'pacs-unavailable', kind = 'transient') =>
    log({ event: 'failure', job, code, class: kind });
  const ends = (job: number, state = 'done', code: string | null = null) => log({ event: 'job', job, state, code });
  return { told, time, fails, ends };
}

test('studies that fail for a quarter of an hour are one alert, whatever their number (fault 24)', () => {
  const { told, time, fails } = watched();
  for (; time.ms < alertAfterMs; time.ms += 60_000) for (let job = 0; job < 50; job++) fails(job);
  expect(told).toEqual([]);
  for (; time.ms < 3 * alertAfterMs; time.ms += 60_000) for (let job = 0; job < 50; job++) fails(job);
  expect(told).toEqual([['alert', 'pacs-unavailable', 900]]);
});

test('a reason that is over may be told again, and a study that ended meanwhile begins anew (fault 24)', () => {
  const { told, time, fails, ends } = watched();
  fails(1);
  ends(1);
  time.ms += alertAfterMs;
  fails(1);
  expect(told).toEqual([]);
  time.ms += alertAfterMs;
  fails(1);
  ends(1);
  fails(1);
  time.ms += alertAfterMs;
  fails(1);
  expect(told).toHaveLength(2);
});

test('each reason is told for itself; a quarantine is none', () => {
  const { told, time, fails } = watched();
  for (let minute = 0; minute < 40; minute++, time.ms += 60_000) {
    fails(1);
    fails(2, 'fhir-busy');
    fails(3, 'truncated', 'quarantine');
  }
  expect(told).toEqual([
    ['alert', 'pacs-unavailable', 900],
    ['alert', 'fhir-busy', 900],
  ]);
});

test('an archive that gave another object, or changed ours, is told at once (faults 37 and 44)', () => {
  const { told, ends } = watched();
  ends(1, 'quarantined', 'wrong-object');
  ends(2, 'dead', 'pacs-altered');
  ends(3, 'quarantined', 'truncated');
  ends(4, 'retrying', 'wrong-object');
  expect(told).toEqual([
    ['alert', 'wrong-object', undefined],
    ['alert', 'pacs-altered', undefined],
  ]);
});
