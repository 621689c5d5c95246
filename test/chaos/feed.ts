import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/sandbox/random.ts';
import { apiOf, drawMember, type Fleet } from './fleet.ts';
import type { ChaosHospital } from './hospital.ts';
import type { ChaosStudy } from './studies.ts';

/** What modalities and a RIS do while gateways come and go: films, films that come later, announcements. */

export interface Feeding {
  readonly random: Random;
  readonly hospital: ChaosHospital;
  readonly fleet: Fleet;
  readonly studyList: readonly ChaosStudy[];
  /** Studies whose first films were sent. */
  sent: number;
  /** Studies of which something comes later: once they are reported. */
  readonly visitors: Set<ChaosStudy>;
}

/** Studies that are looked at for a second visit in one life of the gateway. */
const visitorsAtOnce = 20;

/** Sends studies up to the number that is due; some are announced too, if anybody listens. */
export async function feed(run: Feeding, due: number): Promise<void> {
  while (run.sent < due) {
    const study = run.studyList[run.sent]!;
    run.sent++;
    if (study.admitted) await persistently(() => run.hospital.admit(study.PatientID));
    for (const film of study.films) if (!film.late) await persistently(() => run.hospital.send(film.bytes()));
    if (study.sentAgain || study.films.some(({ late }) => late)) run.visitors.add(study);
    if (run.random() < 0.5) await announce(run, study);
  }
  for (const study of [...run.visitors].slice(0, visitorsAtOnce)) {
    if (await run.hospital.isReported(study.StudyInstanceUID)) await visitAgain(run, study);
  }
}

/** Late films, or all of them once more. */
export async function visitAgain(run: Feeding, study: ChaosStudy): Promise<void> {
  run.visitors.delete(study);
  for (const film of study.films) if (film.late || study.sentAgain) await run.hospital.send(film.bytes());
  await announce(run, study);
}

/** A modality that meets a connection that has just been closed sends again. */
async function persistently(send: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      if (tries === 5) throw error;
      await sleep(200);
    }
  }
}

/** To any of them. Nobody may be there to hear it: then the poll finds the study. */
async function announce({ fleet, random }: Feeding, { StudyInstanceUID }: ChaosStudy): Promise<void> {
  const { process } = drawMember(fleet, random);
  if (process)
    await apiOf(process)
      .announce(StudyInstanceUID)
      .catch(() => {});
}
