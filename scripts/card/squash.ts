import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import type { Row } from '../../src/science/table.ts';

/** Films of all sources brought to one form, so that size, aspect and encoder tell none of them apart. */

/** Smaller than the films of either source: each is resampled, none is only passed through. */
export const squashedSide = 192;
export const squashedQuality = 85;
const mostPixels = 64 * 1024 * 1024;

/** Writes each row's film below `to` under its own name; one that cannot be read is left for `evaluate` to name. */
export async function squashFilms(rows: readonly Row[], root: string, to: string): Promise<void> {
  for (const { file } of rows) {
    const target = join(to, file);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    await squash(join(root, file), target).catch(() => undefined);
  }
}

async function squash(source: string, target: string): Promise<void> {
  await sharp(source, { limitInputPixels: mostPixels })
    .greyscale()
    .resize(squashedSide, squashedSide, { fit: 'fill', kernel: 'lanczos3' })
    .jpeg({ quality: squashedQuality })
    .toFile(target);
}
