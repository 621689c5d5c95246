import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, type Fleet, requireAlive } from './fleet.ts';
import type { ChaosStudy } from './studies.ts';
import type { ToldStudy } from './told.ts';

export interface Quiet {
  readonly fleet: Fleet;
  readonly studyList: readonly ChaosStudy[];
  readonly quietWithinMs: number;
  readonly say: (line: string) => void;
}

const ended: readonly string[] = ['done', 'skipped', 'quarantined'];

/** All studies have ended; one that is dead is announced again, as an operator would who has mended the server. */
export async function quiet({ fleet, studyList, quietWithinMs, say }: Quiet, api: Api): Promise<void> {
  const deadline = performance.now() + quietWithinMs;
  for (;;) {
    await requireAlive(fleet);
    const told = await api.all();
    const known = new Map(told.map((row): [string, ToldStudy] => [row.studyInstanceUid, row]));
    const waiting = studyList.filter(
      ({ StudyInstanceUID }) => !ended.includes(known.get(StudyInstanceUID)?.state ?? ''),
    );
    if (waiting.length === 0) return;
    for (const { StudyInstanceUID } of waiting) {
      const state = known.get(StudyInstanceUID)?.state;
      if (state === undefined || state === 'dead' || state === 'source-gone') await api.announce(StudyInstanceUID);
    }
    if (performance.now() > deadline) {
      // The auditor counts what is missing.
      say(`gave up waiting for ${waiting.length} studies`);
      return;
    }
    // The gateway has other work than to tell of all its studies.
    await sleep(Math.max(1000, studyList.length));
  }
}
