import type { Chosen, Job, Settlement } from '../core/ports.ts';
import { eligible, type World } from './world.ts';

/** Ready when the number of foreign objects stood still for `quietSeconds`, or the study has grown for `maxSeconds`. */
export async function settle(world: World, job: Job, chosen: readonly Chosen[]): Promise<Settlement | null> {
  // A person who asks for a study has seen that it is whole.
  if (job.demand !== null) return null;
  const { quietSeconds, maxSeconds } = world.settle;
  const now = world.now();
  if (quietSeconds === 0 || now - job.announcedAt >= maxSeconds * 1000) return null;
  const count = chosen.filter(({ choice }) => choice.outcome === 'eligible' || choice.code !== 'own-output').length;
  // A clock set back (fault 75) would make the count stand since tomorrow, and the study wait for that.
  const since = job.settling?.count === count ? Math.min(job.settling.since, now) : now;
  const dueAt = since + quietSeconds * 1000;
  if (job.settling && now >= dueAt) return null;
  const settling = { state: 'settling', dueAt, settling: { count, since } } as const;
  return (await isRaised(world, job, chosen)) ? { ...settling, priority: 'stat' } : settling;
}

/** The order is looked up at the first listing, of a study with something to read, when nobody has called it urgent yet. */
async function isRaised({ orders }: World, job: Job, chosen: readonly Chosen[]): Promise<boolean> {
  if (!orders || job.settling || job.priority === 'stat') return false;
  const headers = eligible(chosen).flatMap(({ instance: { header } }) => (header ? [header] : []));
  return headers.length > 0 && (await orders.priority(headers)) === 'stat';
}
