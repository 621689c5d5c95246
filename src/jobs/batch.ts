/**
 * Commits together what was asked for in one turn of the event loop: a page of a thousand announcements costs one fsync. Each
 * promise resolves after the commit that holds its item, or rejects with it. One commit follows another: what comes during one goes
 * into the next.
 */
export function createBatch<Item>(
  commit: (items: readonly Item[]) => Promise<void> | void,
): (item: Item) => Promise<void> {
  let waiting: { readonly item: Item; readonly done: PromiseWithResolvers<void> }[] = [];
  let committing = false;
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    committing = true;
    try {
      await commit(batch.map(({ item }) => item));
      for (const { done } of batch) done.resolve();
    } catch (error) {
      for (const { done } of batch) done.reject(error);
    }
    committing = false;
    if (waiting.length > 0) await flush();
  };
  return (item) => {
    if (waiting.length === 0 && !committing) setImmediate(flush);
    const done = Promise.withResolvers<void>();
    waiting.push({ item, done });
    return done.promise;
  };
}
