/** A number of places; who finds none free waits in turn. */
export interface Slots {
  /** Resolves with the function that gives the place up; calling it twice does nothing. */
  take(): Promise<() => void>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  const giveUp = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return {
    async take() {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let held = true;
      return () => {
        if (held) giveUp();
        held = false;
      };
    },
  };
}
