import { boxDistance, boxesOf } from '../../src/science/boxes.ts';
import { parseTable } from '../../src/science/table.ts';

const boxes = (cell: string) => {
  const [row] = parseTable(`file,label,group,box\na.png,opacity,1,"${cell}"\n`, 'films.csv');
  return boxesOf(row!, 'films.csv');
};

test('a box is told in pixels of 1,024 and kept as shares, because the file may be of any size', () => {
  expect(boxes('Pneumonia:256;512;128;256')).toEqual([{ left: 0.25, top: 0.5, right: 0.375, bottom: 0.75 }]);
  expect(boxes('256;512;128;256')).toHaveLength(1);
  expect(boxes('A:0;0;1;1|B:512;512;512.5;512').map(({ right }) => right)).toEqual([1 / 1024, 1024.5 / 1024]);
  expect(boxes('')).toEqual([]);
});

test('a table without the column has no boxes', () => {
  const [row] = parseTable('file,label,group\na.png,opacity,1\n', 'films.csv');
  expect(boxesOf(row!, 'films.csv')).toEqual([]);
});

test.each(['1;2;3', '1;2;3;x', '1;2;0;4', '-1;2;3;4', '1000;2;30;4', 'A:1;2;3;4|', '1;2;3;1e9'])(
  '%s is refused with line and column, because a box misread would be a miss',
  (cell) => expect(() => boxes(cell)).toThrow(/table-invalid.*films\.csv, line 2, column box/),
);

test('the distance from a box is told in cells, of the nearest of several', () => {
  const two = boxes('0;0;256;256|768;0;256;256');
  const cell = [0.125, 0.25] as const;
  expect(boxDistance(two, [0.1, 0.1], cell)).toBe(0);
  expect(boxDistance(two, [0.375, 0.1], cell)).toBe(1);
  expect(boxDistance(two, [0.7, 0.1], cell)).toBeCloseTo(0.4, 12);
  expect(boxDistance(two, [0.1, 0.75], cell)).toBe(2);
  expect(boxDistance([], [0, 0], cell)).toBe(Number.POSITIVE_INFINITY);
});
