import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../src/core/study.ts';

/**
 * Independent judges of our DICOM objects. No one of them suffices: each passes errors that another one stops, and two
 * mandatory rules (TID 4019, equal AccessionNumber) are seen by none.
 */

const here = import.meta.dirname;
const pixelmedJar = '/usr/share/java/pixelmed.jar';
export const python = process.env['CXR_TEST_PYTHON'] ?? join(here, '.cache/venv/bin/python');

/** Which of the judges are missing here, in words; null when all are there. */
export function whyNoValidators(): string | null {
  const commands = { dciodvfy: [], dcentvfy: [], dsrdump: ['--version'], dcm2json: ['--version'], javac: ['-version'] };
  const missing = Object.entries(commands)
    .filter(([command, args]) => spawnSync(command, args, { input: '' }).error !== undefined)
    .map(([command]) => command);
  const files = [pixelmedJar, python].filter((path) => !existsSync(path));
  const all = [...missing, ...files];
  return all.length === 0 ? null : `missing: ${all.join(', ')} (test/services/install.sh)`;
}

/** `test`, or `test.skip` with the reason on stderr; in CI nothing is skipped, and what is missing fails. */
export function testWithValidators(): jest.It {
  const why = whyNoValidators();
  if (why === null || process.env['CI']) return test;
  process.stderr.write(`skipped: ${why}\n`);
  return test.skip;
}

export interface Judgement {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** dicom3tools: modules, types and conditions, VRs, evidence. Its lengths are bytes, where the standard counts characters. */
export function dciodvfy(path: string): Judgement {
  return judgementOf(run('dciodvfy', ['-new', path]).all);
}

/** dicom3tools: the attributes of patient and study must agree over all files. */
export function dcentvfy(...paths: readonly string[]): Judgement {
  return judgementOf(run('dcentvfy', paths).all);
}

/** DCMTK: legal relationships and required values; `status` 0 is a pass. */
export function dsrdump(path: string): {
  readonly status: number | null;
  readonly text: string;
  readonly notes: string;
} {
  const { status, stdout, stderr } = run('dsrdump', [path]);
  return { status, text: stdout, notes: stderr };
}

/** DCMTK's reading of a file as DICOM JSON, without the file meta information. */
export function dcm2json(path: string): Dataset {
  const { status, stdout, stderr } = run('dcm2json', [path]);
  if (status !== 0) throw new Error(`dcm2json: ${stderr}`);
  return JSON.parse(stdout) as Dataset;
}

/** PixelMed: rows of the templates, context groups. One JVM for all files; some ten seconds, then a few a file. */
export function pixelmed(paths: readonly string[]): Readonly<Record<string, Judgement & { readonly passed: boolean }>> {
  const limits = ['TotalOpLimit', 'ExprOpLimit', 'ExprGrpLimit'].map((name) => `-Djdk.xml.xpath${name}=0`);
  const source = join(here, 'pixelmed/ValidateAll.java');
  const { status, stdout, stderr } = run('java', ['-Xmx512m', ...limits, '-cp', pixelmedJar, source, ...paths]);
  if (status !== 0) throw new Error(`PixelMed: ${stderr}`);
  const reports = stdout.matchAll(/^FILE (.+)\n([\s\S]*?)\nEND$/gm);
  return Object.fromEntries([...reports].map(([, path = '', text = '']) => [path, pixelmedJudgement(text)]));
}

/** The validator has no verdict: a pass is that it came to both its ends and complained nowhere. */
function pixelmedJudgement(text: string): Judgement & { readonly passed: boolean } {
  const lines = text.split('\n').map((line) => line.trim());
  const errors = lines.filter((line) => line.includes('Error:') || line.includes('has illegal relationship'));
  const ended = text.includes('IOD validation complete') && text.includes('Root Template Validation Complete');
  const warnings = lines.filter((line) => line.includes('Warning:'));
  return { errors, warnings, passed: ended && errors.length === 0 };
}

/** What `python/read_sr.py` found with highdicom and pydicom, one a file. */
export interface SrAsRead {
  readonly class: string;
  readonly title: string;
  readonly characterSet: string;
  readonly patientName: readonly string[];
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly groups: readonly {
    readonly trackingIdentifier: string;
    readonly trackingUid: string;
    readonly finding: string | null;
    readonly findingSites: readonly string[];
    readonly measurement: readonly [concept: string, value: number, unit: string];
    readonly evaluations: Readonly<Record<string, string>>;
    readonly sources: readonly string[];
    readonly explanations: readonly string[];
    readonly algorithm: Readonly<Record<'name' | 'version' | 'manufacturer' | 'parameters', readonly string[]>>;
    readonly region: readonly [type: string, points: readonly number[]];
    readonly regionOf: string;
  }[];
  readonly evidence: readonly string[];
  readonly equipment: Readonly<Record<'manufacturer' | 'model' | 'version' | 'deviceUid', string>>;
}

export function readSr(paths: readonly string[]): readonly SrAsRead[] {
  const { status, stdout, stderr } = run(python, [join(here, 'python/read_sr.py'), ...paths]);
  if (status !== 0) throw new Error(`read_sr.py: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SrAsRead);
}

/** What pydicom's tables of PS3.16 say of each code: `same`, `unknown`, or the meanings that they have. */
export function checkCodes(codes: object): Readonly<Record<string, string>> {
  const { status, stdout, stderr } = run(python, [join(here, 'python/check_codes.py')], JSON.stringify(codes));
  if (status !== 0) throw new Error(`check_codes.py: ${stderr}`);
  return JSON.parse(stdout) as Readonly<Record<string, string>>;
}

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly all: string;
}

function run(command: string, args: readonly string[], input = ''): Run {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', input, maxBuffer: 1 << 28 });
  if (error) throw error;
  return { status, stdout, stderr, all: `${stdout}\n${stderr}` };
}

/** An `Abort` is the tool's own failure, and counts as an error of the file. */
function judgementOf(text: string): Judgement {
  const lines = text.split('\n').map((line) => line.trim());
  return {
    errors: lines.filter((line) => line.startsWith('Error') || line.startsWith('Abort')),
    warnings: lines.filter((line) => line.startsWith('Warning')),
  };
}
