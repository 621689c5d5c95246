import type { ChildProcess } from 'node:child_process';
import { asFailure, Failure } from '../core/failure.ts';
import type { NetworkEvent, Provider, ProviderChoice, ProviderFallback } from '../core/provider.ts';
import { createBatcher } from './batcher.ts';
import { killChild } from './exchange.ts';
import type { InferenceMessage } from './network-messages.ts';
import {
  askNetwork,
  howItEnded,
  mostFilms,
  type NetworkProcess,
  type NetworkProcessOptions,
  startFastest,
  startNetwork,
} from './network-process.ts';

export interface SharedNetworkOptions extends NetworkProcessOptions {
  readonly asked: ProviderChoice;
  readonly fallback: ProviderFallback;
  /** Longest that a film waits for others before a run, milliseconds. */
  readonly waitMs: number;
  /** For one run, milliseconds. */
  readonly runMs: number;
  readonly report: (event: NetworkEvent) => void;
}

/** What a film's tensor came to, and what ran it. */
export interface Shared {
  readonly message: InferenceMessage;
  readonly used: Provider;
}

/** Times that films are asked of a provider before it is given up. */
const attempts = 2;

/**
 * One network for all children, in a process of its own that sees no film, only tensors.
 *
 *     none ──opens──▶ open ──dies──▶ none          the films of the run are asked again, once
 *       │               └──dies on them again──▶ fallen
 *       └──cannot open──▶ fallen                   from then on the CPU; or, if `fallback` forbids it, every film refused
 *
 * Fallen to the CPU it stays there until the gateway starts anew: a card that comes and goes must not change its mind hourly.
 * A refusal lasts for one try: the next film asks for the provider again.
 */
export class SharedNetwork {
  readonly infer: (tensor: Float32Array) => Promise<Shared>;
  readonly #options: SharedNetworkOptions;
  readonly #alive = new Set<ChildProcess>();
  #opening: Promise<NetworkProcess> | null = null;
  /** What is in use, as far as it is known. */
  #provider: Provider = 'cpu';
  /** Why the provider that was asked for is given up. */
  #fallen: string | null = null;
  #closed = false;

  constructor(options: SharedNetworkOptions) {
    this.#options = options;
    this.infer = createBatcher({
      max: () => mostFilms(this.#provider, options.batch),
      waitMs: options.waitMs,
      run: (tensors: readonly Float32Array[]) => this.#run(tensors),
    });
    this.opened().catch(() => undefined);
  }

  /** Resolves when a provider has given the known answers. Raises `provider-unavailable`, `model-unusable`. */
  opened(): Promise<NetworkProcess> {
    this.#opening ??= this.#open().catch((thrown: unknown) => {
      this.#opening = null;
      throw thrown;
    });
    return this.#opening;
  }

  /** Kills the process; whoever waits is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#alive].map(killChild));
  }

  async #run(tensors: readonly Float32Array[]): Promise<readonly Shared[]> {
    for (let deaths = 1; ; deaths++) {
      const { child, provider } = await this.opened();
      const ending = await askNetwork(child, { kind: 'infer', tensors }, this.#options.runMs);
      if (ending.kind === 'answer' && ending.answer.kind === 'inferences') {
        this.#options.report({ kind: 'run', provider, films: tensors.length });
        return ending.answer.films.map((message) => ({ message, used: provider }));
      }
      this.#opening = null;
      await killChild(child);
      this.#refuseWhenClosed();
      if (deaths % attempts === 0) this.#giveUp(provider, howItEnded(ending));
    }
  }

  /** Falls to the CPU, or raises where that is not allowed or not possible. */
  #giveUp(provider: Provider, got: string): void {
    const where = `network process on ${provider}`;
    if (provider === 'cpu') throw new Failure('reader-crashed', { where, got });
    this.#fall(new Failure('provider-unavailable', { where, expected: 'an answer', got }));
  }

  #fall(failure: Failure): void {
    const { asked, fallback } = this.#options;
    // Whoever asks for `auto` asks for no provider by name.
    if (asked !== 'auto' && fallback === 'refuse') {
      this.#tell(null, failure.message);
      throw failure;
    }
    this.#fallen = failure.message;
  }

  async #open(): Promise<NetworkProcess> {
    this.#refuseWhenClosed();
    const { asked } = this.#options;
    if (this.#fallen !== null) return this.#told(await this.#start('cpu'), this.#fallen);
    if (asked === 'auto') {
      const { fastest, reason } = await startFastest(this.#options, (child) => this.#watch(child));
      return this.#told(fastest, reason);
    }
    try {
      return this.#told(await this.#start(asked), null);
    } catch (thrown) {
      const failure = asFailure(thrown);
      this.#refuseWhenClosed();
      if (failure.code !== 'provider-unavailable') throw failure;
      this.#fall(failure);
      return this.#open();
    }
  }

  #start(provider: Provider): Promise<NetworkProcess> {
    return startNetwork(this.#options, provider, { measure: false, onStart: (child) => this.#watch(child) });
  }

  #watch(child: ChildProcess): void {
    this.#alive.add(child);
    child.once('exit', () => this.#alive.delete(child));
    if (this.#closed) child.kill('SIGKILL');
  }

  #told(opened: NetworkProcess, reason: string | null): NetworkProcess {
    this.#provider = opened.provider;
    this.#tell(opened.provider, reason);
    return opened;
  }

  #tell(used: Provider | null, reason: string | null): void {
    this.#options.report({ kind: 'provider', asked: this.#options.asked, used, reason });
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new Failure('internal', { where: 'reader', got: 'a film after close' });
  }
}
