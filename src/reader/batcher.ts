/** Brings together what is asked at about the same time, so that it is done in one run. */

export interface BatcherOptions<Item, Result> {
  /** Most items in one run, as it is now. */
  readonly max: () => number;
  /** Longest that an item waits for others while nothing runs, milliseconds. */
  readonly waitMs: number;
  /** One run at a time. The results stand in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (thrown: unknown) => void;
}

/**
 * While a run is under way, items gather; when it ends, the oldest go on at once. An item that comes while nothing runs
 * waits `waitMs` for others, or until there are `max`. A run that fails fails all of its items, and no others.
 */
export function createBatcher<Item, Result>({ max, waitMs, run }: BatcherOptions<Item, Result>) {
  const waiting: Waiting<Item, Result>[] = [];
  let running = false;
  let timer: NodeJS.Timeout | undefined;

  const next = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (running || waiting.length === 0) return;
    running = true;
    const batch = waiting.splice(0, max());
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(results[index]!);
      });
    } catch (thrown) {
      for (const { reject } of batch) reject(thrown);
    }
    running = false;
    await next();
  };

  return (item: Item): Promise<Result> => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    waiting.push({ item, resolve, reject });
    if (running) return promise;
    if (waiting.length >= max()) void next();
    else timer ??= setTimeout(() => void next(), waitMs);
    return promise;
  };
}
