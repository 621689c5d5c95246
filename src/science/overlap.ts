import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../core/failure.ts';
import { sha256 } from '../core/ids.ts';

/**
 * Films that a model has seen while it was made prove nothing about it. A model folder names them without giving them away:
 * by digests of their files and of their groups, training and validation alike.
 */

export const trainingDigestsFile = 'training-digests.json';

const digests = z.array(z.string().regex(/^[0-9a-f]{64}$/));

export const trainingDigestsSchema = z.object({
  /** Hex SHA-256 of the bytes of each file. */
  films: digests,
  /** `groupDigest` of each group of the table. */
  groups: digests,
});

export interface TrainingDigests {
  readonly films: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
}

/** Hex SHA-256 of a group as the table writes it, UTF-8. */
export const groupDigest = (group: string): string => sha256(group);

/** What the model has seen; null where its folder does not tell. Raises `model-unusable`. */
export function readTrainingDigests(modelFolder: string): TrainingDigests | null {
  const path = join(modelFolder, trainingDigestsFile);
  if (!existsSync(path)) return null;
  try {
    const { films, groups } = trainingDigestsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { films: new Set(films), groups: new Set(groups) };
  } catch (cause) {
    const expected = 'films and groups, each a list of hex SHA-256';
    throw new Failure('model-unusable', { where: trainingDigestsFile, expected, cause });
  }
}

export type Overlap = 'film' | 'group';

/** How a film was already seen, or null. A group is not asked about where the table numbers its groups in a way of its own. */
export function overlapOf(
  seen: TrainingDigests | null,
  film: { readonly group: string; readonly fileDigests: readonly string[] },
  { groupsUnrelated }: { readonly groupsUnrelated: boolean },
): Overlap | null {
  if (!seen) return null;
  if (film.fileDigests.some((digest) => seen.films.has(digest))) return 'film';
  return !groupsUnrelated && seen.groups.has(groupDigest(film.group)) ? 'group' : null;
}
