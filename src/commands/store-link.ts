import type { Config } from '../config.ts';
import { Failure } from '../core/failure.ts';
import type { StudyEvent } from '../core/study.ts';
import { type DurableQueue, retryRules, runJobs } from '../jobs/index.ts';
import { readStudy } from '../pipeline.ts';
import { createSteps } from '../steps/index.ts';
import type { Gateway } from '../wire-gateway.ts';
import type { StudiesLink, StudyResult } from './studies.ts';

/** Works on the store itself: exactly the studies that were asked for, whatever else waits in it. */

/** A command ends when its work is done, not before. */
const graceMs = 24 * 3_600_000;
const page = 500;

export function linkToStore(
  { world, store, log }: Gateway,
  config: Config,
): StudiesLink & { readonly close: () => Promise<void> } {
  const { queue, board } = store;
  const asked = onlyAsked(queue);
  const stop = new AbortController();
  // Who calls a command has seen that the study is whole.
  const steps = createSteps({ ...world, settle: { quietSeconds: 0, maxSeconds: 0 } });
  const jobs = runJobs({
    queue: asked.queue,
    readStudy: (job) => readStudy(job, steps),
    ...{ log, graceMs, now: Date.now, concurrency: config.jobs.concurrency, signal: stop.signal },
    ...retryRules(config.jobs),
  });
  jobs.done.catch(() => {});
  const read = async (studyInstanceUid: string): Promise<StudyResult> => {
    const { job, decision, score, instances } = (await board.get(studyInstanceUid))!;
    const { state, code, partial } = job;
    return { studyInstanceUid, state, code, partial, decision, score, instances };
  };
  return {
    running: false,
    async find(query) {
      const found: string[] = [];
      for (let total = 1; found.length < total; ) {
        const answer = await board.find({ ...query, sort: 'updatedAt', limit: page, offset: found.length });
        if (answer.studies.length === 0) break;
        total = answer.total;
        found.push(...answer.studies.map(({ job }) => job.studyInstanceUid));
      }
      return found;
    },
    async ask(event: StudyEvent) {
      const { studyInstanceUid, demand } = event;
      if (demand?.kind === 'retract' && ((await board.get(studyInstanceUid))?.modelId ?? null) === null)
        throw new Failure('nothing-to-retract');
      await queue.announce(event, Date.now());
      asked.add(studyInstanceUid);
      jobs.poke();
    },
    async result(studyInstanceUid) {
      await Promise.race([asked.ended(studyInstanceUid), jobs.done]);
      return read(studyInstanceUid);
    },
    async close() {
      asked.forget();
      stop.abort();
      await jobs.done;
    },
  };
}

interface Asked {
  readonly queue: DurableQueue;
  add(studyInstanceUid: string): void;
  /** Resolves when the run of the study has ended. */
  ended(studyInstanceUid: string): Promise<void>;
  /** What was asked for and has not begun stays for the next gateway. */
  forget(): void;
}

/** The queue with what was asked for in it, in that order, due whatever its back-off says. */
function onlyAsked(queue: DurableQueue): Asked {
  const waiting: string[] = [];
  const runs = new Map<string, PromiseWithResolvers<void>>();
  const end = (studyInstanceUid: string) => {
    runs.get(studyInstanceUid)?.resolve();
    runs.delete(studyInstanceUid);
  };
  return {
    queue: {
      ...queue,
      nextDueAt: async () => null,
      async claim(now) {
        for (let uid = waiting.shift(); uid !== undefined; uid = waiting.shift()) {
          const job = await queue.claimStudy(uid, now);
          if (job) return job;
          end(uid);
        }
        return null;
      },
      async settle(job, settlement, now) {
        await queue.settle(job, settlement, now);
        end(job.studyInstanceUid);
      },
      async park(job, now) {
        await queue.park(job, now);
        end(job.studyInstanceUid);
      },
    },
    add(uid) {
      if (runs.has(uid)) return;
      runs.set(uid, Promise.withResolvers());
      waiting.push(uid);
    },
    ended: async (uid) => runs.get(uid)?.promise,
    forget: () => void waiting.splice(0),
  };
}
