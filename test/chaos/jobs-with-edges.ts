import { openJobs as open } from '../../src/jobs/index.ts';
import { withEdges } from './edge.ts';

export * from '../../src/jobs/index.ts';

/** The store with an edge before and after each call of its queue and its ledger. */
export const openJobs: typeof open = async (...given) => {
  const store = await open(...given);
  return {
    ...store,
    queue: withEdges(store.queue, (method) => `queue.${method}`),
    ledger: withEdges(store.ledger, (method) => `ledger.${method}`),
  };
};
