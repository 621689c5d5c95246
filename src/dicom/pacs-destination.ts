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
  wait(ms: number): Promise<unknown>;
}

const systemClock: Clock = { now: Date.now, wait: (ms) => sleep(ms) };
const firstPauseMs = 100;
const longestPauseMs = 1600;

export function createPacsDestination(options: PacsDestinationOptions): Destination {
  const { name = 'pacs', clock = systemClock, confirmWithinMs = 5000 } = options;
  const dicomweb = createDicomweb(options);
  return {
    name,
    kinds: ['heatmap', 'sr', 'rejection-note'],
    async deliver(artifacts, keep) {
      // The picture first: a report must not point to an image that is not there yet.
      const all = [...artifacts].sort((a, b) => rank(a) - rank(b)).map(sentOf);
      const answer = await store(options, all);
      const outcomes = [];
      for (const sent of all) {
        const verdict = answer instanceof Failure ? unlisted : answer.verdict(sent.artifact.id);
        const patience = { clock, untilMs: clock.now() + (mayFollow(answer, verdict) ? confirmWithinMs : 0) };
        const stored = await confirmed(dicomweb, sent, patience);
        if (answer instanceof Failure && stored instanceof Failure && stored.code !== 'pacs-altered') throw answer;
        outcomes.push({ sent, verdict, stored });
      }
      const failures = outcomes.flatMap((outcome) => failureOf(answer, outcome) ?? []);
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

const rank = ({ kind }: Artifact): number => (kind === 'sr' ? 1 : 0);
const unlisted: Verdict = { kind: 'unlisted' };

/** A request that broke off may have been carried out: then the failure is kept until the archive has been asked. */
async function store(options: PacsDestinationOptions, all: readonly Sent[]): Promise<StoreAnswer | Failure> {
  try {
    const artifacts = all.map(({ artifact }) => artifact);
    return await storeInstances(options, artifacts);
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (['pacs-unavailable', 'pacs-timeout', 'pacs-incomplete'].includes(failure.code)) return failure;
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
  readonly untilMs: number;
}

/** True: read back; false: not there in time; a Failure: there, but altered, or the archive cannot be asked. */
async function confirmed(dicomweb: Dicomweb, sent: Sent, { clock, untilMs }: Patience): Promise<boolean | Failure> {
  try {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      if (await isStored(dicomweb, sent)) return true;
      const leftMs = untilMs - clock.now();
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
}

/** The read-back decides; the answer to the request only says why an object is not there. */
function failureOf(answer: StoreAnswer | Failure, { sent, verdict, stored }: Outcome): Failure | null {
  if (stored === true) return null;
  const where = `STOW-RS, ${sent.artifact.name}`;
  if (stored instanceof Failure && stored.code === 'pacs-altered') return stored;
  if (answer instanceof Failure) return answer;
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
  if (!mayFollow(answer, verdict)) return new Failure('pacs-store-refused', { where, got: `status ${answer.status}` });
  return new Failure('pacs-unconfirmed', { where, expected: 'the object read back', got: 'not found yet' });
}

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
