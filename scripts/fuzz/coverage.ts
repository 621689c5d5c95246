import { Session } from 'node:inspector/promises';

/** Which blocks of `src/` have run in this thread, as V8 counts them: an input that runs a new one is worth keeping. */

export interface Coverage {
  /** Blocks that ran since the last call and never before. */
  readonly fresh: () => Promise<number>;
  readonly total: () => number;
}

export async function startCoverage(): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Set<string>();
  const fresh = async (): Promise<number> => {
    const before = seen.size;
    const { result } = await session.post('Profiler.takePreciseCoverage');
    for (const { url, functions } of result.filter((script) => script.url.includes('/src/'))) {
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges)
          if (count > 0) seen.add(`${url}:${startOffset}:${endOffset}`);
      }
    }
    return seen.size - before;
  };
  return { fresh, total: () => seen.size };
}
