import { setTimeout as sleep } from 'node:timers/promises';
import { type SimulatedArchive, startSimulatedArchive } from '../test/simulators/archive.ts';
import { passing } from '../test/simulators/misbehaviour.ts';

/** The simulated archive with a fixed answer time and a fixed number of requests that it works on at once; the others wait in line. */

export interface SlowArchive {
  readonly archive: SimulatedArchive;
  /** Sum of the milliseconds that its places have been taken, since it began. */
  busyMs(): number;
}

export async function startSlowArchive(places: number, answerMs: number): Promise<SlowArchive> {
  const waiting: (() => void)[] = [];
  let free = places;
  let busyMs = 0;
  const enter = async (): Promise<void> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  const slow = passing('a fixed answer time', async ({ serve, send }) => {
    await enter();
    const began = performance.now();
    try {
      const answer = await serve();
      await sleep(Math.max(0, answerMs - (performance.now() - began)));
      send(answer);
    } finally {
      busyMs += performance.now() - began;
      leave();
    }
  });
  return { archive: await startSimulatedArchive({ script: () => slow }), busyMs: () => busyMs };
}
