import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** One JSON value a line: what ten thousand studies leave at a FHIR server is longer than a string can be. */
export async function writeLines(path: string, values: readonly unknown[]): Promise<void> {
  const lines = function* () {
    for (const value of values) yield `${JSON.stringify(value)}\n`;
  };
  await pipeline(Readable.from(lines()), createWriteStream(path));
}
