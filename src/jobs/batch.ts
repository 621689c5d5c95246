/**
 * Commits together what was asked for in one turn of the event loop: a page of a thousand announcements costs one fsync. Each
 * promise resolves after the commit that holds its item, or rejects with it.
 */
export function createBatch<Item>(commit: (items: readonly Item[]) => void): (item: Item) => Promise<void> {
  let waiting: { readonly item: Item; readonly done: PromiseWithResolvers<void> }[] = [];
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    try {
      commit(batch.map(({ item }) => item));
      for (const { done } of batch) done.resolve();
    } catch (error) {
      for (const { done } of batch) done.reject(error);
    }
  };
  return (item) => {
    if (waiting.length === 0) setImmediate(flush);
    const done = Promise.withResolvers<void>();
    waiting.push({ item, done });
    return done.promise;
  };
}
