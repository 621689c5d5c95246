import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../core/failure.ts';
import { syncFolder } from './artifacts.ts';
import { translateErrors } from './database.ts';

/** The folder holds patient data: its owner's alone. A mount that cannot be made so needs a folder below it. */
export function makePrivate(folder: string): void {
  const made = translateErrors('the state folder', () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  if (made !== undefined) translateErrors('the state folder', () => syncFolder(dirname(folder)));
  if ((statSync(folder).mode & 0o077) === 0) return;
  try {
    chmodSync(folder, 0o700);
  } catch (cause) {
    const expected = 'a folder that its owner alone can enter (0700), or that can be made so';
    throw new Failure('store-failed', { where: 'the state folder', expected, got: 'an open one', cause });
  }
}
