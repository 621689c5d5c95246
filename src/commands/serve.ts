import { loadConfig } from '../config.ts';
import { wireGateway } from '../wire-gateway.ts';
import { exitCodes } from './run.ts';
import { stderrLog } from './stderr-log.ts';

/** `serve`: runs the gateway until SIGTERM or SIGINT; then intake stops, and what is under way is finished or parked. */

interface Input {
  readonly config?: string;
  readonly set?: readonly string[];
}

export async function run({ config, set = [] }: Input): Promise<number> {
  const log = stderrLog();
  const gateway = wireGateway(loadConfig(config ?? null, set), log);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  try {
    await gateway.run(stop.signal);
  } finally {
    await gateway.close();
  }
  return exitCodes.ok;
}
