import { posix } from 'node:path';
import { environmentReader, everyonesPackages, type Row } from './import-table.ts';
import { type Import, type Reach, reachOf } from './syntax.ts';

/** Paths below src/ with `/`, and their text. */
export type SourceFiles = ReadonlyMap<string, string>;
export type Table = Readonly<Record<string, Row>>;

/** Everything in which the files break the table, one sentence each. Empty when they hold it. */
export function findBreaches(files: SourceFiles, table: Table): readonly string[] {
  return [...files].flatMap(([path, source]) => {
    const unit = unitOf(path);
    const row = table[unit];
    if (!row) return [`${path}: ${unit} has no row in the import table`];
    const reach = reachOf(source);
    return [
      ...reach.imports.flatMap((entry) => judge(path, unit, row, entry, table)),
      ...environmentBreaches(path, reach),
      ...(unit === 'core' ? reach.effects.map((effect) => `${path}: core uses ${effect}`) : []),
    ];
  });
}

/** The folder of src/ that a file lies in, or the file itself when it lies in none. */
export const unitOf = (path: string): string => path.split('/', 1)[0] ?? path;

function judge(path: string, unit: string, row: Row, { specifier, names }: Import, table: Table): readonly string[] {
  if (specifier === null) return [`${path}: a computed import cannot be checked`];
  if (specifier.startsWith('.')) return relative(path, unit, row, specifier, names);
  if (specifier.startsWith('/') || specifier.startsWith('#')) return [`${path}: imports ${specifier}`];
  if (specifier.startsWith('node:')) return builtin(path, unit, row, specifier, table);
  return foreign(path, unit, row, packageOf(specifier), table);
}

function relative(
  path: string,
  unit: string,
  row: Row,
  specifier: string,
  names: readonly string[],
): readonly string[] {
  const target = posix.join(posix.dirname(path), specifier);
  if (target.startsWith('..')) return [`${path}: imports ${specifier} from outside src`];
  const to = unitOf(target);
  if (to !== unit && !row.imports.includes(to)) return [`${path}: ${unit} may not import ${to}`];
  if (unit === 'config.ts' && to !== 'config-input.ts' && to !== 'core') {
    const others = names.filter((name) => !/Schema$|Options$/.test(name));
    return others.map((name) => `${path}: config.ts may take option schemas from ${to}, not ${name}`);
  }
  return [];
}

/** `node:sqlite` is somebody's like a package; the others are everybody's unless the row names some. */
function builtin(path: string, unit: string, row: Row, specifier: string, table: Table): readonly string[] {
  if (row.builtins) return row.builtins.includes(specifier) ? [] : [`${path}: ${unit} may not import ${specifier}`];
  return ownersOf(specifier, table).length === 0 ? [] : foreign(path, unit, row, specifier, table);
}

function foreign(path: string, unit: string, row: Row, name: string, table: Table): readonly string[] {
  if (row.packages.includes(name)) return [];
  if (everyonesPackages.includes(name) && unit !== 'core') return [];
  const owners = ownersOf(name, table);
  if (owners.length > 0) return [`${path}: ${name} belongs to ${owners.join(', ')}, not to ${unit}`];
  return [`${path}: ${name} has no folder in the import table`];
}

const ownersOf = (name: string, table: Table): readonly string[] =>
  Object.keys(table).filter((unit) => table[unit]?.packages.includes(name));

const packageOf = (specifier: string): string => {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
};

function environmentBreaches(path: string, { readsEnvironment }: Reach): readonly string[] {
  return readsEnvironment && path !== environmentReader ? [`${path}: only ${environmentReader} reads process.env`] : [];
}

/** Packages of package.json that no row of the table names. */
export function homelessPackages(dependencies: readonly string[], table: Table): readonly string[] {
  return dependencies.filter((name) => !everyonesPackages.includes(name) && ownersOf(name, table).length === 0);
}

/** A way from a unit back to itself through the table, or null: nothing points up. */
export function findCycle(table: Table): readonly string[] | null {
  const visit = (unit: string, trail: readonly string[]): readonly string[] | null => {
    if (trail.includes(unit)) return [...trail.slice(trail.indexOf(unit)), unit];
    for (const next of table[unit]?.imports ?? []) {
      const cycle = visit(next, [...trail, unit]);
      if (cycle) return cycle;
    }
    return null;
  };
  for (const unit of Object.keys(table)) {
    const cycle = visit(unit, []);
    if (cycle) return cycle;
  }
  return null;
}
