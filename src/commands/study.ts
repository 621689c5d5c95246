import { loadConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import { isUid } from '../core/ids.ts';
import { exitCodeOfState, sentenceOf, withStudies } from './studies.ts';

/** `study UID`: one study of the PACS, now: through a `serve` that holds the store, else alone. */

interface Input {
  readonly studyInstanceUid: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export async function run({ studyInstanceUid, config: path, set = [], json = false }: Input): Promise<number> {
  requireStudyUids([studyInstanceUid]);
  const result = await withStudies(loadConfig(path ?? null, set), async (link) => {
    await link.ask({ studyInstanceUid, source: 'study', priority: 'stat' });
    return link.result(studyInstanceUid);
  });
  if (json) console.log(JSON.stringify(result));
  else console.log(sentenceOf(result));
  return exitCodeOfState(result);
}

/** Raises `invalid-identifier`. */
export function requireStudyUids(uids: readonly string[]): void {
  if (uids.every(isUid)) return;
  throw new Failure('invalid-identifier', { where: 'the argument', expected: 'a StudyInstanceUID' });
}
