import { describe, expect, test } from '@jest/globals';
import { hasClockFlag, readBeforeAcquisition, withClockFlags } from '../../src/core/clock-order.ts';
import { makeImageHeader, makeImageReading, makeReading, makeStudyHeader, settings } from '../support/readings.ts';

interface Film {
  readonly date?: string | null;
  readonly time?: string | null;
  readonly zone?: string | null;
  readonly siteZone?: string | null;
  readonly studyDate?: string | null;
}

/** Read at 10:20 in the zone +0100. */
const readAt = '2026-03-14T09:20:00.000Z';

function flagged({
  date = '20260314',
  time = '101500',
  zone = '+0100',
  siteZone = null,
  studyDate = null,
}: Film): boolean {
  const image = makeImageHeader({ AcquisitionDate: date, AcquisitionTime: time });
  const study = makeStudyHeader({ TimezoneOffsetFromUTC: zone, StudyDate: studyDate, StudyTime: '102500' });
  const images = [makeImageReading({ image })];
  return hasClockFlag(
    withClockFlags(makeReading({ images, study, settings: { ...settings, timezoneOffset: siteZone }, readAt })),
  );
}

describe('fault 102: a result that shows as older than its film', () => {
  test.each<[string, Film, boolean]>([
    ['a film of five minutes before', {}, false],
    ['a film of five minutes after', { time: '102500' }, true],
    ['a film of half a minute after: clocks differ by so much', { time: '102030' }, false],
    ['a film of the next day', { date: '20260315' }, true],
    ['the zone of the film counts', { time: '102500', zone: '+0200' }, false],
    ['a zone west of Greenwich', { time: '042500', zone: '-0500' }, true],
    ['the zone of the site where the film has none', { time: '102500', zone: null, siteZone: '+0100' }, true],
    ['no zone at all: it may be so far east', { time: '221900', zone: null }, false],
    ['no zone, and later than anywhere on earth', { time: '233000', zone: null }, true],
    ['a date without a time', { time: null }, false],
    ['the study, where the image has no date', { date: null, time: null, studyDate: '20260314' }, true],
    ['no date at all', { date: null, time: null }, false],
    ['a date that is none', { date: '20269999' }, false],
  ])('%s', (_, film, expected) => {
    expect(flagged(film)).toBe(expected);
  });

  test('keeps the time at which it was made and its other flags, because another time would be a lie', () => {
    const image = makeImageHeader({ AcquisitionDate: '20260315' });
    const reading = withClockFlags(
      makeReading({ images: [makeImageReading({ image, flags: ['charset-guessed'] })], readAt }),
    );
    expect(reading.readAt).toBe(readAt);
    expect(reading.images[0]!.flags).toEqual(['charset-guessed', readBeforeAcquisition]);
  });
});
