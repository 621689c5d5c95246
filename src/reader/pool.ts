import type { ChildProcess } from 'node:child_process';
import { Failure } from '../core/failure.ts';
import { isAlive, killChild } from './exchange.ts';

export interface PoolOptions {
  /** Children that may work at the same time. */
  readonly atOnce: number;
  /** Open children that wait beside them to take over. */
  readonly spares: number;
  readonly start: () => ChildProcess;
  /** Makes a started child ready, or raises why it cannot be. */
  readonly open: (child: ChildProcess) => Promise<void>;
}

/** Warm children, and whose turn it is. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #warm: Promise<ChildProcess>[] = [];
  readonly #alive = new Set<ChildProcess>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #closed = false;
  #lastOpening: Promise<unknown> = Promise.resolve();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#refill();
  }

  /** Waits for a turn and gives a child that is open and alive. Raises what its opening raised. */
  async take(): Promise<ChildProcess> {
    if (this.#busy < this.#options.atOnce) this.#busy++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#takeAlive();
    } catch (thrown) {
      this.#endTurn();
      throw thrown;
    }
  }

  /** Ends the turn. A child that died meanwhile is replaced. */
  give(child: ChildProcess): void {
    if (isAlive(child)) this.#warm.unshift(Promise.resolve(child));
    this.#endTurn();
  }

  /** Kills all children; whoever waits is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#alive].map(killChild));
  }

  async #takeAlive(): Promise<ChildProcess> {
    this.#refuseWhenClosed();
    const child = await (this.#warm.shift() ?? this.#openNext());
    return isAlive(child) ? child : this.#takeAlive();
  }

  #endTurn(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#busy--;
    this.#refill();
  }

  #refill(): void {
    const { atOnce, spares } = this.#options;
    while (!this.#closed && this.#warm.length < atOnce - this.#busy + spares) this.#warm.push(this.#openNext());
  }

  /** One after another: two models that load at once would only hold each other up. */
  #openNext(): Promise<ChildProcess> {
    const opening = this.#lastOpening.then(() => this.#openOne());
    this.#lastOpening = opening.catch(() => undefined);
    return opening;
  }

  /** A process that dies while it opens may have been killed from outside (fault 73): a second one is tried before its model is blamed. */
  async #openOne(isSecond = false): Promise<ChildProcess> {
    this.#refuseWhenClosed();
    const child = this.#options.start();
    this.#alive.add(child);
    child.once('exit', () => this.#alive.delete(child));
    try {
      await this.#options.open(child);
      return child;
    } catch (thrown) {
      await killChild(child);
      if (isSecond || !hasDied(thrown)) throw thrown;
      return this.#openOne(true);
    }
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new Failure('internal', { where: 'reader', got: 'a film after close' });
  }
}

const hasDied = (thrown: unknown): boolean =>
  thrown instanceof Failure && thrown.cause instanceof Failure && thrown.cause.code === 'reader-crashed';
