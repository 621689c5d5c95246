import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';
import { writeDurably } from './artifacts.ts';
import { translateErrors } from './database.ts';

const name = 'site-secret';

/**
 * The site secret: 64 hex digits, made at the first call, then always the same. It lies beside the database and not in it, so that
 * a database that is lost or thrown away does not change the identities of the results. A file that is there but unreadable
 * as a secret is refused: a new one would double every report.
 */
export function siteSecret(folder: string): string {
  return translateErrors('the site secret', () => {
    if (!existsSync(join(folder, name))) writeDurably(folder, name, `${newSecret()}\n`);
    return checkedSecret('the file site-secret', readFileSync(join(folder, name), 'utf8').trim());
  });
}

export const newSecret = (): string => randomBytes(32).toString('hex');

export function checkedSecret(where: string, secret: string): string {
  if (/^[0-9a-f]{64}$/.test(secret)) return secret;
  throw new Failure('store-failed', { where, expected: '64 hex digits', got: 'something else' });
}
