import type { FailureCode } from '../core/failure.ts';
import type { Dataset } from '../core/study.ts';
import type { SelectionRules } from './select-rules.ts';

/** What the rules know besides the header. */
export interface SelectionContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** DeviceUIDs of the models that this gateway serves or ever served. */
  readonly ownDeviceUids: ReadonlySet<string>;
  /** SOP Instance UIDs of our own results. */
  readonly ownUids: ReadonlySet<string>;
}

export interface Circumstances {
  readonly rules: SelectionRules;
  readonly context: SelectionContext;
  /** SOP Instance UIDs that rejection notes of the study list. */
  readonly rejected: ReadonlySet<string>;
}

/** A refusal with the tag values that decided it; never patient data, never a whole text. */
export interface Refusal {
  readonly code: FailureCode;
  readonly because: readonly string[];
}

/** One rule for one object: a refusal, or null when the rule has nothing against it. */
export type Gate = (header: Dataset, circumstances: Circumstances) => Refusal | null;

export const refuse = (code: FailureCode, ...because: readonly string[]): Refusal => ({ code, because });
