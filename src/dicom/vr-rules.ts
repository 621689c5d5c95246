import { isUid } from '../core/ids.ts';
import {
  ageOf,
  codeStringOf,
  dateOf,
  integerOf,
  longStringOf,
  personNameOf,
  shortStringOf,
  timeOf,
} from './header-values.ts';

/**
 * What a value of each VR must be before we write it (PS3.5 table 6.2-1), for the VRs that our objects use.
 * Lengths count characters, not bytes.
 */
export interface VrRule {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
  /** Only one value: in these the backslash is text, or the value is a whole. */
  readonly single?: true;
}

/** Fit as it stands: the lenient reader of the header has nothing to mend in it. */
const unmended =
  (mend: (value: string) => string | null) =>
  (value: unknown): boolean =>
    typeof value === 'string' && mend(value) === value;

const matches = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value);

/** Text of several lines: of the control characters only TAB, LF, FF and CR (PS3.5 6.1.3). */
const prose = (longest: number) => (value: unknown) =>
  typeof value === 'string' &&
  [...value].length <= longest &&
  !/\p{Cs}/u.test(value) &&
  !/\p{Cc}/u.test(value.replace(/[\t\n\f\r]/g, ''));

const integerBetween = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const bytes: VrRule = { expected: 'bytes', fits: (value) => value instanceof Uint8Array };

export const vrRules: Readonly<Record<string, VrRule>> = {
  AS: { expected: 'three digits and D, W, M or Y', fits: unmended(ageOf) },
  CS: { expected: 'at most 16 of A-Z, 0-9, space, underscore', fits: unmended(codeStringOf) },
  DA: { expected: 'YYYYMMDD', fits: unmended(dateOf) },
  DS: { expected: 'a finite number', fits: Number.isFinite },
  DT: { expected: 'YYYYMMDDHHMMSS.FFFFFF&ZZXX', fits: matches(/^\d{4}(\d\d){0,5}(\.\d{1,6})?([+-]\d{4})?$/) },
  FD: { expected: 'a finite number', fits: Number.isFinite },
  FL: { expected: 'a finite number of 32 bits', fits: (value) => Number.isFinite(Math.fround(value as number)) },
  IS: { expected: 'an integer of 32 bits', fits: (value) => integerOf(value as number) === value },
  LO: { expected: 'at most 64 characters, no control character or backslash', fits: unmended(longStringOf) },
  LT: { expected: 'at most 10240 characters', fits: prose(10_240), single: true },
  OB: { ...bytes, single: true },
  OW: { ...bytes, single: true },
  PN: { expected: 'up to three groups of 64 characters', fits: unmended(personNameOf) },
  SH: { expected: 'at most 16 characters, no control character or backslash', fits: unmended(shortStringOf) },
  SS: { expected: 'an integer of 16 bits, signed', fits: integerBetween(-(2 ** 15), 2 ** 15 - 1) },
  ST: { expected: 'at most 1024 characters', fits: prose(1024), single: true },
  TM: { expected: 'HHMMSS.FFFFFF', fits: unmended(timeOf) },
  UC: { expected: 'characters, no control character or backslash', fits: matches(/^[^\p{Cc}\p{Cs}\\]*$/u) },
  // Leading zeros are read, never written.
  UI: { expected: 'a UID', fits: (value) => matches(/^(?!.*(^|\.)0\d)/)(value) && isUid(value as string) },
  UL: { expected: 'an integer of 32 bits, unsigned', fits: integerBetween(0, 2 ** 32 - 1) },
  UR: { expected: 'a URI without spaces', fits: matches(/^[\x21-\x7e]+$/), single: true },
  US: { expected: 'an integer of 16 bits, unsigned', fits: integerBetween(0, 2 ** 16 - 1) },
  UT: { expected: 'text', fits: prose(2 ** 32 - 2), single: true },
};
