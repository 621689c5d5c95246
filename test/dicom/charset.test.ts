import { describe, expect, test } from '@jest/globals';
import type { Dataset } from '../../src/core/study.ts';
import { createTextDecoder, decodePlain, type TextKind } from '../../src/dicom/charset.ts';
import { items, text, texts } from '../../src/dicom/dataset.ts';
import { parseDataset, parsePart10 } from '../../src/dicom/part10.ts';
import { examples } from './charset-examples.ts';
import { element, filmFiles, filmPath, part10, readFilm, runPython, testWith, uids } from './reading-support.ts';

interface Decoded {
  readonly text: string;
  readonly flags: readonly string[];
}

function decode(terms: string, bytes: string | Uint8Array, kind: TextKind = 'name'): Decoded {
  const flags = new Set<string>();
  const raw = typeof bytes === 'string' ? Buffer.from(bytes.replace(/\s/g, ''), 'hex') : bytes;
  return { text: createTextDecoder(terms.split('\\'), (flag) => flags.add(flag))(raw, kind), flags: [...flags] };
}

const clean = (text: string): Decoded => ({ text, flags: [] });

describe('the names that PS3.5 prints as examples', () => {
  test.each(examples)('%s', (_, terms, bytes, name) => expect(decode(terms, bytes)).toEqual(clean(name)));
});

test.each([
  ['ISO_IR 100', 'c4fc', 'Äü'],
  ['ISO_IR 101', 'a1e9', 'Ąé'],
  ['ISO_IR 109', 'a1b9', 'Ħı'],
  ['ISO_IR 110', 'a1fe', 'Ąū'],
  ['ISO_IR 144', 'bbee', 'Лю'],
  ['ISO_IR 127', 'c7e4', 'ال'],
  ['ISO_IR 126', 'c4e9', 'Δι'],
  ['ISO_IR 138', 'e9', 'י'],
  ['ISO_IR 148', 'ddfe', 'İş'],
  ['ISO_IR 166', 'a1e0', 'กเ'],
  ['ISO_IR 203', 'a4bd', '€œ'],
  ['ISO_IR 13', 'd4cf', 'ﾔﾏ'],
])('%s has its own upper half, because a wrong letter in a name is a wrong patient', (term, bytes, expected) => {
  expect(decode(term, bytes)).toEqual(clean(expected));
});

test('misspelled terms are understood, because many writers use a hyphen or leave the space out', () => {
  for (const term of [
    'ISO-IR 100',
    'ISO IR 100',
    'iso_ir 100',
    'ISO_IR_100',
    'ISO_IR100',
    'ISO 2022 IR 100',
    'ISO2022 IR 100',
  ]) {
    expect([term, decode(term, 'fc')]).toEqual([term, clean('ü')]);
  }
});

test('JIS X 0212 is decoded after its own escape, because the supplementary kanji are in no other set', () => {
  expect(decode('\\ISO 2022 IR 87\\ISO 2022 IR 159', '1b242844 3021 1b2842')).toEqual(clean('丂'));
});

test('a code extension ends at ^ and = only in names, because a text may hold them in the middle of a run', () => {
  const bytes = '1b2d4c bb 5e bb';
  expect(decode('ISO 2022 IR 100\\ISO 2022 IR 144', bytes, 'name').text).toBe('Л^»');
  expect(decode('ISO 2022 IR 100\\ISO 2022 IR 144', bytes, 'list').text).toBe('Л^Л');
});

test('a code extension ends at a line break and at the backslash between values, because the standard resets it there', () => {
  expect(decode('ISO 2022 IR 100\\ISO 2022 IR 144', '1b2d4c bb 0d0a bb', 'single').text).toBe('Л\r\n»');
  expect(decode('ISO 2022 IR 100\\ISO 2022 IR 144', '1b2d4c bb 5c bb', 'list').text).toBe('Л\\»');
  expect(decode('ISO 2022 IR 100\\ISO 2022 IR 144', '1b2d4c bb 5c bb', 'single').text).toBe('Л\\Л');
});

describe('what is not declared is flagged and never raised, because a label must not stop a study (faults 93 and 94)', () => {
  test('bytes beyond ASCII without a character set are UTF-8 where they are valid, else Latin-1', () => {
    expect(decode('', Buffer.from('Müller'))).toEqual({ text: 'Müller', flags: ['charset-guessed'] });
    expect(decode('', Buffer.from('Müller', 'latin1'))).toEqual({ text: 'Müller', flags: ['charset-guessed'] });
    expect(decode('ISO_IR 9999', Buffer.from('Müller', 'latin1'))).toEqual({
      text: 'Müller',
      flags: ['charset-guessed'],
    });
  });

  test('an escape to a set that is not declared is followed', () => {
    expect(decode('ISO 2022 IR 6', '1b2442 3b33 1b2842')).toEqual({ text: '山', flags: ['charset-guessed'] });
  });

  test('a writer that escapes to KS X 1001 once for all components is understood', () => {
    expect(decode('\\ISO 2022 IR 149', '1b242943 c8ab 5e b1e6')).toEqual({ text: '홍^길', flags: ['charset-guessed'] });
  });

  test.each([
    ['ISO_IR 192', 'c3'],
    ['ISO_IR 192', 'ff41'],
    ['ISO_IR 100', '80'],
    ['ISO_IR 138', 'c0'],
    ['GB18030', 'ff'],
    ['\\ISO 2022 IR 87', '1b2442 3b'],
    ['\\ISO 2022 IR 149', '1b242943 c8'],
    ['ISO_IR 100', '1b'],
    ['ISO_IR 100', '1b2878'],
  ])('invalid bytes in %s: %s', (term, bytes) => {
    const { text: decoded, flags } = decode(term, bytes);
    expect(decoded).toContain('\ufffd');
    expect(flags).toEqual(['charset-invalid']);
  });

  test('a code string with bytes beyond ASCII', () => {
    const flags: string[] = [];
    expect(decodePlain(Buffer.from([0x41, 0xe4]), (flag) => flags.push(flag))).toBe('Aä');
    expect(flags).toEqual(['charset-invalid']);
  });
});

test('a file is decoded with the character set of each item, because an item may declare its own', () => {
  const item = (...elements: Buffer[]) => {
    const value = Buffer.concat(elements);
    const head = Buffer.from([0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0]);
    head.writeUInt32LE(value.length, 4);
    return Buffer.concat([head, value]);
  };
  const latin = element('00080104', 'LO', Buffer.from([0xfc]));
  const cyrillic = [element('00080005', 'CS', 'ISO_IR 144'), element('00080104', 'LO', Buffer.from([0xbb]))];
  const sequence = element('00081032', 'SQ', Buffer.concat([item(latin), item(...cyrillic)]));
  const { header } = parsePart10(
    part10([element('00080005', 'CS', 'ISO_IR 100'), ...uids.slice(0, 2), sequence, ...uids.slice(2)]),
  );
  const meanings = items(header, 'ProcedureCodeSequence').map((entry) => text(entry, 'CodeMeaning'));
  expect(meanings).toEqual(['ü', 'Л']);
});

test('a backslash inside a character of two bytes divides nothing, because GBK may use 5C as a second byte', () => {
  // 0x955C is one character of GBK.
  const name = element('00081030', 'LO', Buffer.from([0x95, 0x5c, 0x5c, 0x41]));
  const { header } = parsePart10(
    part10([element('00080005', 'CS', 'GBK'), ...uids.slice(0, 2), name, ...uids.slice(2)]),
  );
  expect(texts(header, 'StudyDescription')).toEqual(['昞', 'A']);
});

/** Texts of a header by path, as `texts.py` prints them. */
function textsOf(dataset: Dataset, prefix = ''): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [tag, { vr, Value = [] }] of Object.entries(dataset)) {
    if (vr === 'SQ') {
      for (const [index, entry] of Value.entries())
        Object.assign(found, textsOf(entry as Dataset, `${prefix}${tag}/${index}/`));
    } else if (['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT'].includes(vr)) {
      found[prefix + tag] = Value.map((value) =>
        (typeof value === 'string' ? value : nameOf(value)).replace(/^[ \0]+|[ \0]+$/g, ''),
      );
    }
  }
  return found;
}

const nameOf = (value: unknown): string => {
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value as Record<string, string>;
  return [Alphabetic, Ideographic, Phonetic].join('=').replace(/=+$/, '');
};

testWith('films', 'python')(
  'files in many character sets have the texts that pydicom has, because names must reach the report unharmed',
  () => {
    const files = filmFiles().filter((file) => /charset_files|MarekLatin2|^chest|nema-wg04|dcm4che\/report/.test(file));
    expect(files.filter((file) => file.includes('charset_files')).length).toBe(9);
    const answers = runPython('texts.py', ...files.map(filmPath)).map(
      (line) => JSON.parse(line) as Record<string, string[]>,
    );
    for (const [index, file] of files.entries()) {
      expect([file, textsOf(parseDataset(readFilm(file)).header)]).toEqual([file, answers[index]]);
    }
  },
);
