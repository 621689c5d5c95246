import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { version } from '../../src/version.ts';
import { makeTestFilm } from '../support/films.ts';

/** What a user gets who installs the packed product into an empty folder: Node strips no types there, so it must be built. */

const root = join(import.meta.dirname, '../..');
let folder = '';
let command = '';

const inFolder = (program: string, args: readonly string[]) =>
  spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` },
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cxr-gateway-package-'));
  execFileSync('npm', ['pack', '--pack-destination', folder, '--silent'], { cwd: root, stdio: 'pipe' });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  execFileSync('npm', ['install', '--ignore-scripts', '--silent', `./${tarball}`], { cwd: folder, stdio: 'pipe' });
  command = join(folder, 'node_modules/.bin/cxr-gateway');
  writeFileSync(join(folder, 'film.dcm'), await makeTestFilm(1));
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the installed command tells its version', () => {
  const { status, stdout } = inFolder(command, ['--version']);
  expect([status, stdout.trim()]).toEqual([0, version()]);
});

test('the installed command reads a film and writes its results', () => {
  const { status, stdout, stderr } = inFolder(command, ['read', 'film.dcm', '--out', 'results', '--json']);
  expect([status, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'reported', reason: null, view: 'PA' });
  expect(readdirSync(join(folder, 'results/1')).sort()).toEqual(['fhir-bundle.json', 'heatmap-1.dcm', 'sr.dcm']);
}, 120_000);

test('the package holds what it needs and no tests', () => {
  const names = readdirSync(join(folder, 'node_modules/cxr-gateway'));
  expect(names).toEqual(expect.arrayContaining(['dist', 'mappings', 'models', 'conformance', 'LICENSE', 'README.md']));
  expect(names).not.toContain('test');
  expect(names).not.toContain('src');
});

test('a Node that is too old is told which one it needs, instead of a stack', () => {
  const script = "Object.defineProperty(process.versions, 'node', { value: '20.1.0' }); await import(process.argv[1]);";
  const main = join(folder, 'node_modules/cxr-gateway/dist/main.js');
  const { status, stderr } = inFolder(process.execPath, ['--input-type=module', '-e', script, main]);
  expect(status).toBe(78);
  expect(stderr).toMatch(/needs Node 24 or newer; this is 20\.1\.0/);
});
