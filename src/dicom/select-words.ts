import type { Dataset } from '../core/study.ts';
import { code, codes, texts } from './dataset.ts';
import type { Keyword } from './keywords.ts';

/** How the rules look at texts and codes, and how a refusal quotes them without giving away what a person typed. */

/** Longest text that the rules look at; an ST has 1,024 characters. */
const longestText = 1024;

/** The words of a text: lower case, without accents, letters and digits apart (`Chest_2V` is chest, 2, v). */
export function wordsOf(value: string): readonly string[] {
  return plain(value).match(/\p{L}+|\p{N}+/gu) ?? [];
}

/** Without accents and voicing marks, but with Hangul whole again: its syllables are letters that marks are no part of. */
const plain = (value: string): string =>
  value.slice(0, longestText).normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC').toLowerCase();

/** The first phrase of the list that stands in the text as whole words; null when none does. */
export function phraseIn(value: string | null, phrases: readonly string[]): string | null {
  if (value === null) return null;
  const words = wordsOf(value);
  return phrases.find((phrase) => stands(words, wordPatterns(phrase))) ?? null;
}

/** `tg18*` is two words of a text, tg and 18*, because letters and digits are kept apart there. */
function wordPatterns(phrase: string): readonly string[] {
  const known = patternsOf.get(phrase);
  if (known) return known;
  const patterns = splitPhrase(phrase);
  patternsOf.set(phrase, patterns);
  return patterns;
}

/** Of the phrases of the rules, which are asked again for every image. */
const patternsOf = new Map<string, readonly string[]>();

function splitPhrase(phrase: string): readonly string[] {
  return plain(phrase).match(/\*?\p{L}+\*?|\*?\p{N}+\*?/gu) ?? [];
}

function stands(words: readonly string[], patterns: readonly string[]): boolean {
  return words.some((_, start) => patterns.every((pattern, offset) => agrees(words[start + offset], pattern)));
}

function agrees(word: string | undefined, pattern: string): boolean {
  if (word === undefined) return false;
  const [open, close] = [pattern.startsWith('*'), pattern.endsWith('*')];
  const core = pattern.replaceAll('*', '');
  if (open && close) return word.includes(core);
  if (open) return word.endsWith(core);
  return close ? word.startsWith(core) : word === core;
}

/** Whether an identifier fits a pattern in which `*` stands for anything; linear in both, letter case ignored. */
export function fitsPattern(value: string, pattern: string): boolean {
  const [head = '', ...rest] = pattern.toLowerCase().split('*');
  const lower = value.toLowerCase();
  const tail = rest.pop();
  if (tail === undefined) return lower === head;
  if (!lower.startsWith(head) || !lower.endsWith(tail)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = lower.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= lower.length - tail.length;
}

export interface CodedConcept {
  readonly scheme: string;
  readonly value: string;
}

/** SNOMED-RT codes stand under three designators in older objects (PS3.16 8.1, PS3.3 8.2). */
const schemeOf = (designator: string): string => (['SNM3', '99SDM'].includes(designator) ? 'SRT' : designator);

/** Codes of a sequence with their scheme under one name. */
export function conceptsOf(dataset: Dataset, keyword: Keyword): readonly CodedConcept[] {
  return codes(dataset, keyword).map(({ CodeValue, CodingSchemeDesignator }) => ({
    scheme: schemeOf(CodingSchemeDesignator),
    value: CodeValue,
  }));
}

export function isOneOf(concept: CodedConcept, list: readonly CodedConcept[]): boolean {
  return list.some(({ scheme, value }) => scheme === concept.scheme && value === concept.value);
}

/** Title of a document as a concept; null when it has none. */
export function conceptOf(item: Dataset): CodedConcept | null {
  const found = code(item);
  return found && { scheme: schemeOf(found.CodingSchemeDesignator), value: found.CodeValue };
}

/** `BodyPartExamined=HIP`. A value that is no code string may be something that a person typed, and is not repeated. */
export function quote(dataset: Dataset, keyword: Keyword): string {
  const values = texts(dataset, keyword);
  if (values.length === 0) return `${keyword} absent`;
  const isCodeString = (value: string) => /^[A-Za-z0-9_. ]{0,64}$/.test(value) && value.length <= limitOf(keyword);
  return `${keyword}=${values.map((value) => (isCodeString(value) ? value : '(no code string)')).join('\\')}`;
}

/** UIDs may have 64 characters, code strings 16. */
const limitOf = (keyword: Keyword): number => (keyword.endsWith('UID') ? 64 : 16);

export function quoteConcept(keyword: Keyword, { scheme, value }: CodedConcept): string {
  const fits = /^[A-Za-z0-9_.-]{1,16}$/;
  return fits.test(scheme) && fits.test(value) ? `${keyword}=(${value}, ${scheme})` : `${keyword}=(no code)`;
}

/** Names the rule's own word, never the text it was found in. */
export function quoteWord(keyword: Keyword, phrase: string): string {
  return `${keyword} says "${phrase}"`;
}
