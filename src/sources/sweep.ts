import { z } from 'zod';
import { sha256 } from '../core/ids.ts';
import type { Memory } from '../core/ports.ts';
import type { ListedStudy, SearchStudies } from '../core/search.ts';

/** A slow walk through the whole archive, a page at a time, over and over: finds what no date finds (T33). */

/** Modalities that are searched, one query each: an archive need not take a list. */
export const modalities = ['CR', 'DX'] as const;

const placeSchema = z.object({
  /** Walks that are finished. */
  pass: z.number().int(),
  modality: z
    .number()
    .int()
    .min(0)
    .max(modalities.length - 1),
  offset: z.number().int().min(0),
  /** Digest of the page before, to notice an archive that ignores `offset`. */
  before: z.string(),
});

type Place = z.output<typeof placeSchema>;

export interface Swept {
  readonly pass: number;
  readonly rows: readonly ListedStudy[];
  /** Moves on; call it when the rows are dealt with. */
  readonly next: () => Promise<void>;
}

export async function sweepPage(search: SearchStudies, memory: Memory, limit: number): Promise<Swept> {
  const remembered = placeSchema.safeParse(await memory.get('sweep'));
  const place: Place = remembered.success ? remembered.data : { pass: 0, modality: 0, offset: 0, before: '' };
  const modality = modalities[place.modality]!;
  const rows = await search({ modality, studyDate: null, studyTime: null, limit, offset: place.offset });
  const digest = sha256(rows.map(({ studyInstanceUid }) => studyInstanceUid ?? '').join());
  const ended = rows.length === 0 || digest === place.before;
  const next = ended ? afterEnd(place) : { ...place, offset: place.offset + rows.length, before: digest };
  return { pass: place.pass, rows, next: () => memory.set('sweep', next) };
}

function afterEnd({ pass, modality }: Place): Place {
  const isLast = modality === modalities.length - 1;
  return { pass: isLast ? pass + 1 : pass, modality: isLast ? 0 : modality + 1, offset: 0, before: '' };
}
