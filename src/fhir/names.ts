import type { HumanName } from './types.ts';

/** Person names of DICOM (PN, PS3.5 6.2.1.2: `alphabetic=ideographic=phonetic`, each `family^given^middle^prefix^suffix`). */

const representationUrl = 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation';
/** ISO 21090 name representation of each component group, in the order of the PN. */
const representations = ['ABC', 'IDE', 'SYL'] as const;

/** One HumanName a group. `text` is always there; a group without any letter gives none. */
export function toHumanNames(personName: string | null): readonly HumanName[] {
  if (personName === null) return [];
  const groups = personName.split('=').slice(0, representations.length);
  const several = groups.filter((group) => textOf(group) !== '').length > 1;
  return groups.flatMap((group, index) => {
    const text = textOf(group);
    if (text === '') return [];
    // A lone alphabetic group is what FHIR takes for granted.
    const marked = several || index > 0;
    const extension = [{ url: representationUrl, valueCode: representations[index]! }];
    return [{ ...(marked ? { extension } : {}), text, ...partsOf(group) }];
  });
}

/** All groups on one line, as a reader expects them: `Yamada Tarou · 山田 太郎 · やまだ たろう`; null when there is no name. */
export function displayName(personName: string | null): string | null {
  const names = toHumanNames(personName).map(({ text }) => text);
  return names.length > 0 ? names.join(' · ') : null;
}

function componentsOf(group: string): readonly string[] {
  return group.split('^').map((component) => component.trim().replace(/\s+/g, ' '));
}

/** Prefix, given, middle, family, suffix for letters; a name in ideographs is read family first. */
function textOf(group: string): string {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = componentsOf(group);
  const familyFirst = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(group);
  const order = familyFirst ? [prefix, family, given, middle, suffix] : [prefix, given, middle, family, suffix];
  return order.filter((part) => part !== '').join(' ');
}

function partsOf(group: string): Pick<HumanName, 'family' | 'given' | 'prefix' | 'suffix'> {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = componentsOf(group);
  const givens = [given, middle].filter((part) => part !== '');
  return {
    ...(family === '' ? {} : { family }),
    ...(givens.length === 0 ? {} : { given: givens }),
    ...(prefix === '' ? {} : { prefix: [prefix] }),
    ...(suffix === '' ? {} : { suffix: [suffix] }),
  };
}
