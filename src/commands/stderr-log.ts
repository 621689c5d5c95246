import type { Writable } from 'node:stream';
import type { Log } from '../core/ports.ts';

/** Text that waits for a reader; more of it is dropped, and counted. */
const mostWaiting = 1024 * 1024;

/**
 * JSON lines on stderr. A log that nobody reads any more (EPIPE), a reader that stands still or a full disk behind it must not
 * stop the work (fault 79): what cannot be written is dropped, and how much it was is told when lines go out again.
 */
export function stderrLog(stream: Writable = process.stderr): Log {
  let dropped = 0;
  stream.on('error', () => {});
  return (line) => {
    if (stream.writableLength > mostWaiting) {
      dropped++;
      return;
    }
    if (dropped > 0) {
      stream.write(`${JSON.stringify({ time: new Date().toISOString(), event: 'log-dropped', lines: dropped })}\n`);
      dropped = 0;
    }
    stream.write(`${JSON.stringify(line)}\n`);
  };
}
