/** What commands share that read films for hours. */

/** 128 + SIGINT, as shells tell it. */
const interrupted = 130;

/**
 * Runs `work` until it ends or somebody stops it (SIGINT, SIGTERM): then the signal aborts, `stopped` is told on stderr and the
 * exit code is the shells' own. `end` closes what is drawn, whatever happens.
 */
export async function interruptible(
  work: (signal: AbortSignal) => Promise<number>,
  { stopped, end }: { readonly stopped: string; readonly end: () => void },
): Promise<number> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(abort.signal);
  } catch (thrown) {
    if (!abort.signal.aborted) throw thrown;
    end();
    console.error(stopped);
    return interrupted;
  } finally {
    end();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
