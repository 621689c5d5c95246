import { Failure } from '../core/failure.ts';
import type { Attribute, Code, Dataset, PersonName } from '../core/study.ts';
import { type Keyword, keywords } from './keywords.ts';
import { vrRules } from './vr-rules.ts';

/** Data sets that we write, from keywords. What does not fit its VR is a fault of ours: Failure `internal`, never a repair. */

/** A person name is given as text, `alphabetic=ideographic=phonetic`; bytes belong to OB and OW. */
export type Value = string | number | Uint8Array;

/**
 * Value, values or items of an attribute. `null` and `[]` are written empty (type 2), `undefined` is left out (type 3).
 */
export type Content = Value | readonly Value[] | readonly Dataset[] | null | undefined;

export type Attributes = { readonly [K in Keyword]?: Content };

/**
 * A data set in the DICOM JSON Model; its binary attributes hold one Uint8Array, which JSON does not know.
 * Numbers stand as they will be read back: DS in 16 characters, FL in 32 bits.
 */
export function build(attributes: Attributes): Dataset {
  const dataset = Object.create(null) as Record<string, Attribute>;
  const entries = Object.entries(attributes).filter(([, content]) => content !== undefined);
  for (const [keyword, content] of entries) {
    const [tag, vr] = keywords[keyword as Keyword];
    const values = content === null ? [] : Array.isArray(content) ? content : [content];
    dataset[tag] = values.length === 0 ? { vr } : { vr, Value: valuesOf(keyword, vr, values) };
  }
  return dataset;
}

/** One item of a code sequence (PS3.3 table 8.8-1); what is longer than SH goes in the attributes made for it. */
export function codeItem({ CodeValue, CodingSchemeDesignator, CodeMeaning }: Code): Dataset {
  if (/^ur[in]:/i.test(CodeValue)) return build({ URNCodeValue: CodeValue, CodeMeaning });
  const long = [...CodeValue].length > 16;
  return build({ ...(long ? { LongCodeValue: CodeValue } : { CodeValue }), CodingSchemeDesignator, CodeMeaning });
}

/** Decimal text of at most 16 characters (DS), as near to the number as that allows. */
export function decimalString(value: number): string {
  for (let digits = 17; digits > 0; digits -= 1) {
    const rounded = Number(value.toPrecision(digits));
    // Rounding up may leave the range of a double.
    if (!Number.isFinite(rounded)) continue;
    const text = [String(rounded), rounded.toExponential()].find((candidate) => candidate.length <= 16);
    if (text !== undefined) return text;
  }
  throw new Failure('internal', { where: 'DS', expected: 'a finite number' });
}

function valuesOf(keyword: string, vr: string, values: readonly unknown[]): readonly unknown[] {
  if (vr === 'SQ') return values;
  const rule = vrRules[vr];
  if (!rule) throw new Failure('internal', { where: keyword, expected: 'a VR that we write', got: vr });
  if (rule.single && values.length > 1) {
    throw new Failure('internal', { where: keyword, expected: 'one value', got: `${values.length} values` });
  }
  for (const value of values) {
    // The value may be a patient's: only its kind and length are told.
    if (!rule.fits(value))
      throw new Failure('internal', { where: keyword, expected: rule.expected, got: kindOf(value) });
  }
  return values.map((value) => inJsonModel(vr, value));
}

function inJsonModel(vr: string, value: unknown): unknown {
  if (vr === 'PN') return personName(value as string);
  if (vr === 'DS') return Number(decimalString(value as number));
  if (vr === 'FL') return Math.fround(value as number);
  return value;
}

function personName(text: string): PersonName {
  const [Alphabetic, Ideographic, Phonetic] = text.split('=');
  return {
    ...(Alphabetic ? { Alphabetic } : {}),
    ...(Ideographic ? { Ideographic } : {}),
    ...(Phonetic ? { Phonetic } : {}),
  };
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return `${[...value].length} characters`;
  return value instanceof Uint8Array ? `${value.length} bytes` : typeof value;
}
