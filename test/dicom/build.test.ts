import fc from 'fast-check';
import { Failure } from '../../src/core/failure.ts';
import { type Attributes, build, codeItem, decimalString } from '../../src/dicom/build.ts';
import { valueAt } from './results.ts';

const failureOf = (attributes: Attributes): Failure => {
  try {
    build(attributes);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
};

test('null is written empty and undefined is left out, because type 2 and type 3 differ', () => {
  const dataset = build({ PatientID: null, StudyDescription: undefined, PerformedProcedureCodeSequence: [] });
  expect({ ...dataset }).toEqual({ '00100020': { vr: 'LO' }, '0040A372': { vr: 'SQ' } });
});

test('a data set has no prototype, because a key such as __proto__ must be only a key', () => {
  expect(Object.getPrototypeOf(build({ Modality: 'SR' }))).toBeNull();
});

test('one value, several values and items become the DICOM JSON Model', () => {
  const dataset = build({
    ImageType: ['DERIVED', 'SECONDARY'],
    SeriesNumber: 9901,
    PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
    ConceptNameCodeSequence: [build({ CodeValue: '126000' })],
  });
  expect({ ...dataset }).toEqual({
    '00080008': { vr: 'CS', Value: ['DERIVED', 'SECONDARY'] },
    '00200011': { vr: 'IS', Value: [9901] },
    '00100010': {
      vr: 'PN',
      Value: [{ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }],
    },
    '0040A043': { vr: 'SQ', Value: [{ '00080100': { vr: 'SH', Value: ['126000'] } }] },
  });
});

test('a name without letters keeps its ideographs in their group', () => {
  expect(valueAt(build({ PatientName: '=山田^太郎' }), 'PatientName')).toEqual({ Ideographic: '山田^太郎' });
});

const misfits: readonly (readonly [string, Attributes])[] = [
  ['LO of 65 characters', { SeriesDescription: 'x'.repeat(65) }],
  ['LO with a backslash', { PatientID: 'a\\b' }],
  ['LO with a line feed', { Manufacturer: 'a\nb' }],
  ['LO with half a surrogate pair', { Manufacturer: '\ud83d' }],
  ['SH of 17 characters', { AccessionNumber: 'x'.repeat(17) }],
  ['CS in lower case', { Modality: 'sr' }],
  ['CS of 17 characters', { ConversionType: 'X'.repeat(17) }],
  ['DA that is no day', { StudyDate: '20250229' }],
  ['DA with dots', { StudyDate: '2025.02.01' }],
  ['TM of 25 hours', { StudyTime: '250000' }],
  ['AS without a unit', { PatientAge: '62' }],
  ['UI with a leading zero', { SOPInstanceUID: '1.02.3' }],
  ['UI of 65 characters', { SOPInstanceUID: `1.${'2'.repeat(63)}` }],
  ['UI with letters', { SOPInstanceUID: '1.2.x' }],
  ['PN of 65 characters in a group', { PatientName: 'x'.repeat(65) }],
  ['PN of four groups', { PatientName: 'a=b=c=d' }],
  ['DS that is not finite', { NumericValue: Number.NaN }],
  ['DS as text', { NumericValue: '0,5' }],
  ['IS beyond 32 bits', { SeriesNumber: 2 ** 31 }],
  ['IS with a fraction', { SeriesNumber: 1.5 }],
  ['US beyond 16 bits', { Rows: 65_536 }],
  ['US below zero', { Rows: -1 }],
  ['FL beyond 32 bits', { GraphicData: [1e39] }],
  ['ST of 1025 characters', { DerivationDescription: 'x'.repeat(1025) }],
  ['ST of two values', { DerivationDescription: ['a', 'b'] }],
  ['UT with a bell', { TextValue: 'a\u0007' }],
  ['OW as numbers', { PixelData: 7 }],
  ['an empty text, which null stands for', { PatientID: '' }],
  ['a space at the end, which readers drop', { PatientID: 'a ' }],
];

test.each(misfits)('%s is refused, because nothing of ours is ever repaired or cut', (_name, attributes) => {
  const [keyword] = Object.keys(attributes);
  expect(failureOf(attributes)).toMatchObject({ code: 'internal', detail: { where: keyword } });
});

test('a refusal tells the length and not the value, because the value may name a patient', () => {
  const { message } = failureOf({ PatientID: 'ROSSI'.repeat(20) });
  expect(message).not.toContain('ROSSI');
  expect(message).toContain('100 characters');
});

test('64 characters of three bytes each are a fit LO, because lengths count characters', () => {
  const text = '胸'.repeat(64);
  expect(valueAt(build({ StudyDescription: text }), 'StudyDescription')).toBe(text);
});

test('prose may hold tabs, line feeds and backslashes, because ST, LT and UT have one value', () => {
  const text = 'a\tb\r\nc\\d';
  expect(valueAt(build({ TextValue: text }), 'TextValue')).toBe(text);
});

test('DS text fits into 16 characters and is as near as they allow', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = decimalString(value);
      expect(text.length).toBeLessThanOrEqual(16);
      expect(text).toMatch(/^-?\d+(\.\d+)?(e[+-]\d+)?$/);
      expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-8);
    }),
  );
  expect(decimalString(1 / 3)).toBe('0.33333333333333');
  expect(decimalString(0.8731)).toBe('0.8731');
});

test('FL stands as 32 bits hold it, because that is what will be read back', () => {
  expect(build({ GraphicData: [0.1, 2.5] })['00700022']?.Value).toEqual([Math.fround(0.1), 2.5]);
});

test('a code that is longer than SH goes in the attribute made for it', () => {
  const long = codeItem({ CodeValue: '882784691000119100', CodingSchemeDesignator: 'SCT', CodeMeaning: 'x' });
  expect(Object.keys(long)).toEqual(['00080119', '00080102', '00080104']);
  const urn = codeItem({ CodeValue: 'urn:oid:1.2.3', CodingSchemeDesignator: '', CodeMeaning: 'x' });
  expect(Object.keys(urn)).toEqual(['00080120', '00080104']);
});
