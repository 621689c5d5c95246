import type { ChildProcess } from 'node:child_process';
import { Failure } from '../core/failure.ts';
import { isAlive, killChild } from './exchange.ts';

/** Warm children, and whose turn it is. */

export interface Pool {
  /** Waits for a turn and gives a child that is open and alive. Raises what its opening raised. */
  take(): Promise<ChildProcess>;
  /** Ends the turn. A child that died meanwhile is replaced. */
  give(child: ChildProcess): void;
  /** Kills all children. */
  close(): Promise<void>;
}

export interface PoolOptions {
  /** Children that may work at the same time. */
  readonly atOnce: number;
  /** Open children that wait beside them to take over. */
  readonly spares: number;
  readonly start: () => ChildProcess;
  /** Makes a started child ready, or raises why it cannot be. */
  readonly open: (child: ChildProcess) => Promise<void>;
}

export function createPool({ atOnce, spares, start, open }: PoolOptions): Pool {
  const warm: Promise<ChildProcess>[] = [];
  const alive = new Set<ChildProcess>();
  const turns: (() => void)[] = [];
  let busy = 0;
  let closed = false;
  let lastOpening: Promise<unknown> = Promise.resolve();

  const refuseWhenClosed = (): void => {
    if (closed) throw new Failure('internal', { where: 'reader', got: 'a film after close' });
  };
  const openOne = async (): Promise<ChildProcess> => {
    refuseWhenClosed();
    const child = start();
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    try {
      await open(child);
      return child;
    } catch (thrown) {
      await killChild(child);
      throw thrown;
    }
  };
  /** One after another: two models that load at once would only hold each other up. */
  const openNext = (): Promise<ChildProcess> => {
    const opening = lastOpening.then(openOne);
    lastOpening = opening.catch(() => undefined);
    return opening;
  };
  const refill = (): void => {
    while (!closed && warm.length < atOnce - busy + spares) warm.push(openNext());
  };
  const endTurn = (): void => {
    const next = turns.shift();
    if (next) next();
    else busy--;
    refill();
  };
  const takeAlive = async (): Promise<ChildProcess> => {
    refuseWhenClosed();
    const child = await (warm.shift() ?? openNext());
    return isAlive(child) ? child : takeAlive();
  };

  refill();
  return {
    async take() {
      if (busy < atOnce) busy++;
      else await new Promise<void>((resolve) => turns.push(resolve));
      try {
        return await takeAlive();
      } catch (thrown) {
        endTurn();
        throw thrown;
      }
    },
    give(child) {
      if (isAlive(child)) warm.unshift(Promise.resolve(child));
      endTurn();
    },
    async close() {
      closed = true;
      await Promise.all([...alive].map(killChild));
    },
  };
}
