import { expect, test } from '@jest/globals';
import { displayName, toHumanNames } from '../../src/fhir/names.ts';

const representation = (valueCode: string) => ({
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation', valueCode }],
});

test('a plain name needs no representation, because letters are what FHIR takes for granted', () => {
  expect(toHumanNames('REFERRER^ROSA^M^Dr^PhD')).toEqual([
    { text: 'Dr ROSA M REFERRER PhD', family: 'REFERRER', given: ['ROSA', 'M'], prefix: ['Dr'], suffix: ['PhD'] },
  ]);
});

test('each group of a Japanese name is a name of its own, marked, because the EHR shows the one that it can', () => {
  expect(toHumanNames('Yamada^Tarou=山田^太郎=やまだ^たろう')).toEqual([
    { ...representation('ABC'), text: 'Tarou Yamada', family: 'Yamada', given: ['Tarou'] },
    { ...representation('IDE'), text: '山田 太郎', family: '山田', given: ['太郎'] },
    { ...representation('SYL'), text: 'やまだ たろう', family: 'やまだ', given: ['たろう'] },
  ]);
});

test('an ideographic group alone is still marked, because it stands in its own place', () => {
  expect(toHumanNames('=洪^吉洞')).toEqual([
    { ...representation('IDE'), text: '洪 吉洞', family: '洪', given: ['吉洞'] },
  ]);
});

test.each([
  ['^^^Dr^', [{ text: 'Dr', prefix: ['Dr'] }]],
  ['MADONNA', [{ text: 'MADONNA', family: 'MADONNA' }]],
  ['  Diego  ^ Ana  Maria ^', [{ text: 'Ana Maria Diego', family: 'Diego', given: ['Ana Maria'] }]],
  ['O\\Brien^<Pat>', [{ text: '<Pat> O\\Brien', family: 'O\\Brien', given: ['<Pat>'] }]],
])('the odd name %s keeps what it has, because nothing is guessed (fault 95)', (name, expected) => {
  expect(toHumanNames(name)).toEqual(expected);
});

test.each([null, '', '^^^^', '==', ' ^ = '])('%p gives no name, because it names nobody', (name) => {
  expect(toHumanNames(name)).toEqual([]);
  expect(displayName(name)).toBeNull();
});

test('the line shows all groups, because a clerk may read only one of them', () => {
  expect(displayName('Yamada^Tarou=山田^太郎')).toBe('Tarou Yamada · 山田 太郎');
});
