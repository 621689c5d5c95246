import { setTimeout as sleep } from 'node:timers/promises';
import { asFailure, unlessDiskFull } from '../core/failure.ts';
import type { FlagCode, Flags } from '../core/flags.ts';
import type {
  Announce,
  Archive,
  Artifact,
  Ledger,
  Log,
  LostReceipt,
  Memory,
  Recorded,
  StudyBoard,
  StudyRow,
} from '../core/ports.ts';
import type { TakeOverPorts } from '../core/take-over.ts';
import { samePatient, type World } from './world.ts';

/**
 * A slow look at studies that are done (fault 6): is the patient still the one that was written for, and is what was delivered still
 * there? What is not is flagged for a person; nothing is rewritten. One study after another with a pause between them, so that
 * the archive and the jobs hardly notice.
 */
export interface ReconcileWorld {
  readonly board: Pick<StudyBoard, 'find'>;
  readonly ledger: Pick<Ledger, 'latest'>;
  readonly archive: Pick<Archive, 'list' | 'patients'>;
  /** Where results go, if that is not the archive. */
  readonly results: Pick<Archive, 'list'> | null;
  readonly findReport: TakeOverPorts['report'];
  readonly model: World['model'];
  readonly flags: Flags;
  readonly memory: Memory;
  /** Gives up receipts of artifacts at destinations, all or none: false when bytes of one are no longer kept. */
  readonly forgetReceipts: (lost: readonly LostReceipt[]) => Promise<boolean>;
  readonly announce: Announce;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface ReconcileRules {
  readonly everyHours: number;
  readonly days: number;
  readonly perMinute: number;
  readonly onMissing: 'flag' | 'deliver';
}

const hourMs = 3_600_000;
const pageSize = 50;

/** Looks, waits, looks again, until the signal aborts. A peer that is down ends the look at one study; a full disk ends one look. */
export async function reconcile(world: ReconcileWorld, rules: ReconcileRules, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const began = Number((await world.memory.get('began')) ?? 0);
    const dueMs = began + rules.everyHours * hourMs - world.now();
    if (dueMs <= 0) await lookAtAll(world, rules, signal).catch(unlessDiskFull);
    await pause(Math.min(Math.max(dueMs, shortestPauseMs), hourMs), signal);
  }
}

const shortestPauseMs = 1_000;

const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {});

/** Newest first. A study that ends meanwhile moves the others back: one may be looked at twice, none is left out. */
async function lookAtAll(world: ReconcileWorld, rules: ReconcileRules, signal: AbortSignal): Promise<void> {
  const { board, now, log } = world;
  await world.memory.set('began', now());
  const until = now() - rules.days * 24 * hourMs;
  let looked = 0;
  let flagged = 0;
  for (let offset = 0; !signal.aborted; offset += pageSize) {
    const { studies } = await board.find({ state: 'done', sort: '-updatedAt', limit: pageSize, offset });
    for (const row of studies.filter(({ job }) => job.updatedAt >= until)) {
      if (signal.aborted) return;
      flagged += (await lookAt(world, rules, row)).length > 0 ? 1 : 0;
      looked++;
      await pause(60_000 / rules.perMinute, signal);
    }
    if (studies.length < pageSize || (studies.at(-1)?.job.updatedAt ?? 0) < until) break;
  }
  log({ time: new Date(now()).toISOString(), event: 'reconciled', studies: looked, flagged });
}

/** What is wrong with one study now. */
export async function lookAt(
  world: ReconcileWorld,
  rules: ReconcileRules,
  row: StudyRow,
): Promise<readonly FlagCode[]> {
  const { flags, log, now } = world;
  const { studyInstanceUid, number: job } = row.job;
  const time = new Date(now()).toISOString();
  try {
    const recorded = await world.ledger.latest(studyInstanceUid, world.model.id);
    const codes = recorded ? await faultsOf(world, rules, recorded) : [];
    for (const code of await flags.keep(studyInstanceUid, codes, now())) log({ time, event: 'alert', code, job });
    return codes;
  } catch (thrown) {
    const { code, class: kind } = asFailure(thrown);
    if (code === 'store-failed' || code === 'internal') throw thrown;
    log({ time, event: 'reconcile-failure', job, code, class: kind });
    return [];
  }
}

async function faultsOf(world: ReconcileWorld, rules: ReconcileRules, recorded: Recorded): Promise<FlagCode[]> {
  const { study } = recorded.reading;
  const patients = await world.archive.patients(study.StudyInstanceUID);
  // A study that left the archive, by its rules of retention perhaps, took its results along.
  if (patients.length === 0) return [];
  const differs = patients.some((patient) => !samePatient(patient, study));
  // Whose study it is comes first: nothing is delivered again under a name that is in doubt.
  const onMissing = differs ? 'flag' : rules.onMissing;
  const [objects, report] = [await missingObjects(world, recorded), await isReportMissing(world, recorded)];
  const sentAgain = onMissing === 'deliver' && objects.length > 0 && (await deliverAgain(world, recorded, objects));
  return [
    ...(differs ? (['patient-differs'] as const) : []),
    ...(objects.length > 0 && !sentAgain ? (['result-missing'] as const) : []),
    ...(report ? (['report-missing'] as const) : []),
  ];
}

/** Objects that have a receipt of the archive and are not there. */
async function missingObjects(
  world: ReconcileWorld,
  { reading, artifacts, receipts }: Recorded,
): Promise<readonly Artifact[]> {
  const received = new Set(receipts.map(({ artifact }) => artifact));
  const delivered = artifacts.filter(({ kind, name }) => kind !== 'fhir-bundle' && received.has(name));
  if (delivered.length === 0) return [];
  const listed = await (world.results ?? world.archive).list(reading.study.StudyInstanceUID);
  const there = new Set(listed.map(({ key }) => key));
  return delivered.filter(({ id }) => !there.has(id));
}

async function isReportMissing(world: ReconcileWorld, { artifacts, receipts }: Recorded): Promise<boolean> {
  const bundle = artifacts.find(({ kind }) => kind === 'fhir-bundle');
  const sr = artifacts.find(({ kind }) => kind === 'sr');
  if (!bundle || !sr || !receipts.some(({ artifact }) => artifact === bundle.name)) return false;
  return (await world.findReport([sr.id])) === null;
}

async function deliverAgain(
  { forgetReceipts, announce }: ReconcileWorld,
  { reading, receipts }: Recorded,
  objects: readonly Artifact[],
): Promise<boolean> {
  const lost = objects.flatMap(({ id, name }) =>
    receipts.filter(({ artifact }) => artifact === name).map(({ destination }) => ({ artifactId: id, destination })),
  );
  if (!(await forgetReceipts(lost))) return false;
  await announce({ studyInstanceUid: reading.study.StudyInstanceUID, source: 'reconcile', priority: 'routine' });
  return true;
}
