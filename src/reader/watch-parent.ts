import { Worker } from 'node:worker_threads';

/** A child that hangs in native code never hears that its parent is gone; a thread beside it does. */
export function watchParent(): void {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  new Worker(new URL(`./watchdog.${extension}`, import.meta.url), { workerData: process.ppid }).unref();
  process.on('disconnect', () => process.exit(0));
}
