import { trim } from './dataset.ts';

/**
 * What the value representations allow (PS3.5 table 6.2-1): each function gives the value fit to be written, or null.
 * Lenient where a wrong form has one meaning (`1999.01.01`, `12:30:00`), strict in what comes out (faults 97, 98).
 * Lengths count characters, not bytes.
 */

/** Control characters are allowed in none of these VRs, the backslash separates values. */
const forbidden = /[\p{Cc}\\]/u;
const loneSurrogate = /\p{Cs}/u;

const lengthOf = (value: string): number => [...value].length;

/** Without padding; null when nothing is left. */
export function trimmed(value: string | null): string | null {
  return value === null ? null : trim(value).trim() || null;
}

const textOf = (value: string | null, longest: number): string | null => {
  const text = trimmed(value);
  if (text === null || lengthOf(text) > longest || forbidden.test(text) || loneSurrogate.test(text)) return null;
  return text;
};

/** LO: 64 characters. */
export const longStringOf = (value: string | null): string | null => textOf(value, 64);

/** SH: 16 characters. */
export const shortStringOf = (value: string | null): string | null => textOf(value, 16);

/** CS: 16 of A-Z, 0-9, space and underscore; lower case is raised. */
export function codeStringOf(value: string | null): string | null {
  const text = trimmed(value)?.toUpperCase() ?? null;
  return text !== null && /^[A-Z0-9 _]{1,16}$/.test(text) ? text : null;
}

/** PN: up to three groups of 64 characters, joined by `=`, each of up to five components joined by `^`. */
export function personNameOf(value: string | null): string | null {
  const text = trimmed(value);
  if (text === null) return null;
  const groups = text.split('=').map((group) => group.trim());
  const fits = (group: string) =>
    lengthOf(group) <= 64 && group.split('^').length <= 5 && !forbidden.test(group) && !loneSurrogate.test(group);
  if (groups.length > 3 || !groups.every(fits)) return null;
  const written = groups.join('=').replace(/=+$/, '');
  return written === '' ? null : written;
}

/** DA as YYYYMMDD, a day that exists. Reads `1999.01.01` (ACR-NEMA) and `1999-01-01`; a year alone is no date. */
export function dateOf(value: string | null): string | null {
  const match = /^(\d{4})([.-]?)(\d{2})\2(\d{2})$/.exec(trimmed(value) ?? '');
  if (!match) return null;
  const [, year = '', , month = '', day = ''] = match;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  const exists = !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day) && Number(year) > 0;
  return exists ? `${year}${month}${day}` : null;
}

/** TM as HH[MM[SS[.F{1,6}]]]. Reads `12:30:00` (ACR-NEMA); a leap second stays. */
export function timeOf(value: string | null): string | null {
  const text = trimmed(value) ?? '';
  const plain = /^\d{2}(:\d{2}){1,2}(\.\d{1,6})?$/.test(text) ? text.replaceAll(':', '') : text;
  return /^([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?$/.test(plain) ? plain : null;
}

/** AS: three digits and D, W, M or Y. A number without a unit is no age. */
export function ageOf(value: string | null): string | null {
  const text = trimmed(value)?.toUpperCase() ?? '';
  return /^\d{3}[DWMY]$/.test(text) ? text : null;
}

/** Offset from UTC as `+HHMM` or `-HHMM`, -1200 to +1400 (PS3.3 C.12.1.1.8); reads `+01:00`. */
export function timezoneOffsetOf(value: string | null): string | null {
  const text = (trimmed(value) ?? '').replace(':', '');
  if (!/^[+-](0\d|1[0-4])[0-5]\d$/.test(text) || text === '-0000') return null;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(3));
  return minutes <= (text.startsWith('-') ? 12 : 14) * 60 ? text : null;
}

/** IS: an integer of 32 bits. */
export function integerOf(value: number | null): number | null {
  return value !== null && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31 ? value : null;
}

/** One of the enumerated values; null for anything else. */
export function oneOf<T extends string>(value: string | null, allowed: readonly T[]): T | null {
  const text = codeStringOf(value);
  return allowed.find((candidate) => candidate === text) ?? null;
}
