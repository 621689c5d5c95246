import { globSync, readFileSync } from 'node:fs';
import { findBreaches, findCycle, homelessPackages, type SourceFiles, type Table, unitOf } from './breaches.ts';
import { importTable } from './import-table.ts';

const sourceFiles: SourceFiles = new Map(
  globSync('**/*.ts', { cwd: 'src' })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => [path, readFileSync(`src/${path}`, 'utf8')]),
);

describe('the import table', () => {
  test('holds over src, because the shape of the gateway hangs on it', () => {
    expect(sourceFiles.size).toBeGreaterThan(30);
    expect(findBreaches(sourceFiles, importTable)).toEqual([]);
  });

  test('gives every dependency a folder, because a package that is everybody’s is nobody’s', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(homelessPackages(Object.keys(dependencies), importTable)).toEqual([]);
  });

  test('has no circle, because nothing points up', () => {
    expect(findCycle(importTable)).toBeNull();
  });

  test('has dicom, fhir and model strangers to each other, because pixels go in and plain values come out', () => {
    const limbs = ['dicom', 'fhir', 'model'];
    for (const limb of limbs) expect(importTable[limb]?.imports.filter((unit) => limbs.includes(unit))).toEqual([]);
  });

  test('names no folder that does not exist, except those that a later issue brings', () => {
    const units = new Set([...sourceFiles.keys()].map(unitOf));
    expect(Object.keys(importTable).filter((unit) => !units.has(unit) && unit !== 'science')).toEqual([]);
  });
});

describe('files of src', () => {
  test('stay under 250 lines, because one that does not holds two things', () => {
    const long = [...sourceFiles].filter(([, source]) => source.split('\n').length > 251).map(([path]) => path);
    expect(long).toEqual([]);
  });

  test('have kebab-case names, because a reader finds them by their noun', () => {
    expect(
      [...sourceFiles.keys()].filter((path) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path)),
    ).toEqual([]);
  });
});

/** Each fault is planted alone in an otherwise clean tree, and must be the only thing that is found. */
const planted: readonly (readonly [fault: string, path: string, source: string, found: RegExp])[] = [
  ['a value import upwards', 'core/a.ts', "import { x } from '../dicom/b.ts';", /core may not import dicom/],
  ['a type import upwards', 'core/a.ts', "import type { X } from '../net/b.ts';", /core may not import net/],
  ['an inline type import', 'dicom/a.ts', "import { type X } from '../model/b.ts';", /dicom may not import model/],
  ['an import() type', 'fhir/a.ts', "type X = import('../dicom/b.ts').X;", /fhir may not import dicom/],
  ['a re-export', 'model/a.ts', "export { x } from '../dicom/b.ts';", /model may not import dicom/],
  ['a re-export of types', 'model/a.ts', "export type { X } from '../fhir/b.ts';", /model may not import fhir/],
  ['a re-export of everything', 'http/a.ts', "export * from '../jobs/b.ts';", /http may not import jobs/],
  ['a namespace re-export', 'http/a.ts', "export * as jobs from '../jobs/b.ts';", /http may not import jobs/],
  ['a dynamic import', 'sources/a.ts', "const x = await import('../dicom/b.ts');", /sources may not import dicom/],
  [
    'a dynamic import in a function',
    'net/a.ts',
    "export const f = () => import('../fhir/b.ts');",
    /net may not import fhir/,
  ],
  ['a dynamic import by template', 'net/a.ts', 'const x = await import(`../fhir/b.ts`);', /computed import/],
  ['a computed import', 'net/a.ts', 'export const f = (x: string) => import(x);', /computed import/],
  ['a require', 'jobs/a.ts', "const x = require('express');", /express belongs to .*, not to jobs/],
  ['an import = require', 'jobs/a.ts', "import x = require('sharp');", /sharp belongs to model, not to jobs/],
  ['a require.resolve', 'jobs/a.ts', "const x = require.resolve('sharp');", /sharp belongs to model, not to jobs/],
  [
    'an import.meta.resolve',
    'fhir/a.ts',
    "const x = import.meta.resolve('dcmjs');",
    /dcmjs belongs to dicom, not to fhir/,
  ],
  ['a side-effect import', 'outputs/a.ts', "import '../net/b.ts';", /outputs may not import net/],
  ['a package of another folder', 'fhir/a.ts', "import { data } from 'dcmjs';", /dcmjs belongs to dicom, not to fhir/],
  ['a deep path of a package', 'fhir/a.ts', "import x from 'dcmjs/build/dcmjs.es.js';", /dcmjs belongs to dicom/],
  [
    'a scoped package',
    'reader/a.ts',
    "import x from '@cornerstonejs/codec-charls/decode';",
    /codec-charls belongs to dicom/,
  ],
  ['a package of nobody', 'dicom/a.ts', "import _ from 'lodash';", /lodash has no folder in the import table/],
  ['a builtin without node:', 'dicom/a.ts', "import { readFileSync } from 'fs';", /fs has no folder/],
  [
    'node:sqlite outside jobs',
    'http/a.ts',
    "import { DatabaseSync } from 'node:sqlite';",
    /node:sqlite belongs to jobs, not to http/,
  ],
  ['files in core', 'core/a.ts', "import { readFileSync } from 'node:fs';", /core may not import node:fs/],
  ['zod in core', 'core/a.ts', "import { z } from 'zod';", /zod has no folder/],
  ['a folder without a row', 'utils/a.ts', 'export const x = 1;', /utils has no row/],
  ['a top-level file without a row', 'helpers.ts', 'export const x = 1;', /helpers.ts has no row/],
  ['a way out of src', 'dicom/a.ts', "import x from '../../test/b.ts';", /from outside src/],
  ['an absolute path', 'dicom/a.ts', "import x from '/tmp/b.ts';", /imports \/tmp/],
  ['a folder that imports wire', 'http/a.ts', "import { wire } from '../wire.ts';", /http may not import wire.ts/],
  [
    'a folder that imports config',
    'jobs/a.ts',
    "import type { Config } from '../config.ts';",
    /jobs may not import config.ts/,
  ],
  ['main that goes round wire', 'main.ts', "import { x } from './dicom/b.ts';", /main.ts may not import dicom/],
  ['config that takes more than options', 'config.ts', "import { createPacs } from './dicom/b.ts';", /not createPacs/],
  ['process.env', 'net/a.ts', 'export const x = process.env.HOME;', /only config.ts reads process.env/],
  ["process['env']", 'wire.ts', "export const x = process['env'];", /only config.ts reads process.env/],
  ['env taken from process', 'jobs/a.ts', 'const { env } = process;', /only config.ts reads process.env/],
  ['node:process', 'jobs/a.ts', "import { env } from 'node:process';", /only config.ts reads process.env/],
  ['a clock in core', 'core/a.ts', 'export const now = () => Date.now();', /core uses Date.now/],
  ['today in core', 'core/a.ts', 'export const now = () => new Date();', /core uses new Date\(\)/],
  ['a dice in core', 'core/a.ts', 'export const x = Math.random();', /core uses Math.random/],
  ['random bytes in core', 'core/a.ts', "import { randomBytes } from 'node:crypto';", /core uses randomBytes/],
  ['a timer in core', 'core/a.ts', 'setTimeout(() => {}, 1);', /core uses setTimeout/],
];

describe('planted faults', () => {
  const clean: SourceFiles = new Map([
    ['core/b.ts', "import { createHash } from 'node:crypto';\nexport const day = new Date(0);"],
    ['dicom/b.ts', "import { z } from 'zod';\nimport type { X } from '../core/b.ts';\nimport dcmjs from 'dcmjs';"],
    ['reader/b.ts', "import { x } from '../dicom/b.ts';\nimport { fork } from 'node:child_process';"],
    ['config.ts', "import { pacsOptionsSchema } from './dicom/b.ts';\nexport const env = process.env;"],
  ]);

  test('a clean tree has no breach, because a checker that cries at everything proves nothing', () => {
    expect(findBreaches(clean, importTable)).toEqual([]);
  });

  test.each(planted)('%s is caught', (_fault, path, source, found) => {
    const breaches = findBreaches(new Map([...clean, [path, source]]), importTable);
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toMatch(found);
  });

  test('a package without a folder is caught in package.json', () => {
    expect(homelessPackages(['dcmjs', 'zod', 'left-pad'], importTable)).toEqual(['left-pad']);
  });

  test('a row that points up is caught as a circle', () => {
    const core = { imports: ['dicom'], packages: [] };
    const bent: Table = { ...importTable, core };
    expect(findCycle(bent)).toEqual(['core', 'dicom', 'core']);
  });
});
