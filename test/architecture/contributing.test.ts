import { readFileSync } from 'node:fs';
import { importTable, type Row } from './import-table.ts';

/** Rows of CONTRIBUTING.md whose first cell names a folder of the import table. */
const written = readFileSync('CONTRIBUTING.md', 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .flatMap(([, from = '', , imports, packages, ...rest]) => {
    const unit = from.replaceAll('`', '');
    return rest.length === 1 && Object.hasOwn(importTable, unit) ? [{ unit, imports, packages }] : [];
  });

const wordsIn = (cell = ''): readonly string[] => [...cell.matchAll(/`([a-z]+)`/g)].map(([, word]) => word!);
const packagesIn = (cell = ''): readonly string[] => (cell === '' || cell.startsWith('none') ? [] : cell.split(', '));

describe('the import table in CONTRIBUTING.md', () => {
  test('has a row for every folder, because a newcomer reads the page and not the test', () => {
    const folders = Object.keys(importTable).filter(
      (unit) => !unit.endsWith('.ts') && !['commands', 'steps'].includes(unit),
    );
    expect(written.map(({ unit }) => unit)).toEqual(folders);
  });

  test.each(written)('says of $unit what the test holds', ({ unit, imports, packages }) => {
    const { imports: held, packages: owned }: Row = importTable[unit]!;
    expect(unit === 'core' ? [] : wordsIn(imports)).toEqual(held);
    expect(packagesIn(packages)).toEqual(owned);
  });
});
