import { type Conclusion, type Film, outcomeOf } from '../core/conclude.ts';
import type { InstanceOutcome } from '../core/ports.ts';
import type { Steps } from '../pipeline.ts';
import { deliver } from './deliver.ts';
import { readFilms } from './films.ts';
import { confirm, recall } from './recall.ts';
import { conclude, record } from './record.ts';
import { settle } from './settle.ts';
import { withdraw } from './withdraw.ts';
import type { World } from './world.ts';

export { type ReconcileRules, type ReconcileWorld, reconcile } from './reconcile.ts';
export type { World } from './world.ts';

/** The steps of the spine over the ports: the same for a PACS and for a folder of files. */

export function createSteps(world: World): Steps<Film, Conclusion> {
  return {
    withdraw: (job) => withdraw(world, job),
    list: ({ studyInstanceUid }) => world.archive.list(studyInstanceUid),
    select: (instances) => world.select(instances, world.now()),
    recall: (job, chosen) => recall(world, job, chosen),
    settle: (job, chosen) => settle(world, job, chosen),
    read: (job, chosen) => readFilms(world, job, chosen),
    confirm: (job, chosen, films) => confirm(world, job, chosen, films),
    outcomes: (chosen, films) => chosen.map((entry) => outcomeOf(entry, films)),
    note: (job, outcomes: readonly InstanceOutcome[]) => world.ledger.recordOutcomes(job, outcomes),
    conclude: (job, films) => conclude(world, job, films),
    record: (job, chosen, conclusion) => record(world, job, chosen, conclusion),
    deliver: (job, recorded) => deliver(world, job, recorded),
  };
}
