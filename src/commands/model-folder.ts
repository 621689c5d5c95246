import { availableParallelism } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { defaultReadingConfig, type ReadingConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import type { ProviderChoice } from '../core/provider.ts';
import type { Precision } from '../core/reading.ts';
import { type Examiner, wireExaminer } from '../wire.ts';

/** Flags that name a model, and the reader opened on its folder. */

/** The id of a model, or the path of its folder. */
export function modelNamed(name: string, models?: string): ReadingConfig['model'] {
  if (/[\\/]/.test(name)) return modelIn(name, 'float32');
  return { id: name, precision: 'float32', ...(models !== undefined && { folder: models }) };
}

/** Flags of a command that reads films without a configuration. */
export interface ReadingFlags {
  readonly model?: string;
  readonly models?: string;
  readonly precision?: Precision;
  readonly provider?: ProviderChoice;
}

/** What the flags say over the defaults. A provider that was named and cannot be used is refused: a person waits and can choose. */
export function readingOf({ model, models, precision = 'float32', provider = 'cpu' }: ReadingFlags): ReadingConfig {
  const named = model === undefined ? { ...(models !== undefined && { folder: models }) } : modelNamed(model, models);
  return defaultReadingConfig({ model: { ...named, precision }, provider, providerFallback: 'refuse' });
}

const modelIn = (folder: string, precision: Precision) => ({
  ...{ id: basename(resolve(folder)), folder: dirname(resolve(folder)), precision },
});

/** As many children of one thread as films are read at once. */
export const openModelFolder = (folder: string, atOnce: number, precision: Precision = 'float32'): Examiner =>
  wireExaminer(defaultReadingConfig({ model: modelIn(folder, precision) }), { atOnce, threads: 1 });

export const readersFlag = (text = String(availableParallelism())): number => wholeNumber('--readers', text, 64);

/** Raises `config-invalid`. */
export function wholeNumber(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  const expected = `a whole number from 1 to ${most}`;
  throw new Failure('config-invalid', { where: flag, expected, got: text.slice(0, 40) });
}
