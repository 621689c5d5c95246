import type { Chosen, Job, Settlement } from '../core/ports.ts';
import type { World } from './world.ts';

/** Ready when the number of foreign objects stood still for `quietSeconds`, or the study has grown for `maxSeconds`. */
export function settle(
  { settle: { quietSeconds, maxSeconds }, now }: World,
  job: Job,
  chosen: readonly Chosen[],
): Settlement | null {
  // A person who asks for a study has seen that it is whole.
  if (job.demand !== null) return null;
  if (quietSeconds === 0 || now() - job.announcedAt >= maxSeconds * 1000) return null;
  const count = chosen.filter(({ choice }) => choice.outcome === 'eligible' || choice.code !== 'own-output').length;
  const since = job.settling?.count === count ? job.settling.since : now();
  const quietAt = since + quietSeconds * 1000;
  return now() >= quietAt && job.settling ? null : { state: 'settling', dueAt: quietAt, settling: { count, since } };
}
