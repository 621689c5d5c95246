import { readFileSync, statSync } from 'node:fs';
import { Failure } from '../core/failure.ts';

/** A frame of the largest size at 32 bits, and its header. */
const mostFileBytes = 264 * 1024 * 1024;

/** The bytes of a film's file. Raises `not-dicom` when there is none, `limit-exceeded`. */
export function readBytes(path: string): Uint8Array {
  const bytes = sizeOf(path);
  if (bytes > mostFileBytes) {
    throw new Failure('limit-exceeded', {
      where: 'size of the file',
      expected: `at most ${mostFileBytes} bytes`,
      got: String(bytes),
    });
  }
  return readFileSync(path);
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new Failure('not-dicom', { where: 'file', got: 'no file that can be read' });
  return found.size;
}
