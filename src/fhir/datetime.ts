/**
 * DICOM dates and times as FHIR R4 `date` and `dateTime`. What is not a date of the calendar is nothing, and a time whose
 * zone is unknown is left out: a guessed zone would move studies to another day.
 */

/** `20260314` → `2026-03-14` (DA, PS3.5 6.2); null when it is no day of the calendar. */
export function toDate(da: string | null): string | null {
  const match = da?.match(/^(\d{4})(\d{2})(\d{2})$/);
  if (!match) return null;
  const text = `${match[1]}-${match[2]}-${match[3]}`;
  const day = new Date(`${text}T00:00:00Z`);
  // The calendar of Date wraps 30 February into March: a day that exists comes back as it went in. FHIR has no year 0000.
  return match[1] !== '0000' && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) ? text : null;
}

/**
 * Date and time in a zone → FHIR dateTime. A TM without minutes stays a date, since FHIR asks for minutes and they are
 * never guessed; seconds may be filled with zeros (R4 2.24.0.1), a fraction is kept to milliseconds.
 */
export function toDateTime(da: string | null, tm: string | null, zone: string | null): string | null {
  const date = toDate(da);
  if (date === null) return null;
  const time = toTime(tm);
  const offset = toOffset(zone);
  return time === null || offset === null ? date : `${date}T${time}${offset}`;
}

function toTime(tm: string | null): string | null {
  const match = tm?.match(/^([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d)(?:\.(\d{1,6}))?)?$/);
  if (!match) return null;
  const fraction = match[4] ? `.${match[4].padEnd(3, '0').slice(0, 3)}` : '';
  return `${match[1]}:${match[2]}:${match[3] ?? '00'}${fraction}`;
}

/** `+0100` → `+01:00` (0008,0201); FHIR knows −13:59 to +14:00, and DICOM no −0000. */
function toOffset(zone: string | null): string | null {
  if (!zone || zone === '-0000') return null;
  const match = zone.match(/^([+-])(0\d|1[0-4])([0-5]\d)$/);
  if (!match || (match[2] === '14' && (match[1] === '-' || match[3] !== '00'))) return null;
  return `${match[1]}${match[2]}:${match[3]}`;
}
