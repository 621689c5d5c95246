import { describe, expect, test } from '@jest/globals';
import type { Attribute } from '../../src/core/study.ts';
import { code, codes, datasetFromJson, has, items, number, numbers, text, texts } from '../../src/dicom/dataset.ts';
import { type Keyword, keywords } from '../../src/dicom/keywords.ts';
import { failureOf } from './reading-support.ts';

const of = (keyword: Keyword, attribute: Attribute) => ({ [keywords[keyword][0]]: attribute });

describe('text', () => {
  test('is trimmed of padding, because a reader must not see how a writer filled its field', () => {
    expect(text(of('PatientID', { vr: 'LO', Value: [' 42 '] }), 'PatientID')).toBe('42');
    expect(text(of('SOPInstanceUID', { vr: 'UI', Value: ['1.2\0'] }), 'SOPInstanceUID')).toBe('1.2');
  });

  test.each([[undefined], [[]], [['']], [['  ']], [[null]], [[{}]]])(
    'of %j is absent, because empty says nothing',
    (Value) => {
      const dataset = of('PatientID', { vr: 'LO', ...(Value ? { Value } : {}) });
      expect(text(dataset, 'PatientID')).toBeNull();
      expect(texts(dataset, 'PatientID')).toEqual([]);
      expect(has(dataset, 'PatientID')).toBe(false);
    },
  );

  test('of a name joins its groups by =, because that is how the standard writes a name in one string', () => {
    const name = (value: object) => text(of('PatientName', { vr: 'PN', Value: [value] }), 'PatientName');
    expect(name({ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' })).toBe(
      'Yamada^Tarou=山田^太郎=やまだ^たろう',
    );
    expect(name({ Alphabetic: 'Doe^Jane' })).toBe('Doe^Jane');
    expect(name({ Phonetic: 'x' })).toBe('==x');
  });

  test('of several values keeps empty places, because ImageType means something by position', () => {
    expect(texts(of('ImageType', { vr: 'CS', Value: ['ORIGINAL', null, 'AXIAL'] }), 'ImageType')).toEqual([
      'ORIGINAL',
      '',
      'AXIAL',
    ]);
  });

  test('of a number is its digits, because servers write IS and DS either way', () => {
    expect(text(of('InstanceNumber', { vr: 'IS', Value: [7] }), 'InstanceNumber')).toBe('7');
  });
});

describe('number', () => {
  test.each([
    [7, 7],
    ['7', 7],
    [' -1.5E2 ', -150],
    ['+.5', 0.5],
    ['1A', null],
    ['0x10', null],
    ['', null],
    ['Infinity', null],
    [Number.NaN, null],
    [null, null],
    ['1e999', null],
  ])('of %j is %j, because what is no decimal string is no number', (value, expected) => {
    expect(number(of('WindowWidth', { vr: 'DS', Value: [value] }), 'WindowWidth')).toBe(expected);
  });

  test('lists end before the first value that is no number, because the places after it would shift', () => {
    expect(numbers(of('PixelSpacing', { vr: 'DS', Value: ['0.1', 'x', '0.2'] }), 'PixelSpacing')).toEqual([0.1]);
  });
});

describe('sequences', () => {
  const item = (value: string, scheme?: string, meaning?: string) => ({
    ...of('CodeValue', { vr: 'SH', Value: [value] }),
    ...(scheme ? of('CodingSchemeDesignator', { vr: 'SH', Value: [scheme] }) : {}),
    ...(meaning ? of('CodeMeaning', { vr: 'LO', Value: [meaning] }) : {}),
  });

  test('give their codes, and leave out items that hold none, because half a code means nothing', () => {
    const dataset = of('ViewCodeSequence', { vr: 'SQ', Value: [item('399348003', 'SCT', 'PA'), item('x'), {}] });
    expect(codes(dataset, 'ViewCodeSequence')).toEqual([
      { CodeValue: '399348003', CodingSchemeDesignator: 'SCT', CodeMeaning: 'PA' },
    ]);
    expect(items(dataset, 'ViewCodeSequence').length).toBe(3);
    expect(code(item('1', 'LN'))).toEqual({ CodeValue: '1', CodingSchemeDesignator: 'LN', CodeMeaning: '' });
  });

  test('under another VR have no items, because a text is no sequence', () => {
    expect(items(of('ViewCodeSequence', { vr: 'UN', Value: ['x'] }), 'ViewCodeSequence')).toEqual([]);
  });
});

describe('DICOM JSON of a server', () => {
  test('has no prototype and upper-case keys at every level, because a key of a stranger must never be a property of ours', () => {
    const dataset = datasetFromJson({ '0008103e': { vr: 'LO', Value: ['x'] }, '00081032': { vr: 'SQ', Value: [{}] } });
    expect(Object.getPrototypeOf(dataset)).toBeNull();
    expect(Object.getPrototypeOf(items(dataset, 'ProcedureCodeSequence')[0])).toBeNull();
    expect(text(dataset, 'SeriesDescription')).toBe('x');
  });

  test('loses bulk data and unknown members, because only header values are wanted', () => {
    const json = { '7FE00010': { vr: 'OW', BulkDataURI: 'http://x/' }, '00282000': { vr: 'OB', InlineBinary: 'AAAA' } };
    expect(Object.entries(datasetFromJson(json))).toEqual([
      ['7FE00010', { vr: 'OW' }],
      ['00282000', { vr: 'OB' }],
    ]);
  });

  test.each([
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['the key __proto__', '{"__proto__": {"vr": "LO"}}'],
    ['the key constructor', '{"constructor": {"vr": "LO"}}'],
    ['a keyword as key', '{"PatientID": {"vr": "LO"}}'],
    ['an attribute that is a text', '{"00100020": "42"}'],
    ['a VR that is a number', '{"00100020": {"vr": 7}}'],
    ['a Value that is no list', '{"00100020": {"vr": "LO", "Value": "42"}}'],
    ['a list as value', '{"00100020": {"vr": "LO", "Value": [[]]}}'],
    ['an item that is a text', '{"00081032": {"vr": "SQ", "Value": ["x"]}}'],
    ['__proto__ in an item', '{"00081032": {"vr": "SQ", "Value": [{"__proto__": {"vr": "LO"}}]}}'],
  ])('%s is malformed, because it is no data set', async (_, json) => {
    expect(await failureOf(() => datasetFromJson(JSON.parse(json)))).toBe('malformed-dicom');
  });

  test('a name keeps its three groups and nothing else, because a server could send any member', () => {
    const json = JSON.parse(
      '{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A", "__proto__": {"x": 1}, "Extra": "y"}]}}',
    );
    expect({ ...(datasetFromJson(json)['00100010']?.Value?.[0] as object) }).toEqual({ Alphabetic: 'A' });
  });

  test('too many elements or levels are beyond the limit, because memory is finite', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 20_001 }, (_, n) => [n.toString(16).padStart(8, '0'), { vr: 'LO' }]),
    );
    expect(await failureOf(() => datasetFromJson(many))).toBe('limit-exceeded');
    let deep: object = {};
    for (let level = 0; level < 17; level++) deep = { '00081032': { vr: 'SQ', Value: [deep] } };
    expect(await failureOf(() => datasetFromJson(deep))).toBe('limit-exceeded');
  });
});
