import type { Dataset } from '../core/study.ts';
import { text } from './dataset.ts';
import { type Gate, type Refusal, refuse } from './select-gate.ts';
import { imageTexts } from './select-image.ts';
import type { SelectionRules } from './select-rules.ts';
import { conceptsOf, isOneOf, phraseIn, quote, quoteConcept, quoteWord, wordsOf } from './select-words.ts';

/**
 * Whether the header says chest: AnatomicRegionSequence before BodyPartExamined before the texts (PS3.3 C.8.11.2, 10.5).
 * A text about this image that names another part, and not the chest, also stops an image that is coded as chest:
 * rib and spine films are often taken under a chest protocol.
 */
export const chestOnly: Gate = (header, { rules }) => {
  const coded = codedPart(header, rules);
  if (coded !== 'unknown' && coded !== 'chest') return coded;
  const other = otherPartOf(header, rules);
  if (other) return other;
  if (coded === 'chest') return null;
  const texts = ['StudyDescription', ...imageTexts] as const;
  const named = texts.some((keyword) => namesOnlyChest(text(header, keyword), rules));
  if (named || rules.options.unknownBodyPart === 'read') return null;
  return refuse('body-part-unknown', quote(header, 'BodyPartExamined'), 'no text names the chest');
};

function codedPart(header: Dataset, { images }: SelectionRules): 'chest' | 'unknown' | Refusal {
  const { chestCodes } = images.bodyPart;
  const regions = conceptsOf(header, 'AnatomicRegionSequence');
  const other = regions.find((region) => !isOneOf(region, chestCodes));
  if (other) return refuse('not-chest', quoteConcept('AnatomicRegionSequence', other));
  const examined = examinedPart(header, images.bodyPart);
  if (examined === 'other') return refuse('not-chest', quote(header, 'BodyPartExamined'));
  return regions.length > 0 ? 'chest' : examined;
}

/** BodyPartExamined is a defined term of PS3.16 annex L, or what a vendor lets people type: `Chest PA`. */
function examinedPart(
  header: Dataset,
  { chestTerms, unspecificTerms, chestWords, otherWords }: SelectionRules['images']['bodyPart'],
): 'chest' | 'unknown' | 'other' {
  const value = text(header, 'BodyPartExamined');
  if (value === null) return 'unknown';
  const term = wordsOf(value).join(' ').toUpperCase();
  if (chestTerms.includes(term)) return 'chest';
  if (term === '' || unspecificTerms.includes(term)) return 'unknown';
  const names = phraseIn(value, chestWords) !== null && phraseIn(value, otherWords) === null;
  return names ? 'chest' : 'other';
}

function otherPartOf(header: Dataset, { images }: SelectionRules): Refusal | null {
  const { chestWords, otherWords } = images.bodyPart;
  for (const keyword of imageTexts) {
    const value = text(header, keyword);
    const other = phraseIn(value, otherWords);
    if (other !== null && phraseIn(value, chestWords) === null) return refuse('not-chest', quoteWord(keyword, other));
  }
  return null;
}

function namesOnlyChest(value: string | null, { images }: SelectionRules): boolean {
  const { chestWords, otherWords } = images.bodyPart;
  return phraseIn(value, chestWords) !== null && phraseIn(value, otherWords) === null;
}
