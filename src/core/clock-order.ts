import type { ImageReading, Reading } from './reading.ts';

/**
 * Whether a result would show as older than its film (fault 102): viewers sort by Content Date and Time. Then the clock of the
 * gateway is behind, or that of the modality ahead; the result says when it was made all the same, since another time would be a lie.
 */

export const readBeforeAcquisition = 'read-before-acquisition';

/** Clocks that nobody keeps apart on purpose differ by less. */
const toleranceMs = 60_000;
/** The farthest zones: a time without a zone is compared as if it were the earliest that it may be. */
const farthestZoneMs = 14 * 3_600_000;

/** The reading with the flag at each image that was acquired after it was read. */
export function withClockFlags(reading: Reading): Reading {
  const images = reading.images.map((image) =>
    isReadBefore(image, reading) ? { ...image, flags: [...image.flags, readBeforeAcquisition] } : image,
  );
  return { ...reading, images };
}

export const hasClockFlag = ({ images }: Reading): boolean =>
  images.some(({ flags }) => flags.includes(readBeforeAcquisition));

function isReadBefore({ image }: ImageReading, { readAt, study, settings }: Reading): boolean {
  const zone = study.TimezoneOffsetFromUTC ?? settings.timezoneOffset;
  const { AcquisitionDate, AcquisitionTime } = image;
  const acquired = earliest(AcquisitionDate, AcquisitionTime, zone) ?? earliest(study.StudyDate, study.StudyTime, zone);
  return acquired !== null && acquired - Date.parse(readAt) > toleranceMs;
}

/** Milliseconds since 1970 of DA and TM, the earliest that they may mean; null where there is no date. */
function earliest(da: string | null, tm: string | null, zone: string | null): number | null {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(da ?? '') ?? [];
  if (year === undefined) return null;
  const [, hour = '00', minute = '00', second = '00'] = /^(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d*)?)?)?$/.exec(tm ?? '') ?? [];
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(instant)) return null;
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone ?? '') ?? [];
  if (sign === undefined) return instant - farthestZoneMs;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? instant + offset : instant - offset;
}
