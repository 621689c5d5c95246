/** Jobs that are never lost and results that are never doubled. */

export { type ClaimedJob, nextDelayMs, type RetryRules, type RetrySettlement, retryOrDie } from './backoff.ts';
export { createDiskWatch, type DiskWatch, freeBytesOf, pausedByDisk, pauseMs } from './disk.ts';
export { openJobs } from './open.ts';
export { type JobsOptions, jobsOptionsSchema, retryRules } from './options.ts';
export { type ReconcileOptions, reconcileOptionsSchema } from './reconcile-options.ts';
export { type Runner, type RunnerOptions, runJobs, settlementOf } from './runner.ts';
export { openStore, type StoreOptions } from './sqlite.ts';
export { stackFrames } from './stack-frames.ts';
export type { DurableQueue, JobChange, Store } from './store.ts';
