import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../core/failure.ts';

/** A folder of results appears whole or not at all. */

/** Raises `config-invalid` when the folder holds anything but `names`: what a person keeps there is not ours to replace. */
export function requireReplaceable(folder: string, names: readonly string[]): void {
  if (!existsSync(folder)) return;
  const foreign = entriesOf(folder).filter((name) => !names.includes(name));
  if (foreign.length === 0) return;
  const expected = `no folder yet, an empty one, or one that holds nothing but ${names.join(', ')}`;
  throw new Failure('config-invalid', { where: '--out', expected, got: `other entries: ${foreign.length}` });
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    const got = String((cause as NodeJS.ErrnoException).code ?? 'an error');
    throw new Failure('config-invalid', { where: '--out', expected: 'a folder', got, cause });
  }
}

/** Writes the files into a folder beside it, which then takes its place. */
export function writeFolder(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  requireReplaceable(folder, Object.keys(files));
  const target = resolve(folder);
  mkdirSync(dirname(target), { recursive: true });
  const fresh = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(fresh, name), content);
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
