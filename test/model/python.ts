import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The independent implementations of these tests: Pillow and numpy in a Python environment. */

const candidate = process.env['CXR_TEST_PYTHON'] ?? resolve('test/services/.cache/venv/bin/python');

function hasPackages(): boolean {
  if (!existsSync(candidate)) return false;
  try {
    execFileSync(candidate, ['-c', 'import numpy, PIL'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const available = hasPackages();
if (!available && !process.env['CI']) {
  console.warn(`skipped: no Python with numpy and Pillow at ${candidate} (CXR_TEST_PYTHON names another)`);
}

/** `test` where the Python is, a visible skip where it is not, and a failure in CI. */
export const testWithPython = available || process.env['CI'] ? test : test.skip;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cxr-model-'));
  folders.push(folder);
  return folder;
}

/** Runs a script of `test/model/python` on jobs and gives what it prints. */
export function python(script: string, folder: string, jobs: unknown): string {
  const file = join(folder, `${script}.json`);
  writeFileSync(file, JSON.stringify(jobs));
  return execFileSync(candidate, [resolve('test/model/python', script), file], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

export const bytesOf = (values: Float32Array | Uint8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
