import { asFailure } from './core/failure.ts';
import { createFlags } from './core/flags.ts';
import type { Log } from './core/ports.ts';
import type { ListedStudy } from './core/search.ts';
import { type Marks, ownReports } from './dicom/own-results.ts';
import type { Store } from './jobs/index.ts';
import type { SourcesOptions } from './sources/options.ts';
import type { ReconcileWorld } from './steps/index.ts';
import type { Peers } from './wire-peers.ts';

/** What a gateway does that finds its store gone, damaged or older than the servers (faults 70 and 71). */

const time = (): string => new Date().toISOString();

/** Tells loudly that the store is not the one that was left. */
export function tellStart({ start, setAsideAs }: Pick<Store, 'start' | 'setAsideAs'>, log: Log): void {
  if (start === 'damaged') log({ time: time(), event: 'alert', code: 'store-damaged', keptAs: setAsideAs });
  if (start === 'lost') log({ time: time(), event: 'alert', code: 'store-lost' });
}

/** The settings of the sources for this start: a store in place of a lost one reads what came while there was none. */
export function sourcesFor({ recovering }: Pick<Store, 'recovering'>, sources: SourcesOptions): SourcesOptions {
  const { qidoPoll } = sources;
  const lookBack = recovering && qidoPoll.startFrom === 'now';
  return lookBack ? { ...sources, qidoPoll: { ...qidoPoll, startFrom: 'lookback' } } : sources;
}

/** Whether the archive holds results of ours in a study: then a store that knows nothing of them was lost with all its folder. */
export function lossDetector(
  { archive, results }: Pick<Peers, 'archive' | 'results'>,
  marks: Marks,
  log: Log,
): (study: ListedStudy) => Promise<boolean> {
  return async ({ studyInstanceUid }) => {
    if (studyInstanceUid === null) return false;
    const found = await holdsOurs(results ?? archive, studyInstanceUid, marks);
    if (found) log({ time: time(), event: 'alert', code: 'store-lost' });
    return found;
  };
}

async function holdsOurs(archive: Peers['archive'], studyInstanceUid: string, marks: Marks): Promise<boolean> {
  try {
    return ownReports(await archive.list(studyInstanceUid), marks).length > 0;
  } catch (thrown) {
    const failure = asFailure(thrown);
    // This one study cannot be looked into; an archive that is down is another matter.
    if (failure.class === 'quarantine') return false;
    throw failure;
  }
}

/** What the slow look at finished studies is built from. */
export function wireReconcile(
  store: Store,
  { archive, results, findReport }: Peers,
  { model }: Marks,
  log: Log,
): Omit<ReconcileWorld, 'announce'> {
  const { board, ledger, forgetReceipts } = store;
  const memory = store.memory('reconcile');
  const flags = createFlags(memory);
  return { board, ledger, archive, results, findReport, model, flags, memory, forgetReceipts, log, now: Date.now };
}
