import { setTimeout as sleep } from 'node:timers/promises';
import { outcomeOf } from '../core/conclude.ts';
import { asFailure } from '../core/failure.ts';
import { refusalOf } from '../pipeline.ts';
import { wireExplainer } from '../wire.ts';
import type { Backfill, Day } from './backfill.ts';
import { exitCodes } from './run.ts';

/**
 * What a backfill would do, without doing it: the archive is searched and listed, and the rules say which studies would be read.
 * There is no writer here: no store is opened, no FHIR server known, no announcement made.
 */

interface Verdicts {
  readonly day: string;
  readonly studies: number;
  /** Studies by what would become of them: `read`, or the code of a refusal or a failure. */
  readonly verdicts: Readonly<Record<string, number>>;
}

export async function dryRun(found: readonly Day[], backfill: Backfill): Promise<number> {
  const { config, archive, phases, pauseMs, json, signal } = backfill;
  const explain = wireExplainer(config, 'site');
  const total = found.reduce((sum, { studies }) => sum + studies.length, 0);
  const bar = phases.bar('select', 'studies looked at');
  let done = 0;
  for (const { day, studies } of found) {
    const verdicts: Record<string, number> = {};
    for (const uid of studies) {
      if (done > 0) await sleep(pauseMs, undefined, { signal });
      const verdict = await verdictOn(() => archive.list(uid), explain);
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
      bar.tell(++done, total);
    }
    if (studies.length > 0) tell({ day, studies: studies.length, verdicts }, json);
  }
  phases.end();
  const summary = { days: found.length, studies: total, dryRun: true };
  console.log(json ? JSON.stringify(summary) : `${total} studies of ${found.length} days; nothing was announced`);
  return exitCodes.ok;
}

async function verdictOn(
  list: () => ReturnType<Backfill['archive']['list']>,
  explain: ReturnType<typeof wireExplainer>,
): Promise<string> {
  try {
    const chosen = explain(await list());
    if (chosen.some(({ choice }) => choice.outcome === 'eligible')) return 'read';
    return refusalOf(chosen.map((one) => outcomeOf(one, []))).code;
  } catch (thrown) {
    return asFailure(thrown).code;
  }
}

function tell(verdicts: Verdicts, json: boolean): void {
  const counts = Object.entries(verdicts.verdicts).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = counts.map(([verdict, count]) => `${count} ${verdict}`).join(', ');
  console.log(json ? JSON.stringify(verdicts) : `${verdicts.day}: ${verdicts.studies} studies: ${text}`);
}
