import type { Chosen, InstanceOutcome, Job, Recorded, Settlement } from './core/ports.ts';
import type { Instance } from './core/study.ts';

/**
 * THE SPINE: what becomes of one study, from its announcement to its receipts.
 *
 *     list → select → recall → settle → fetch → read → confirm → conclude → compose → record → deliver
 *
 * What we concluded and what we delivered are two facts. The reading and its composed bytes are recorded before the first
 * delivery; a run that finds them recorded delivers those very bytes and never scores again. Every step may fail by
 * raising a Failure: its class decides whether the study is tried again, and nothing that was recorded is lost. A person may have
 * a result withdrawn: that comes before everything.
 */
export const stepNames = [
  'list',
  'select',
  'recall',
  'settle',
  'fetch',
  'read',
  'confirm',
  'conclude',
  'compose',
  'record',
  'deliver',
] as const;

export interface Steps<Film, Conclusion> {
  /** Takes back what stands, because a person wants it; null where the study is to be read none the less. */
  withdraw(job: Job): Promise<Settlement | null>;
  /** Every object that the archive has of the study, our own results included. */
  list(job: Job): Promise<readonly Instance[]>;
  /** Which images may be read; each refusal with its code. Pure. */
  select(instances: readonly Instance[]): readonly Chosen[];
  /** The recorded reading of exactly these images of this patient, if there is one. */
  recall(job: Job, chosen: readonly Chosen[]): Promise<Recorded | null>;
  /** Waits until the study has stopped growing: a settlement to wait for, or null. */
  settle(job: Job, chosen: readonly Chosen[]): Promise<Settlement | null>;
  /** Brings each eligible image here and has it read; an image that cannot be read is a film with a failure. */
  read(job: Job, chosen: readonly Chosen[]): Promise<readonly Film[]>;
  /** The recorded reading that these films confirm: then nothing is new. */
  confirm(job: Job, chosen: readonly Chosen[], films: readonly Film[]): Promise<Recorded | null>;
  /** One conclusion for the study, or null when nothing can be said of it. */
  conclude(job: Job, films: readonly Film[]): Promise<Conclusion | null>;
  /** Composes every output and records it with the reading: the bytes recorded first win. */
  record(job: Job, chosen: readonly Chosen[], conclusion: Conclusion): Promise<Recorded>;
  /** Delivers what has no receipt yet, each destination for itself. */
  deliver(job: Job, recorded: Recorded): Promise<void>;
  /** Keeps what became of every instance. */
  note(job: Job, outcomes: readonly InstanceOutcome[]): Promise<void>;
  outcomes(chosen: readonly Chosen[], films: readonly Film[]): readonly InstanceOutcome[];
}

export async function readStudy<Film, Conclusion>(job: Job, steps: Steps<Film, Conclusion>): Promise<Settlement> {
  const withdrawn = job.demand?.kind === 'retract' ? await steps.withdraw(job) : null;
  if (withdrawn) return withdrawn;

  const chosen = steps.select(await steps.list(job));

  const known = await steps.recall(job, chosen);
  if (known) return finish(job, known, steps);

  const wait = await steps.settle(job, chosen);
  if (wait) return wait;

  const films = await steps.read(job, chosen);
  const confirmed = await steps.confirm(job, chosen, films);
  if (confirmed) return finish(job, confirmed, steps);

  const outcomes = steps.outcomes(chosen, films);
  await steps.note(job, outcomes);

  const conclusion = await steps.conclude(job, films);
  if (!conclusion) return refusalOf(outcomes);

  return finish(job, await steps.record(job, chosen, conclusion), steps);
}

/** What stands is delivered; what was withdrawn is not, whoever announces it. */
async function finish<Film, Conclusion>(
  job: Job,
  recorded: Recorded,
  steps: Steps<Film, Conclusion>,
): Promise<Settlement> {
  if (recorded.withdrawn) return { state: 'retracted', code: recorded.withdrawn.code };
  await steps.deliver(job, recorded);
  return settlementOf(recorded);
}

/** A study with no image scored is quarantined although its failed-processing report is delivered. */
function settlementOf({ reading }: Recorded): Settlement {
  const [failed] = reading.failures;
  if (reading.images.length === 0 && failed) return { state: 'quarantined', code: failed.failure.code };
  return { state: 'done', partial: failed !== undefined };
}

/** Nothing was read: quarantined if a person should look at an image of it, else skipped. */
export function refusalOf(
  outcomes: readonly InstanceOutcome[],
): Extract<Settlement, { readonly state: 'skipped' | 'quarantined' | 'source-gone' | 'dead' }> {
  const stopped = outcomes.find(({ outcome }) => outcome === 'quarantined');
  if (stopped?.reason) return { state: 'quarantined', code: stopped.reason };
  const reasons = new Set(outcomes.filter(({ reason }) => reason !== 'own-output').map(({ reason }) => reason));
  const [only] = reasons;
  return { state: 'skipped', code: reasons.size === 1 && only ? only : 'no-eligible-image' };
}
