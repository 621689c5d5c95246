import type { Announce, Source } from '../core/ports.ts';
import type { StudyEvent } from '../core/study.ts';

/** Studies that somebody else announces: an archive's script, an order system, a person. The HTTP layer hands them in. */
export interface Webhook extends Source {
  /** Resolves when the announcement is durable. Waits for `run` where it comes before. */
  receive(event: Omit<StudyEvent, 'source'>): Promise<void>;
}

export function createWebhook(): Webhook {
  const name = 'webhook';
  const running = Promise.withResolvers<Announce>();
  return {
    name,
    async run(announce, signal) {
      running.resolve(announce);
      if (signal.aborted) return;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    },
    async receive(event) {
      const announce = await running.promise;
      await announce({ ...event, source: name });
    },
  };
}
