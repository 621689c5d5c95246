import type { Dataset } from '../core/study.ts';
import { text } from './dataset.ts';
import { ageOf, dateOf } from './header-values.ts';
import { type Gate, refuse } from './select-gate.ts';

/** Rules about time: of the study, and of the patient's life. Refusals name the limit, never a date or an age. */

const dayMs = 86_400_000;
const daysPerYear = 365.2425;
/** A StudyDate has no zone: a study of today may be dated tomorrow or yesterday elsewhere. */
const zoneSlackDays = 1;
/** Older than any human: a placeholder such as 19000101 was written instead of a birth date. */
const longestLifeYears = 130;

/** Priors that a prefetch brings in (fault 21). An unknown date is accepted, and so is one ahead of our clock. */
export const recentStudy: Gate = (header, { rules: { options }, context }) => {
  if (options.maxStudyAgeDays === null) return null;
  const date = daysOf(text(header, 'StudyDate'));
  if (date === null) return null;
  const ageDays = Math.floor(context.now / dayMs) - date;
  return ageDays > options.maxStudyAgeDays + zoneSlackDays
    ? refuse('too-old', `StudyDate before selection.maxStudyAgeDays=${options.maxStudyAgeDays}`)
    : null;
};

export const oldEnough: Gate = (header, { rules: { options } }) => {
  const { minAgeYears, unknownAge } = options;
  if (minAgeYears === null || minAgeYears === 0) return null;
  const age = ageYears(header);
  if (age === null) {
    return unknownAge === 'read'
      ? null
      : refuse('age-unknown', 'PatientAge, PatientBirthDate or StudyDate absent or invalid');
  }
  return age < minAgeYears ? refuse('too-young', `age below selection.minAgeYears=${minAgeYears}`) : null;
};

/** PatientAge (0010,1010), else the days between birth and study. A number without a unit is no age. */
function ageYears(header: Dataset): number | null {
  const stated = ageOf(text(header, 'PatientAge'));
  if (stated) {
    const amount = Number(stated.slice(0, 3));
    return (
      { Y: amount, M: amount / 12, W: (amount * 7) / daysPerYear, D: amount / daysPerYear }[stated.slice(3)] ?? null
    );
  }
  return yearsBetween(dateOf(text(header, 'PatientBirthDate')), dateOf(text(header, 'StudyDate')));
}

/** Whole years as people count birthdays; null when a date is missing or the span is no human age. */
function yearsBetween(birth: string | null, study: string | null): number | null {
  if (birth === null || study === null) return null;
  const years = Math.floor((Number(study) - Number(birth)) / 10_000);
  return years >= 0 && years <= longestLifeYears ? years : null;
}

/** Days since 1970 of a DA. */
function daysOf(value: string | null): number | null {
  const date = dateOf(value);
  if (date === null) return null;
  return Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / dayMs;
}
