import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readPicture } from '../../src/model/picture-file.ts';
import { squashedJpeg } from '../../src/model/picture-writer.ts';
import { equalised } from '../../src/science/shortcuts.ts';
import type { Row } from '../../src/science/table.ts';

/** Films of all sources brought to one form, that of `evaluate --shortcuts`, so that size, aspect and encoder tell none of them apart. */

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
  const radiograph = await readPicture(readFileSync(source), mostPixels);
  writeFileSync(target, await squashedJpeg(radiograph, equalised.side, equalised.quality));
}
