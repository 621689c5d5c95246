import { build } from '../../src/dicom/build.ts';
import { writableCharacterSets } from '../../src/dicom/character-set-writer.ts';
import { DicomMessage } from '../../src/dicom/dcmjs.ts';
import { keywords } from '../../src/dicom/keywords.ts';
import { parsePart10 } from '../../src/dicom/part10.ts';
import { implementationClassUid, implementationVersionName, writePart10 } from '../../src/dicom/part10-writer.ts';
import { singleByteSets } from '../../src/dicom/single-byte.ts';

const names = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
  SOPInstanceUID: '2.25.1',
  SpecificCharacterSet: 'ISO_IR 192',
};

/** Elements of a flat explicit little endian data set, read by hand: tag → [VR, bytes]. */
function elements(file: Uint8Array): ReadonlyMap<string, readonly [vr: string, bytes: Buffer]> {
  const bytes = Buffer.from(file);
  const found = new Map<string, readonly [string, Buffer]>();
  for (let at = 132; at < bytes.length; ) {
    const tag = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)].map((half) => half.toString(16).padStart(4, '0'));
    const vr = bytes.toString('latin1', at + 4, at + 6);
    const long = ['OB', 'OW', 'SQ', 'UC', 'UR', 'UT'].includes(vr);
    const length = long ? bytes.readUInt32LE(at + 8) : bytes.readUInt16LE(at + 6);
    const start = at + (long ? 12 : 8);
    found.set(tag.join('').toUpperCase(), [vr, bytes.subarray(start, start + length)]);
    at = start + length;
  }
  return found;
}

test('a file begins with 128 zeros and DICM, and its meta group says its own length', () => {
  const file = writePart10(build(names));
  expect(file.subarray(0, 128).every((byte) => byte === 0)).toBe(true);
  expect(Buffer.from(file.subarray(128, 132)).toString()).toBe('DICM');
  const found = elements(file);
  const length = found.get('00020000')?.[1].readUInt32LE() ?? 0;
  expect(Buffer.from(file).readUInt16LE(132 + 12 + length)).toBe(0x0008);
  const textOf = (tag: string) =>
    found
      .get(tag)?.[1]
      .toString()
      .replace(/[\0 ]+$/, '');
  expect(textOf('00020002')).toBe(names.SOPClassUID);
  expect(textOf('00020003')).toBe(names.SOPInstanceUID);
  expect(textOf('00020010')).toBe('1.2.840.10008.1.2.1');
  expect(textOf('00020012')).toBe(implementationClassUid);
  expect(textOf('00020013')).toBe(implementationVersionName);
  expect(found.get('00020001')?.[1]).toEqual(Buffer.from([0, 1]));
});

test('lengths are counted in characters, because 64 of them may be 128 units of UTF-16 (fault 96)', () => {
  const lungs = '🫁'.repeat(64);
  const found = elements(writePart10(build({ ...names, PatientName: `${lungs}=${lungs}`, StudyDescription: lungs })));
  expect(found.get('00081030')?.[1].toString()).toBe(lungs);
  expect(found.get('00100010')?.[1].toString().trimEnd()).toBe(`${lungs}=${lungs}`);
});

test('every value has an even length, padded as its VR says', () => {
  const found = elements(
    writePart10(
      build({
        ...names,
        PatientID: 'abc',
        SeriesInstanceUID: '1.2.3',
        SeriesNumber: 101,
        TextValue: 'x',
        PixelData: Uint8Array.of(1, 2, 3),
      }),
    ),
  );
  expect(found.get('00100020')?.[1].toString()).toBe('abc ');
  expect(found.get('0020000E')?.[1].toString()).toBe('1.2.3\0');
  expect(found.get('00200011')?.[1].toString()).toBe('101 ');
  expect(found.get('0040A160')?.[1].toString()).toBe('x ');
  expect([...(found.get('7FE00010')?.[1] ?? [])]).toEqual([1, 2, 3, 0]);
});

test('lengths of UTF-8 text are bytes, because a reader would lose its place', () => {
  const text = '胸部é';
  const found = elements(writePart10(build({ ...names, StudyDescription: text, PatientName: 'A=山田^太郎' })));
  expect(found.get('00081030')?.[1].toString('utf8').trimEnd()).toBe(text);
  expect(found.get('00100010')?.[1].toString('utf8').trimEnd()).toBe('A=山田^太郎');
});

test('several numbers stand side by side and several texts between backslashes', () => {
  const found = elements(writePart10(build({ ...names, GraphicData: [1, 2, 3], ImageType: ['DERIVED', 'SECONDARY'] })));
  expect(found.get('00700022')?.[1].length).toBe(12);
  expect(found.get('00700022')?.[1].readFloatLE(8)).toBe(3);
  expect(found.get('00080008')?.[1].toString()).toBe('DERIVED\\SECONDARY ');
});

test('zero is written, because dcmjs writes nothing for a value that is merely falsy in some places', () => {
  const found = elements(writePart10(build({ ...names, SeriesNumber: 0, NumericValue: 0, GraphicData: [0], Rows: 0 })));
  expect(found.get('00200011')?.[1].toString()).toBe('0 ');
  expect(found.get('0040A30A')?.[1].toString()).toBe('0 ');
  expect(found.get('00700022')?.[1]).toEqual(Buffer.alloc(4));
  expect(found.get('00280010')?.[1]).toEqual(Buffer.alloc(2));
});

test('empty values and sequences, nested items and long texts come back from dcmjs as they went in', () => {
  const dataset = build({
    ...names,
    PatientID: null,
    PerformedProcedureCodeSequence: [],
    ContentSequence: [build({ ValueType: 'CONTAINER', ContentSequence: [build({ TextValue: 'y'.repeat(70_001) })] })],
  });
  const file = writePart10(dataset);
  const { dict } = DicomMessage.readFile(file.buffer as ArrayBuffer);
  expect(Object.keys(dict)).toEqual(Object.keys(dataset).sort());
  // dcmjs reads an empty text as one.
  expect(dict['00100020']?.Value).toEqual(['']);
  expect(dict['0040A372']?.Value).toEqual([]);
  const [outer] = dict['0040A730']!.Value as [Record<string, { Value: [Record<string, { Value: [string] }>] }>];
  expect(outer['0040A730']?.Value[0]['0040A160']?.Value[0].trimEnd()).toBe('y'.repeat(70_001));
});

test('a view into a larger buffer is written as the view, because pixels often come out of a pool', () => {
  const pool = Uint8Array.of(9, 9, 1, 2, 9, 9);
  const found = elements(writePart10(build({ ...names, PixelData: pool.subarray(2, 4) })));
  expect([...(found.get('7FE00010')?.[1] ?? [])]).toEqual([1, 2]);
});

test('a compressed frame is one fragment of OB between an offset table and a delimiter', () => {
  const frame = new Uint8Array(50_001).fill(7);
  const file = Buffer.from(writePart10(build({ ...names, PixelData: frame }), '1.2.840.10008.1.2.4.80'));
  const at = file.indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00]));
  expect(file.toString('latin1', at + 4, at + 6)).toBe('OB');
  expect(file.readUInt32LE(at + 8)).toBe(0xffffffff);
  const afterTable = at + 12 + 8 + file.readUInt32LE(at + 16);
  expect(file.readUInt32LE(afterTable + 4)).toBe(50_002);
  expect(file.subarray(-8).toString('hex')).toBe('feffdde000000000');
});

test('the same data set gives the same bytes, because a repeated delivery must not look like another object', () => {
  const dataset = build({ ...names, PatientName: 'A^B', Rows: 3 });
  expect(writePart10(dataset)).toEqual(writePart10(dataset));
});

test('a data set without its UIDs is refused, because the file meta information would name nothing', () => {
  expect(() => writePart10(build({ SOPClassUID: '1.2' }))).toThrow('SOPInstanceUID');
});

describe('a data set in another character set (fault 47)', () => {
  const written = (SpecificCharacterSet: string, plan: Record<string, unknown> = {}) =>
    elements(writePart10(build({ ...names, SpecificCharacterSet, PatientName: 'Müller^Jörg', ...plan })));
  const latinOf = (found: ReturnType<typeof elements>, tag: string) => found.get(tag)?.[1].toString('latin1').trimEnd();

  test('is written in it, because some archives show UTF-8 as nonsense', () => {
    const found = written('ISO_IR 100', { PixelData: Uint8Array.of(1, 2, 3, 0xe4) });
    expect(latinOf(found, '00080005')).toBe('ISO_IR 100');
    expect(latinOf(found, '00100010')).toBe('Müller^Jörg');
    expect(found.get('7FE00010')?.[1]).toEqual(Buffer.from([1, 2, 3, 0xe4]));
  });

  test('is what a reader makes the same data set of, sequences and all', () => {
    const dataset = (term: string) =>
      build({
        ...names,
        ...{ SpecificCharacterSet: term, StudyInstanceUID: '2.25.2', SeriesInstanceUID: '2.25.3' },
        ...{ PatientName: 'Müller^Jörg', PatientID: 'Ä-7', Rows: 12 },
        OtherPatientIDsSequence: [build({ PatientID: 'ÅÄÖ', TypeOfPatientID: 'TEXT' }), build({ PatientID: 'é' })],
      });
    const [here, inUtf8] = ['ISO_IR 100', 'ISO_IR 192'].map((term) => parsePart10(writePart10(dataset(term))));
    expect([here!.characterSet, inUtf8!.characterSet]).toEqual([['ISO_IR 100'], ['ISO_IR 192']]);
    expect(here!.header).toEqual(inUtf8!.header);
    expect(here!.flags).toEqual([]);
  });

  test.each([
    ['a letter that it has not', 'ISO_IR 100', { StudyDescription: '胸部' }],
    ['a letter that it has not, deep inside', 'ISO_IR 101', { OtherPatientIDsSequence: [build({ PatientID: 'Д' })] }],
    ['code extensions', 'ISO 2022 IR 100', {}],
    ['several bytes a letter', 'GB18030', {}],
  ])('is in UTF-8 all the same where it meets %s', (_name, term, plan) => {
    const found = written(term, plan);
    expect(latinOf(found, '00080005')).toBe('ISO_IR 192');
    expect(found.get('00100010')?.[1].toString().trimEnd()).toBe('Müller^Jörg');
  });

  test.each(writableCharacterSets)('of each letter of %s is read back', (term) => {
    const letters = [...singleByteSets[term.slice('ISO_IR '.length)]!].filter((letter) => letter !== '\ufffd').join('');
    const ids = { StudyInstanceUID: '2.25.2', SeriesInstanceUID: '2.25.3' };
    const file = writePart10(build({ ...names, ...ids, SpecificCharacterSet: term, PatientComments: `a${letters}z` }));
    const { header, flags } = parsePart10(file);
    expect([header[keywords.PatientComments[0]]?.Value, flags]).toEqual([[`a${letters}z`], []]);
  });
});
