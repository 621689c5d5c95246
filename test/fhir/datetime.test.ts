import { expect, test } from '@jest/globals';
import { toDate, toDateTime } from '../../src/fhir/datetime.ts';

test.each([
  ['20260314', '2026-03-14'],
  ['20240229', '2024-02-29'],
])('the date %s is written as FHIR writes it', (da, expected) => {
  expect(toDate(da)).toBe(expected);
});

test.each([null, '', '20230229', '20261301', '20260100', '00000000', '1900', '2026.03.14', '20260314-20260315'])(
  'the date %s is left out, because it is no single day of the calendar',
  (da) => {
    expect(toDate(da)).toBeNull();
  },
);

test.each([
  ['101500', '+0100', '2026-03-14T10:15:00+01:00'],
  ['1015', '-0330', '2026-03-14T10:15:00-03:30'],
  ['101512.1', '+0000', '2026-03-14T10:15:12.100+00:00'],
  ['235959.123456', '+1400', '2026-03-14T23:59:59.123+14:00'],
])('the time %s in the zone %s is an instant', (tm, zone, expected) => {
  expect(toDateTime('20260314', tm, zone)).toBe(expected);
});

test.each<[string | null, string | null, string]>([
  ['101500', null, 'the zone is unknown'],
  ['10', '+0100', 'minutes are never guessed'],
  ['240000', '+0100', 'there is no such hour'],
  ['235960', '+0100', 'a leap second is no time that every server takes'],
  ['10:15:00', '+0100', 'it is no TM'],
  [null, '+0100', 'there is no time'],
  ['101500', '-0000', 'DICOM forbids the zone'],
  ['101500', '+1430', 'FHIR has no such zone'],
])('the time %s in the zone %s becomes a date, because %s', (tm, zone) => {
  expect(toDateTime('20260314', tm, zone)).toBe('2026-03-14');
});

test('a time without a date is nothing, because no day is guessed', () => {
  expect(toDateTime(null, '101500', '+0100')).toBeNull();
});
