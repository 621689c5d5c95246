import { basename, join, resolve } from 'node:path';
import { createProgress } from '../../src/commands/progress.ts';
import { defaultReadingConfig } from '../../src/config.ts';
import { wireExaminer } from '../../src/wire.ts';
import type { Figures } from './figures.ts';
import { measure } from './measure.ts';

/** Measures a model folder through the readers of the gateway, and tells on stderr how far it is. */

export interface MeasureModelOptions {
  readonly folder: string;
  readonly data: string;
  /** Null: `state/card/<id>` of the project, which git ignores. */
  readonly work: string | null;
  readonly readers: number;
  readonly fresh: boolean;
}

const pictureSide = 512;
const projectState = join(import.meta.dirname, '../../state/card');

export async function measureModel({ folder, data, work, readers, fresh }: MeasureModelOptions): Promise<Figures> {
  const [id, models] = [basename(resolve(folder)), resolve(folder, '..')];
  const config = defaultReadingConfig({ model: { id, folder: models }, heatmapMaxSide: pictureSide });
  const examiner = wireExaminer(config, { atOnce: readers, threads: 1 });
  const progress = createProgress(process.stderr, () => performance.now());
  const say = (line: string) => {
    progress.end();
    console.error(line);
  };
  try {
    const to = work ?? join(projectState, id);
    return await measure({ data, work: to, fresh, readers, examiner, progress: progress.tell, say });
  } finally {
    progress.end();
    await examiner.close();
  }
}
