/** Jobs that are never lost and results that are never doubled. */

export { type ClaimedJob, nextDelayMs, type RetryRules, type RetrySettlement, retryOrDie } from './backoff.ts';
export { openJobs } from './open.ts';
export { type JobsOptions, jobsOptionsSchema } from './options.ts';
export { type Runner, type RunnerOptions, runJobs, settlementOf } from './runner.ts';
export { openStore } from './sqlite.ts';
export type { DurableQueue, JobChange, Store } from './store.ts';
