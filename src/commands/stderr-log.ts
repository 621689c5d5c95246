import type { Log } from '../core/ports.ts';

/** JSON lines on stderr. A log that nobody reads any more (EPIPE) or a full disk behind it must not stop the work. */
export function stderrLog(stream: NodeJS.WritableStream = process.stderr): Log {
  stream.on('error', () => {});
  return (line) => {
    stream.write(`${JSON.stringify(line)}\n`);
  };
}
