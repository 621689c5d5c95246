import { setTimeout as sleep } from 'node:timers/promises';
import { asFailure, Failure } from '../core/failure.ts';
import type { Artifact, Destination, Receipt } from '../core/ports.ts';
import { createDicomweb, type Dicomweb, type DicomwebOptions } from './dicomweb.ts';
import { isStored, type Sent, sentOf } from './read-back.ts';
import { type StoreAnswer, storeInstances, type Verdict } from './stow.ts';

/** A DICOMweb archive as the place where results go: sent in one STOW-RS request, done when they are read back. */

export interface PacsDestinationOptions extends DicomwebOptions {
  readonly name?: string;
  readonly stowUrl: string;
  /** Time for one answer; storing gets more with the size. */
  readonly timeoutMs: number;
  /** How long an archive that took our objects may keep them back from us; 5,000 by default. */
  readonly confirmWithinMs?: number;
  readonly clock?: Clock;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since any moment, whatever the clock is set to (fault 75); `now` where it is left out. */
  elapsed?(): number;
  wait(ms: number): Promise<unknown>;
}

const systemClock: Clock = { now: Date.now, elapsed: () => performance.now(), wait: (ms) => sleep(ms) };
const ticks = (clock: Clock): number => clock.elapsed?.() ?? clock.now();
const firstPauseMs = 100;
const longestPauseMs = 1600;

export function createPacsDestination(options: PacsDestinationOptions): Destination {
  const { name = 'pacs', clock = systemClock, confirmWithinMs = 5000 } = options;
  const tools = { options, dicomweb: createDicomweb(options), clock, confirmWithinMs };
  const doubted = createDoubts();
  return {
    name,
    kinds: ['heatmap', 'sr', 'rejection-note'],
    async deliver(artifacts, keep) {
      // The picture first: a report must not point to an image that is not there yet.
      const all = [...artifacts].sort((a, b) => rank(a) - rank(b)).map(sentOf);
      const seen = await shownSince(tools, all.filter(doubted.has));
      const due = all.filter((sent) => !seen.some((outcome) => outcome.sent === sent));
      const outcomes = [...seen, ...(due.length > 0 ? await attempt(tools, due) : [])];
      const failed = outcomes.map((outcome) => ({ outcome, failure: failureOf(outcome) }));
      for (const { outcome, failure } of failed) doubted.note(outcome.sent, failure?.class === 'ambiguous');
      const failures = failed.flatMap(({ failure }) => failure ?? []);
      const worthRetrying = failures.find((failure) => failure.class !== 'permanent');
      const failure = worthRetrying ?? failures[0];
      const receipts = outcomes
        .filter(({ stored }) => stored === true)
        .map(({ sent, verdict }) => receiptOf(name, sent, verdict, clock));
      if (!failure) return receipts;
      if (receipts.length > 0) await keep?.(receipts);
      throw failure;
    },
  };
}

interface Tools {
  readonly options: PacsDestinationOptions;
  readonly dicomweb: Dicomweb;
  readonly clock: Clock;
  readonly confirmWithinMs: number;
}

/** More objects than an archive keeps back at one time; the oldest doubt goes first, and its object is sent again then. */
const mostDoubted = 10_000;

/** Objects that an archive may have taken and has not shown: it is asked for them before they are sent again (fault 40). */
function createDoubts() {
  const ids = new Set<string>();
  return {
    has: ({ artifact }: Sent): boolean => ids.has(artifact.id),
    note({ artifact }: Sent, isDoubted: boolean): void {
      ids.delete(artifact.id);
      if (isDoubted) ids.add(artifact.id);
      if (ids.size > mostDoubted) ids.delete(ids.values().next().value!);
    },
  };
}

/** Those that the archive shows by now, as they were sent or altered. */
async function shownSince({ dicomweb, clock }: Tools, doubted: readonly Sent[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const sent of doubted) {
    const stored = await confirmed(dicomweb, sent, { clock, untilMs: ticks(clock) });
    const isAnswer = stored === true || (stored instanceof Failure && stored.code === 'pacs-altered');
    if (isAnswer) outcomes.push({ sent, verdict: unlisted, stored, answer: null });
  }
  return outcomes;
}

/** One request for all of them; one for each where they are too large together, so that a report does not wait for a picture (fault 45). */
async function attempt(tools: Tools, batch: readonly Sent[]): Promise<readonly Outcome[]> {
  const { options, dicomweb, clock, confirmWithinMs } = tools;
  const answer = await store(options, batch);
  const outcomes: Outcome[] = [];
  if (answer instanceof Failure && answer.code === 'pacs-too-large') {
    if (batch.length === 1) return batch.map((sent) => ({ sent, verdict: unlisted, stored: false, answer }));
    for (const sent of batch) outcomes.push(...(await attempt(tools, [sent])));
    return outcomes;
  }
  for (const sent of batch) {
    const verdict = answer instanceof Failure ? unlisted : answer.verdict(sent.artifact.id);
    const patience = { clock, untilMs: ticks(clock) + (mayFollow(answer, verdict) ? confirmWithinMs : 0) };
    outcomes.push({ sent, verdict, stored: await confirmed(dicomweb, sent, patience), answer });
  }
  return outcomes;
}

const rank = ({ kind }: Artifact): number => (kind === 'sr' ? 1 : 0);
const unlisted: Verdict = { kind: 'unlisted' };

/** A request that broke off may have been carried out: then the failure is kept until the archive has been asked. */
async function store(options: PacsDestinationOptions, all: readonly Sent[]): Promise<StoreAnswer | Failure> {
  try {
    const artifacts = all.map(({ artifact }) => artifact);
    return await storeInstances(options, artifacts);
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (['pacs-unavailable', 'pacs-timeout', 'pacs-incomplete', 'pacs-too-large'].includes(failure.code))
      return failure;
    throw failure;
  }
}

/** Whether the object may still appear: the archive took it, or took the request without a word about the object. */
function mayFollow(answer: StoreAnswer | Failure, verdict: Verdict): boolean {
  if (answer instanceof Failure) return false;
  return verdict.kind === 'stored' || (verdict.kind === 'unlisted' && answer.status < 300);
}

interface Patience {
  readonly clock: Clock;
  /** Of `ticks`. */
  readonly untilMs: number;
}

/** True: read back; false: not there in time; a Failure: there, but altered, or the archive cannot be asked. */
async function confirmed(dicomweb: Dicomweb, sent: Sent, { clock, untilMs }: Patience): Promise<boolean | Failure> {
  try {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      if (await isStored(dicomweb, sent)) return true;
      const leftMs = untilMs - ticks(clock);
      if (leftMs <= 0) return false;
      await clock.wait(Math.min(pauseMs, leftMs));
    }
  } catch (thrown) {
    return asFailure(thrown);
  }
}

interface Outcome {
  readonly sent: Sent;
  readonly verdict: Verdict;
  readonly stored: boolean | Failure;
  /** Null when nothing was sent: the archive was only asked. */
  readonly answer: StoreAnswer | Failure | null;
}

/** The read-back decides; the answer to the request only says why an object is not there. */
function failureOf({ sent, verdict, stored, answer }: Outcome): Failure | null {
  if (stored === true) return null;
  const where = `STOW-RS, ${sent.artifact.name}`;
  if (stored instanceof Failure && (stored.code === 'pacs-altered' || answer === null)) return stored;
  if (answer instanceof Failure) return answer.code === 'pacs-too-large' ? tooLarge(where, sent) : answer;
  if (verdict.kind === 'failed')
    return new Failure(codeOfReason(verdict.reason), { where, got: reasonText(verdict.reason) });
  if (stored instanceof Failure) {
    return new Failure('pacs-unconfirmed', {
      where,
      expected: 'the object read back',
      got: stored.code,
      cause: stored,
    });
  }
  if (answer && !mayFollow(answer, verdict))
    return new Failure('pacs-store-refused', { where, got: `status ${answer.status}` });
  return new Failure('pacs-unconfirmed', { where, expected: 'the object read back', got: 'not found yet' });
}

const tooLarge = (where: string, { artifact }: Sent): Failure =>
  new Failure('pacs-too-large', {
    where,
    expected: `an archive that takes ${artifact.bytes.length} bytes, or a smaller heatmapMaxSide for what is read from now on`,
    got: 'status 413',
  });

/** Failure Reason (0008,1197), PS3.18 table 10.5.3-2 and PS3.7 annex C; 45070 and 45071 are those of Azure. */
function codeOfReason(reason: number | null) {
  const outOfResources = reason !== null && reason >= 0xa700 && reason <= 0xa7ff;
  const processingFailure = reason === 0x0110;
  const duplicate = reason === 0x0111 || reason === 45070 || reason === 45071;
  // A duplicate that cannot be read back is one that is being stored.
  if (duplicate) return 'pacs-unconfirmed';
  return outOfResources || processingFailure ? 'pacs-store-failed' : 'pacs-store-refused';
}

const reasonText = (reason: number | null): string =>
  reason === null ? 'no reason' : `reason ${reason.toString(16).toUpperCase().padStart(4, '0')}H`;

function receiptOf(destination: string, { artifact }: Sent, verdict: Verdict, clock: Clock): Receipt {
  return { artifact: artifact.name, destination, storedAt: new Date(clock.now()).toISOString(), note: noteOf(verdict) };
}

/** B000H: elements coerced, B006H: discarded, B007H: does not match the SOP class (PS3.18 table 10.5.3-2). */
function noteOf(verdict: Verdict): string {
  if (verdict.kind === 'stored')
    return verdict.warning === null ? 'stored' : `stored, warning ${reasonText(verdict.warning)}`;
  if (verdict.kind === 'unlisted') return 'not listed as stored, but read back';
  return `${reasonText(verdict.reason)}, but read back`;
}
