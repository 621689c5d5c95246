import { describe, expect, test } from '@jest/globals';
import { items, number, numbers, text } from '../../src/dicom/dataset.ts';
import { parseDataset, parsePart10 } from '../../src/dicom/part10.ts';
import { radiograph, storedPixels } from '../../src/dicom/pixels.ts';
import {
  delimiter,
  element,
  failureOf,
  film,
  filmFiles,
  part10,
  readFilm,
  testWith,
  uids,
  us,
} from './reading-support.ts';

const code = (bytes: Uint8Array) => failureOf(() => parsePart10(bytes));
const [sopClass, sopInstance, study, series] = uids as [Buffer, Buffer, Buffer, Buffer];
const withElement = (bytes: Uint8Array) => part10([sopClass, sopInstance, bytes, study, series]);

/** A film as a bare data set: without preamble and file meta information. */
const bare = (file: Uint8Array): Uint8Array => file.subarray(Buffer.from(file).indexOf(sopClass));

describe('what is not DICOM', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(4096)],
    ['a login page', Buffer.from(`<!DOCTYPE html><html><body>${'please log in '.repeat(50)}</body></html>`)],
    ['a PDF', Buffer.from(`%PDF-1.4 ${'x'.repeat(300)}`)],
    ['a JPEG', Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex')],
    ['DICM and then nothing', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])],
  ])('%s is refused as such, because the operator must look at the sender', async (_, bytes) => {
    expect(await code(bytes)).toBe('not-dicom');
  });
});

describe('tolerance', () => {
  test('a data set without preamble is read, because old archives hold such files', () => {
    const parsed = parsePart10(bare(film()));
    expect(parsed.transferSyntaxUID).toBe('1.2.840.10008.1.2.1');
    expect(parsed.flags).toEqual(['no-preamble', 'transfer-syntax-guessed']);
    expect(number(parsed.header, 'Rows')).toBe(2);
  });

  test('file meta information without its group length is read, because the groups tell where it ends', () => {
    const file = Buffer.from(film());
    expect(parsePart10(Buffer.concat([file.subarray(0, 132), file.subarray(144)])).flags).toEqual([]);
  });

  test('a data set in another encoding than declared is read and flagged, because its first element shows it', () => {
    expect(parsePart10(film(us(0), {}, '1.2.840.10008.1.2')).flags).toEqual(['transfer-syntax-guessed']);
  });

  test('zeros behind the last element are passed over, because some writers fill their last block', () => {
    expect(parsePart10(Buffer.concat([film(), Buffer.alloc(100)])).flags).toEqual(['trailing-zeros']);
  });

  test('a sequence under UN is read in Implicit VR Little Endian, because the standard says so', () => {
    const value = Buffer.from([0x08, 0x00, 0x00, 0x01, 2, 0, 0, 0, 0x31, 0x32]);
    const sequence = element('00081032', 'UN', delimiter('E000', value));
    const [item] = items(parsePart10(withElement(sequence)).header, 'ProcedureCodeSequence');
    expect(item && text(item, 'CodeValue')).toBe('12');
  });

  test('a sequence in UN of undefined length is read too, because that is how a relay passes on what it does not know', () => {
    const value = Buffer.from([0x08, 0x00, 0x00, 0x01, 2, 0, 0, 0, 0x31, 0x32]);
    const body = Buffer.concat([
      delimiter('E000', Buffer.concat([value, delimiter('E00D')]), 0xffffffff),
      delimiter('E0DD'),
    ]);
    const sequence = Buffer.concat([element('00081032', 'UN', '', 0xffffffff), body]);
    const [item] = items(parsePart10(withElement(sequence)).header, 'ProcedureCodeSequence');
    expect(item && text(item, 'CodeValue')).toBe('12');
  });

  test('an age of two characters arrives as it is, because absent or odd values are judged by the rules', () => {
    expect(text(parsePart10(withElement(element('00101010', 'AS', '62'))).header, 'PatientAge')).toBe('62');
  });

  test('an empty or half number is absent and not 0, because dcmjs would make a 0 of it', () => {
    const paddingOf = (vr: string, value: Uint8Array) => {
      const { header } = parsePart10(film(us(0), { '00280120': element('00280120', vr, value) }));
      return number(header, 'PixelPaddingValue');
    };
    expect(paddingOf('US', Buffer.alloc(0))).toBeNull();
    expect(paddingOf('UL', us(5))).toBeNull();
    expect(paddingOf('US', us(5))).toBe(5);
  });

  test('a number with a comma is absent and flagged, because dcmjs would drop the comma and make 15 of 1,5', () => {
    for (const value of ['1,5', '1A', '0x10', 'NaN', '1 5']) {
      const { header, flags } = parsePart10(film(us(0), { '00281051': element('00281051', 'DS', value) }));
      expect([value, number(header, 'WindowWidth'), flags]).toEqual([value, null, ['number-invalid']]);
    }
    const spacing = element('00280030', 'DS', ' 0.139 \\+1.5E-1');
    const { header, flags } = parsePart10(film(us(0), { '00280030': spacing }));
    expect([numbers(header, 'PixelSpacing'), flags]).toEqual([[0.139, 0.15], []]);
  });

  test('private elements and bulk data stay out of the header, because nobody reads them and they may hold anything', () => {
    const icon = element('00880200', 'SQ', delimiter('E000', element('7FE00010', 'OB', 'pixels')));
    const file = part10([
      sopClass,
      sopInstance,
      element('00091001', 'LO', 'private'),
      study,
      series,
      element('00282000', 'OB', 'icc '),
      icon,
    ]);
    const { header, pixelData } = parsePart10(file);
    expect(Object.keys(header).sort()).toEqual(['00080016', '00080018', '0020000D', '0020000E', '00880200']);
    expect(pixelData).toBeNull();
  });

  test('LUT data is kept as words whatever its VR, because the VOI step needs it', () => {
    for (const vr of ['OW', 'US']) {
      const lut = delimiter(
        'E000',
        Buffer.concat([element('00283002', 'US', us(3, 0, 12)), element('00283006', vr, us(1, 2, 65535))]),
      );
      const { header } = parsePart10(film(us(0), { '00283010': element('00283010', 'SQ', lut) }));
      const [item] = items(header, 'VOILUTSequence');
      expect([vr, item && numbers(item, 'LUTData')]).toEqual([vr, [1, 2, 65535]]);
    }
  });
});

test('no header and no failure names a key of Object.prototype, because data sets have no prototype', () => {
  const { header } = parsePart10(film());
  expect(Object.getPrototypeOf(header)).toBeNull();
});

/** What may become of a file here: read, or one of the codes of bytes and pixels. */
const sensible = [
  'none',
  'not-dicom',
  'malformed-dicom',
  'truncated',
  'limit-exceeded',
  'unsupported-transfer-syntax',
  'decode-failed',
  'invalid-pixels',
  'no-pixels',
  'constant-image',
];

testWith('films')(
  'every file of the data folder is read or refused with a code, because one odd file must never stop the gateway',
  async () => {
    const outcomes = new Map<string, string>();
    for (const file of filmFiles()) {
      const started = performance.now();
      const read = async () => {
        const parsed = parsePart10(readFilm(file));
        radiograph(parsed, await storedPixels(parsed));
      };
      outcomes.set(file, await failureOf(read));
      expect([file, performance.now() - started < 20_000]).toEqual([file, true]);
    }
    expect(outcomes.size).toBeGreaterThanOrEqual(218);
    for (const [file, outcome] of outcomes) expect([file, sensible.includes(outcome)]).toEqual([file, true]);
    const expected = {
      'bad/html_page_named_test1.dcm': 'not-dicom',
      'orthanc-misc/HelloWorld.pdf': 'not-dicom',
      'orthanc-misc/2026-05-26-oob-monochrome-65535.dcm': 'limit-exceeded',
      'pydicom/test_files/rtplan_truncated.dcm': 'truncated',
      'pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm': 'truncated',
      'wearemothership-issues/20-wrong-transfer-syntax.dcm': 'invalid-pixels',
      'orthanc-misc/Issue22-NoPixelData.dcm': 'no-pixels',
      'chest-derived/mono1_jpeg_ext12.dcm': 'none',
      'dcm4che/NM-MONO2-16-13x-heart': 'invalid-pixels',
      'pydicom/test_files/dicomdirtests/DICOMDIR': 'malformed-dicom',
      'chest/gdcm-CR-MONO1-10-chest.dcm': 'none',
    };
    for (const [file, outcome] of Object.entries(expected)) expect([file, outcomes.get(file)]).toEqual([file, outcome]);
  },
  120_000,
);

testWith('films')('a bare big-endian data set is read, because its first tag shows the byte order', () => {
  const parsed = parseDataset(readFilm('pydicom/test_files/ExplVR_BigEndNoMeta.dcm'));
  expect(parsed.transferSyntaxUID).toBe('1.2.840.10008.1.2.2');
  expect(text(parsed.header, 'Modality')).toBe('RTPLAN');
});
