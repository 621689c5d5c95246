import { workerData } from 'node:worker_threads';

/** Ends the reader process when its parent is gone. A thread of its own, since the main one may hang in a codec. */

const everyMs = 1000;

setInterval(() => {
  if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL');
}, everyMs);
