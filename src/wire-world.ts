import type { Config } from './config.ts';
import type { Log } from './core/ports.ts';
import { digestOfHeader } from './dicom/header-digest.ts';
import type { Store } from './jobs/index.ts';
import { composeRejectionNote } from './outputs/index.ts';
import type { World } from './steps/index.ts';
import { type wireCore, wireResultFinder } from './wire.ts';
import type { Peers } from './wire-peers.ts';

/** What the steps of the spine are built from, over a store and servers. */
export async function wireWorld(
  config: Config,
  store: Store,
  peers: Peers,
  core: ReturnType<typeof wireCore>,
  log: Log,
): Promise<World> {
  const { quietSeconds, maxMinutes } = config.settle;
  const time = () => new Date().toISOString();
  return {
    ...core,
    archive: peers.archive,
    destinations: peers.destinations,
    orders: peers.orders,
    ledger: store.ledger,
    siteSecret: config.siteSecret ?? (await store.secret()),
    takeOver: {
      result: wireResultFinder(core, config.selection, peers),
      report: peers.findReport,
      tell({ number: job }, told) {
        log({ time: time(), event: 'taken-over', job, ...told });
        if (!told.underOwnSecret) log({ time: time(), event: 'alert', code: 'site-secret-differs', job });
      },
    },
    settle: { quietSeconds, maxSeconds: maxMinutes * 60 },
    alert: (code, { number: job }) => log({ time: time(), event: 'alert', code, job }),
    progress: (job, state) => store.queue.advance(job, state, Date.now()),
    now: Date.now,
    again: {
      looks: store.memory('looks'),
      digestOf: digestOfHeader,
      withdrawals: store.withdrawals,
      composeNote: composeRejectionNote,
      resultsElsewhere: config.pacs.results !== undefined,
    },
  };
}
