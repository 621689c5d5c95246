import { loadConfig } from '../config.ts';
import { demandOf } from './demand.ts';
import { exitCodeOfState, sentenceOf, withStudies } from './studies.ts';
import { requireStudyUids } from './study.ts';

/** `retract UID --reason`: takes back every result of a study: entered-in-error in the EHR, a rejection note for the archive. */

interface Input {
  readonly studyInstanceUid: string;
  readonly reason: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export async function run({ studyInstanceUid, reason, config: path, set = [], json = false }: Input): Promise<number> {
  requireStudyUids([studyInstanceUid]);
  const demand = demandOf('retract', reason);
  const result = await withStudies(loadConfig(path ?? null, set), async (link) => {
    await link.ask({ studyInstanceUid, source: 'retract', priority: 'stat', demand });
    return link.result(studyInstanceUid);
  });
  console.log(json ? JSON.stringify(result) : sentenceOf(result));
  return exitCodeOfState(result);
}
