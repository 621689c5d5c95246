import { writeSync } from 'node:fs';
import { stackFrames } from '../jobs/index.ts';
import { exitCodes } from './run.ts';

/**
 * Crash only (fault 80): an error that nobody caught ends the process, since nobody knows what state it left behind. One line
 * tells where it came from, without its text, which may quote a patient; the next start goes on from what was recorded.
 */
export function crashOnUncaught(): void {
  process.once('uncaughtException', (error, origin) => {
    const line = {
      time: new Date().toISOString(),
      event: 'crash',
      code: 'internal',
      origin,
      stack: stackFrames(error),
    };
    try {
      // Not through the stream, which may never be emptied.
      writeSync(2, `${JSON.stringify(line)}\n`);
    } catch {
      // Nobody reads it.
    }
    process.exit(exitCodes.internal);
  });
}

/** A log that nobody reads must not keep a process that has ended: what is not written within two seconds is lost. */
export function endWithoutReader(): void {
  setTimeout(() => process.exit(), 2_000).unref();
}
