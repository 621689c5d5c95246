import { readFileSync } from 'node:fs';
import { codeNames } from '../../src/core/codes.ts';
import { parseCodes } from '../../src/outputs/codes.ts';
import { checkCodes, testWithValidators } from '../services/validators.ts';

const table = () =>
  JSON.parse(readFileSync(new URL('../../mappings/codes.json', import.meta.url), 'utf8')) as Record<
    string,
    Record<string, string>
  >;

test('every code that the program names is in mappings/codes.json once, in the same order', () => {
  expect(Object.keys(parseCodes(table()))).toEqual([...codeNames]);
});

test('no two names stand for one code of one scheme, because each code is written down once', () => {
  const codes = Object.values(table()).map((code) => `${code['CodeValue']}, ${code['CodingSchemeDesignator']}`);
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});

test.each([
  ['a missing name', (codes: ReturnType<typeof table>) => delete codes['finding'], 'finding'],
  [
    'a name that nobody uses',
    (codes: ReturnType<typeof table>) => {
      codes['findng'] = codes['finding']!;
    },
    'findng',
  ],
  [
    'a scheme without a FHIR system',
    (codes: ReturnType<typeof table>) => {
      codes['finding']!['CodingSchemeDesignator'] = 'SNM3';
    },
    'finding',
  ],
  [
    'a value longer than SH',
    (codes: ReturnType<typeof table>) => {
      codes['finding']!['CodeValue'] = '882784691000119100';
    },
    'finding',
  ],
  ['a code without an edition', (codes: ReturnType<typeof table>) => delete codes['finding']!['edition'], 'finding'],
])('%s is refused by name', (_what, spoil, name) => {
  const codes = table();
  spoil(codes);
  expect(() => parseCodes(codes)).toThrow(new RegExp(`config-invalid.*${name}`));
});

/** Not in pydicom's tables; looked up elsewhere, as `source` says. */
const elsewhere = [
  'english',
  'plainChestRadiograph',
  'pixels',
  'qualitativeEvaluations',
  'suspectedCovid19',
  'opacityRadLex',
  'opacityRadElement',
];

testWithValidators()('codes and meanings are those of PS3.16 as pydicom has them, because nobody reads digits', () => {
  const verdicts = checkCodes(table());
  const named = (verdict: (value: string) => boolean) =>
    Object.keys(verdicts).filter((name) => verdict(verdicts[name]!));
  expect(named((verdict) => verdict === 'unknown')).toEqual(elsewhere);
  // "Source" is what TID 1601 calls it, and "millimeter" spells out what UCUM's table abbreviates.
  expect(named((verdict) => verdict !== 'same' && verdict !== 'unknown')).toEqual(['source', 'millimeter']);
});
