import { z } from 'zod';
import { type Codes, codeNames, codeSystems } from '../core/codes.ts';
import { Failure } from '../core/failure.ts';

/** `mappings/codes.json`: every coded concept of our objects, once. */

const codeSchema = z.strictObject({
  // SH: what is longer needs LongCodeValue, which old viewers do not read.
  CodeValue: z.string().min(1).max(16),
  CodingSchemeDesignator: z.enum([...Object.keys(codeSystems), 'RFC5646']),
  CodeMeaning: z.string().min(1).max(64),
  source: z.string().min(1).describe('Where the code stands: a context group, a template, a code system'),
  edition: z.string().min(1).describe('Edition of that source in which it was looked up'),
});

export const codesSchema = z.strictObject(
  Object.fromEntries(codeNames.map((name) => [name, codeSchema])) as Record<
    (typeof codeNames)[number],
    typeof codeSchema
  >,
);

/** Raises `config-invalid` with the first name or value that is wrong. */
export function parseCodes(json: unknown): Codes {
  const { success, data, error } = codesSchema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  const where = ['mappings/codes.json', ...(issue?.path ?? [])].join(' ');
  throw new Failure('config-invalid', { where, ...(issue ? { expected: issue.message } : {}) });
}
