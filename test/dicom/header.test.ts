import fc from 'fast-check';
import { Failure } from '../../src/core/failure.ts';
import type { Dataset } from '../../src/core/study.ts';
import { describe as describeFilm, imageHeader, patientIdentity, studyHeader } from '../../src/dicom/header.ts';
import {
  ageOf,
  codeStringOf,
  dateOf,
  integerOf,
  longStringOf,
  personNameOf,
  shortStringOf,
  timeOf,
  timezoneOffsetOf,
} from '../../src/dicom/header-values.ts';
import { keywords } from '../../src/dicom/keywords.ts';
import { datasetOf, film, item, type Values } from './film-header.ts';

const caught = (act: () => unknown): Failure => {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error('nothing was raised');
};

describe('dates and times are read leniently and written strictly (fault 98)', () => {
  test.each<readonly [string, string | null]>([
    ['20260314', '20260314'],
    ['1999.01.01', '19990101'],
    ['1999-01-01', '19990101'],
    ['20260314 ', '20260314'],
    ['20240229', '20240229'],
    ['20230229', null],
    ['20261301', null],
    ['00000000', null],
    ['1900', null],
    ['190001', null],
    ['20260314-20260315', null],
    ['14.03.2026', null],
    ['1999.0101', null],
    ['', null],
  ])('DA %s', (source, written) => {
    expect(dateOf(source)).toBe(written);
  });

  test.each<readonly [string, string | null]>([
    ['101530', '101530'],
    ['101530.123456', '101530.123456'],
    ['1015', '1015'],
    ['10', '10'],
    ['10:15:30', '101530'],
    ['10:15', '1015'],
    ['10:15:30.5', '101530.5'],
    ['235960', '235960'],
    ['240000', null],
    ['106000', null],
    ['101530.', null],
    ['101530.1234567', null],
    ['10:1530', null],
    ['noon', null],
  ])('TM %s', (source, written) => {
    expect(timeOf(source)).toBe(written);
  });

  test.each<readonly [string, string | null]>([
    ['064Y', '064Y'],
    ['003W', '003W'],
    ['064y', '064Y'],
    ['62', null],
    ['64Y', null],
    ['0064Y', null],
    ['Y', null],
  ])('AS %s', (source, written) => {
    expect(ageOf(source)).toBe(written);
  });

  test.each<readonly [string, string | null]>([
    ['+0100', '+0100'],
    ['-1200', '-1200'],
    ['+1400', '+1400'],
    ['+01:00', '+0100'],
    ['+0545', '+0545'],
    ['-0000', null],
    ['+1430', null],
    ['-1230', null],
    ['0100', null],
    ['CET', null],
  ])('offset from UTC %s', (source, written) => {
    expect(timezoneOffsetOf(source)).toBe(written);
  });
});

describe('texts fit their VR or are left out, because half a text is another text (fault 97)', () => {
  const family = '山'.repeat(64);
  test.each<readonly [string, (value: string) => unknown, string, unknown]>([
    ['LO of 64 characters, not bytes', longStringOf, family, family],
    ['LO of 65', longStringOf, 'x'.repeat(65), null],
    ['LO with a new line', longStringOf, 'a\nb', null],
    ['LO with a backslash', longStringOf, 'a\\b', null],
    ['LO with an escape', longStringOf, 'a\u001bb', null],
    ['LO with half a surrogate', longStringOf, 'a\ud800', null],
    ['LO of 64 emoji', longStringOf, '🫁'.repeat(64), '🫁'.repeat(64)],
    ['LO of spaces', longStringOf, '    ', null],
    ['LO padded with NUL', longStringOf, 'abc\0', 'abc'],
    ['SH of 16', shortStringOf, 'x'.repeat(16), 'x'.repeat(16)],
    ['SH of 17', shortStringOf, 'x'.repeat(17), null],
    ['CS in lower case', codeStringOf, 'chest', 'CHEST'],
    ['CS with a hyphen', codeStringOf, 'A-B', null],
    ['CS of 17', codeStringOf, 'A'.repeat(17), null],
    ['PN of one group', personNameOf, 'Yamada^Tarou', 'Yamada^Tarou'],
    [
      'PN of three groups',
      personNameOf,
      'Yamada^Tarou=山田^太郎=やまだ^たろう',
      'Yamada^Tarou=山田^太郎=やまだ^たろう',
    ],
    ['PN with empty last groups', personNameOf, 'Yamada^Tarou==', 'Yamada^Tarou'],
    ['PN with 64 characters in each group', personNameOf, `${family}=${family}`, `${family}=${family}`],
    ['PN with 65 in one group', personNameOf, `A=${family}x`, null],
    ['PN of four groups', personNameOf, 'a=b=c=d', null],
    ['PN of six components', personNameOf, 'a^b^c^d^e^f', null],
    ['PN of only a prefix', personNameOf, '^^^Dr^', '^^^Dr^'],
    ['PN of nothing', personNameOf, '==', null],
    ['IS beyond 32 bits', (value) => integerOf(Number(value)), '2147483648', null],
    ['IS at its least', (value) => integerOf(Number(value)), '-2147483648', -2147483648],
    ['IS with a fraction', (value) => integerOf(Number(value)), '1.5', null],
  ])('%s', (_name, check, source, written) => {
    expect(check(source)).toBe(written);
  });

  test.each<readonly [string, string]>([
    ['NUL', '\0'],
    ['space', ' '],
    ['equals sign', '='],
    ['caret', '^'],
    ['digit', '1'],
  ])('a value with a long run of %s inside takes little time, because the header is hostile (T12)', (_name, letter) => {
    const value = `a${letter.repeat(1 << 20)}b`;
    const started = performance.now();
    for (const check of [
      longStringOf,
      shortStringOf,
      codeStringOf,
      personNameOf,
      dateOf,
      timeOf,
      ageOf,
      timezoneOffsetOf,
    ]) {
      expect(check(value)).toBeNull();
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('whatever comes out of a check passes it again, because what we write we must be able to read', () => {
    const checks = [longStringOf, shortStringOf, codeStringOf, personNameOf, dateOf, timeOf, ageOf, timezoneOffsetOf];
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.constantFrom(...checks), (source, check) => {
        const written = check(source);
        if (written !== null) expect(check(written)).toBe(written);
      }),
    );
  });
});

describe('the study header', () => {
  test('copies what fits and flags what was left out or put right', () => {
    const { header, flags } = studyHeader(
      film({
        PatientName: 'Müller^Jürgen',
        PatientAge: '62',
        PatientSex: 'W',
        PatientBirthDate: '1961.02.03',
        StudyTime: '10:15:30',
        StudyID: 'x'.repeat(17),
        StudyDescription: 'Chest\nPA',
        ReferringPhysicianName: 'House^Gregory',
        AccessionNumber: 'ACC-1',
        IssuerOfPatientID: 'KLINIKUM',
      }),
    );
    expect(header).toMatchObject({
      PatientName: 'Müller^Jürgen',
      PatientID: 'P-1',
      IssuerOfPatientID: 'KLINIKUM',
      PatientBirthDate: '19610203',
      PatientSex: null,
      PatientAge: null,
      StudyTime: '101530',
      StudyID: null,
      StudyDescription: null,
      ReferringPhysicianName: 'House^Gregory',
      AccessionNumber: 'ACC-1',
    });
    expect([...flags].sort()).toEqual([
      'normalized:PatientBirthDate',
      'normalized:StudyTime',
      'omitted:PatientAge',
      'omitted:PatientSex',
      'omitted:StudyDescription',
      'omitted:StudyID',
    ]);
  });

  test('leaves absent what is absent, because nothing is guessed (fault 11)', () => {
    const { header, flags } = studyHeader(datasetOf({ StudyInstanceUID: '1.2.3' }));
    const { StudyInstanceUID, ...rest } = header;
    expect(StudyInstanceUID).toBe('1.2.3');
    for (const value of Object.values(rest))
      expect(value === null || (Array.isArray(value) && value.length === 0)).toBe(true);
    expect(flags).toEqual([]);
  });

  test('leaves out a text with several values, because which one is meant is not known', () => {
    const { header, flags } = studyHeader(film({ StudyDescription: ['Chest', 'PA'] }));
    expect(header.StudyDescription).toBeNull();
    expect(flags).toContain('omitted:StudyDescription');
  });

  test('takes the order from the one request that the film answers', () => {
    const request = {
      RequestedProcedureID: 'RP-1',
      RequestedProcedureDescription: 'Chest',
      RequestedProcedureCodeSequence: [item('399208008', 'SCT', 'Plain X-ray of chest')],
    };
    const { header } = studyHeader(film({ RequestAttributesSequence: [request] }));
    expect(header).toMatchObject({ RequestedProcedureID: 'RP-1', RequestedProcedureDescription: 'Chest' });
    expect(header.RequestedProcedureCodeSequence).toEqual([item('399208008', 'SCT', 'Plain X-ray of chest')]);
  });

  test('takes no order where the film answers two, because one of them would be the wrong one', () => {
    const requests = [{ RequestedProcedureID: 'RP-1' }, { RequestedProcedureID: 'RP-2' }];
    const { header, flags } = studyHeader(film({ RequestAttributesSequence: requests }));
    expect(header.RequestedProcedureID).toBeNull();
    expect(flags).toContain('omitted:RequestAttributesSequence');
  });

  test('leaves out a code that does not fit, because a shortened code is another code', () => {
    const sequence = [item('1'.repeat(17), 'SCT'), item('399208008', 'SCT', 'Plain X-ray of chest')];
    const { header, flags } = studyHeader(film({ ProcedureCodeSequence: sequence }));
    expect(header.ProcedureCodeSequence).toEqual([item('399208008', 'SCT', 'Plain X-ray of chest')]);
    expect(flags).toEqual(['omitted:ProcedureCodeSequence']);
  });

  test('copies other identifiers whole or not at all, because half an identifier is another one (fault 9)', () => {
    const good = { PatientID: 'A-1', IssuerOfPatientID: 'KLINIKUM', TypeOfPatientID: 'TEXT' };
    const others = [good, { PatientID: 'B-1', IssuerOfPatientID: 'x'.repeat(65) }, { IssuerOfPatientID: 'KLINIKUM' }];
    const { header, flags } = studyHeader(film({ OtherPatientIDsSequence: others }));
    expect(header.OtherPatientIDsSequence.map((entry) => ({ ...entry }))).toEqual([{ ...datasetOf(good) }]);
    expect(flags).toContain('omitted:OtherPatientIDsSequence');
  });
});

describe('identifiers are never shortened (fault 97)', () => {
  test.each<readonly [string, Values, string]>([
    ['PatientID too long', { PatientID: 'x'.repeat(65) }, 'PatientID'],
    ['PatientID with a control character', { PatientID: 'a\u0007b' }, 'PatientID'],
    ['PatientID with a backslash', { PatientID: ['A', 'B'] }, 'PatientID'],
    ['PatientID that could not be decoded', { PatientID: 'A\ufffd' }, 'PatientID'],
    ['IssuerOfPatientID too long', { IssuerOfPatientID: 'x'.repeat(65) }, 'IssuerOfPatientID'],
    ['AccessionNumber too long', { AccessionNumber: 'x'.repeat(17) }, 'AccessionNumber'],
    ['StudyInstanceUID that is a path', { StudyInstanceUID: '../../etc/passwd' }, 'StudyInstanceUID'],
    ['StudyInstanceUID too long', { StudyInstanceUID: `1.${'2'.repeat(63)}` }, 'StudyInstanceUID'],
    ['SeriesInstanceUID with an empty component', { SeriesInstanceUID: '1..2' }, 'SeriesInstanceUID'],
    ['SOPInstanceUID with two values', { SOPInstanceUID: ['1.2', '1.3'] }, 'SOPInstanceUID'],
  ])('%s stops the film', (_name, values, where) => {
    const failure = caught(() => describeFilm(film(values)));
    expect(failure.code).toBe('invalid-identifier');
    expect(failure.detail.where).toBe(where);
    expect(failure.message).not.toContain('passwd');
  });

  test.each(['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'SOPClassUID'] as const)(
    'a film without %s is malformed',
    (keyword) => {
      const failure = caught(() => describeFilm(film({ [keyword]: null })));
      expect([failure.code, failure.detail.where]).toEqual(['malformed-dicom', keyword]);
    },
  );

  test('a UID of 64 characters and a leading zero is read, because old devices wrote it', () => {
    const uid = `1.02.${'3'.repeat(59)}`;
    expect(imageHeader(film({ SOPInstanceUID: uid })).SOPInstanceUID).toBe(uid);
  });

  test('nothing hostile in a header raises anything but a Failure without the value (T1)', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('../x', '1.2?x=', '%2e%2e/', '\0', '1'.repeat(10_000)),
    );
    const names = fc.constantFrom(
      ...(Object.keys(keywords) as (keyof typeof keywords)[]).filter((name) => keywords[name][1] !== 'SQ'),
    );
    fc.assert(
      fc.property(names, hostile, (name, value) => {
        const marked = `CANARY${value}`;
        try {
          describeFilm(film({ [name]: marked }));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Failure);
          expect((thrown as Failure).message).not.toContain('CANARY');
        }
      }),
    );
  });
});

describe('the image header', () => {
  test('gives what a report says of the image', () => {
    const header = imageHeader(
      film({
        SeriesNumber: '1',
        InstanceNumber: 2,
        PixelSpacing: [0.14, 0.15],
        AcquisitionDate: '20260314',
        AcquisitionTime: '101530.5',
        BurnedInAnnotation: 'NO',
        LossyImageCompression: '01',
        LossyImageCompressionRatio: [10],
        LossyImageCompressionMethod: ['ISO_15444_1'],
      }),
    );
    expect(header).toMatchObject({
      Modality: 'DX',
      SeriesNumber: 1,
      InstanceNumber: 2,
      Rows: 2500,
      Columns: 2048,
      PatientOrientation: ['L', 'F'],
      PixelSpacing: [0.14, 0.15],
      ImagerPixelSpacing: null,
      AcquisitionTime: '101530.5',
      BurnedInAnnotation: 'NO',
      LossyImageCompression: '01',
      LossyImageCompressionRatio: [10],
      LossyImageCompressionMethod: ['ISO_15444_1'],
    });
  });

  test.each<readonly [string, Values, string]>([
    ['a spacing of zero', { PixelSpacing: [0, 0] }, 'omitted:PixelSpacing'],
    ['a spacing of one value', { ImagerPixelSpacing: [0.1] }, 'omitted:ImagerPixelSpacing'],
    ['an orientation of an animal', { PatientOrientation: ['RT', 'V'] }, 'omitted:PatientOrientation'],
    ['a time that is none', { AcquisitionTime: '25' }, 'omitted:AcquisitionTime'],
  ])('leaves out %s and says so', (_name, values, flag) => {
    expect(describeFilm(film(values)).flags).toEqual([flag]);
  });

  test.each<readonly [string, Values, string]>([
    ['Rows', { Rows: null }, 'no-pixels'],
    ['Modality', { Modality: 'MG' }, 'not-radiograph'],
  ])('asks for %s, because selection would have refused the image without it', (_name, values, code) => {
    expect(caught(() => imageHeader(film(values))).code).toBe(code);
  });
});

describe('the identity of the patient', () => {
  const identity = (values: Values): unknown => patientIdentity(film(values) as Dataset);

  test('is compared as written and never refused, because a conflict must be seen even under a bad identifier (fault 8)', () => {
    const long = 'x'.repeat(100);
    expect(identity({ PatientID: long, IssuerOfPatientID: 'K ' })).toEqual({ PatientID: long, IssuerOfPatientID: 'K' });
    expect(identity({ PatientID: ['A', 'B'] })).toEqual({ PatientID: 'A\\B', IssuerOfPatientID: null });
  });

  test('is null where it is empty, because a blank is no identifier (fault 11)', () => {
    expect(identity({ PatientID: '  ' })).toEqual({ PatientID: null, IssuerOfPatientID: null });
  });
});

describe('results name the character set of their film (fault 47)', () => {
  const setOf = (SpecificCharacterSet: string, wanted?: 'source') =>
    describeFilm(film({ SpecificCharacterSet }), wanted).study.SpecificCharacterSet;

  test('where the site wants that and results can be written in it', () => {
    expect(setOf('ISO_IR 100', 'source')).toBe('ISO_IR 100');
  });

  test.each(['ISO_IR 192', 'ISO 2022 IR 6\\ISO 2022 IR 87', 'ISO_IR 13', 'nonsense'])('but not for %s', (term) => {
    expect(setOf(term, 'source')).toBeUndefined();
  });

  test('and UTF-8 by default', () => {
    expect(setOf('ISO_IR 100')).toBeUndefined();
  });
});
