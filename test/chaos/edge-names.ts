import { stepNames } from '../../src/pipeline.ts';

/** Where the chaos run kills: every step of the spine, and every write that the spine's promise leans on, before and after. */

/** Methods of the ports by the step of the spine that they carry out; the other steps are functions of `Steps` themselves. */
export const portEdges = { fetch: 'fetch', read: 'read', compose: 'compose' } as const;

/** Beyond the steps: writes of the queue and the ledger, and each destination. */
const writes = [
  'queue.announce',
  'queue.claim',
  'queue.advance',
  'queue.settle',
  'ledger.recordOutcomes',
  'ledger.receive',
  'destination pacs',
  'destination fhir',
] as const;

export const edges: readonly string[] = [...stepNames, ...writes].flatMap((name) => [
  `before ${name}`,
  `after ${name}`,
]);
