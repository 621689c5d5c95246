import { createHash } from 'node:crypto';

/** Which groups train, which tune and which check: the rule of `models/recipe/split.py`, which a test holds equal. */

export type Part = 'train' | 'tune' | 'check';

const salt = 'cxr-gateway recipe 1';
const checkPercent = 12n;
const tunePercent = 8n;

/** Hangs on the group's name alone, so that a film which was once held out can never slip into training. */
export function partOf(group: string): Part {
  const place = createHash('sha256').update(`${salt}:${group}`).digest().readBigUInt64BE() % 100n;
  if (place < checkPercent) return 'check';
  return place < checkPercent + tunePercent ? 'tune' : 'train';
}
