import { Failure } from '../../src/core/failure.ts';
import { parseTable, readTable } from '../../src/science/table.ts';

const raised = (text: string): Failure => {
  try {
    parseTable(text, 'films.csv');
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error('nothing was raised');
};

describe('the table of images', () => {
  test('gives rows with their optional columns, because views and sources are reported for themselves', () => {
    const text = 'file,label,group,source,view,note\na.jpg,opacity,7,"Clinic, east",pa,x\nb.jpg,NONE,8,,,\n';
    const [first, second] = parseTable(text, 'films.csv');
    expect(first).toMatchObject({ file: 'a.jpg', label: 'opacity', group: '7', source: 'Clinic, east', view: 'PA' });
    expect(first?.cells['note']).toBe('x');
    expect(second).toMatchObject({ label: 'none', source: null, view: null, age: null, sex: null, line: 3 });
  });

  test('is read with a byte order mark, CRLF and semicolons, because spreadsheets write them', () => {
    expect(parseTable('\uFEFFfile;label;group\r\na.jpg;covid;1\r\n', 'films.csv')).toHaveLength(1);
  });

  test.each<readonly [string, string, Partial<Failure['detail']>]>([
    ['a missing column', 'file,label\na,none\n', { where: 'films.csv, line 1', expected: 'a column group' }],
    ['an unknown label', 'file,label,group\na,none,1\nb,pneumonia,2\n', { where: 'films.csv, line 3, column label' }],
    ['an empty group', 'file,label,group\na,none,\n', { where: 'films.csv, line 2, column group' }],
    ['a doubled file', 'file,label,group\na,none,1\nb,none,2\na,opacity,3\n', { got: 'the file of line 2' }],
    ['a short line', 'file,label,group\na,none,1\nb,none\n', { where: 'films.csv, line 3' }],
    ['an open quote', 'file,label,group\n"a,none,1\n', { got: 'CSV_QUOTE_NOT_CLOSED' }],
    ['no rows', 'file,label,group\n', { got: 'the header alone' }],
    ['nothing', '', { got: 'an empty file' }],
  ])(
    'with %s is refused and says where, because a table of thousands is not searched by eye',
    (_name, text, detail) => {
      const failure = raised(text);
      expect(failure.code).toBe('table-invalid');
      expect(failure.detail).toMatchObject(detail);
    },
  );

  test('that is not there is a clear refusal, because the path is the first thing one gets wrong', () => {
    expect(() => readTable('/nowhere/films.csv')).toThrow(/table-invalid.*films\.csv.*ENOENT/);
  });
});
