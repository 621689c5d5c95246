import type { Announce, Memory, Source } from '../core/ports.ts';
import type { ListedStudy, SearchStudies } from '../core/search.ts';
import { type Loop, repeat } from './loop.ts';
import type { QidoPollOptions } from './options.ts';
import { allPages } from './pages.ts';
import { createSeen, type Seen } from './seen.ts';
import { modalities, sweepPage } from './sweep.ts';

/**
 * Asks any DICOMweb archive for new studies. DICOMweb has no "arrived since": each poll asks for the StudyDates from
 * `lookBackDays` before today to tomorrow, and for one page of a slow walk through everything. The polls overlap by days,
 * so that what one of them misses while pages shift the next one finds (fault 18). A study is announced when it was never
 * seen or its number of instances changed; our own results change it too, and announcing it again is harmless.
 *
 * At the first start the studies that are there are noted and not announced (`startFrom`). One gap follows from that: a
 * study outside the dates that arrives during the first walk counts as having been there. Where `showsLoss` finds that an earlier
 * gateway lost its store, the look-back days are announced as with `startFrom: lookback` (faults 70 and 71).
 */
export interface QidoPoll {
  readonly searchStudies: SearchStudies;
  readonly options: Omit<QidoPollOptions, 'enabled'>;
  readonly memory: Memory;
  /** Of the site, `+HHMM`; null: UTC. */
  readonly timezoneOffset: string | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly report: Loop['report'];
  readonly wait?: Loop['wait'];
  readonly leads?: Loop['leads'];
  /** Whether a study shows that a gateway worked here before, so that the look-back days are read although `startFrom` is `now`. */
  readonly showsLoss?: (study: ListedStudy) => Promise<boolean>;
}

const name = 'qido-poll';

/** Whether a study that was never seen is announced, or only noted. */
type Mode = 'announce' | 'note';

interface Watch extends QidoPoll {
  readonly announce: Announce;
  readonly seen: Seen;
  readonly signal: AbortSignal;
}

export function createQidoPoll(poll: QidoPoll): Source {
  return {
    name,
    run(announce, signal) {
      const watch = { ...poll, announce, signal, seen: createSeen(poll.memory, poll.options.maxSeen) };
      const { report, wait, leads, options } = poll;
      const given = { ...(wait && { wait }), ...(leads && { leads }) };
      const loop = { everyMs: options.everySeconds * 1000, signal, report, ...given };
      return repeat(() => pollOnce(watch), loop);
    },
  };
}

async function pollOnce(watch: Watch): Promise<void> {
  await pollDates(watch);
  if (watch.options.sweep) await sweep(watch);
}

async function pollDates(watch: Watch): Promise<void> {
  const { searchStudies, options, memory, signal, report } = watch;
  const paging = { search: searchStudies, limit: options.pageSize, report };
  const isFirst = (await memory.get('started')) !== true;
  const days = daysOf(watch);
  const mode = isFirst && options.startFrom === 'now' && !(await followsLoss(watch, days)) ? 'note' : 'announce';
  for (const modality of modalities) {
    for await (const rows of allPages(paging, { modality, days, hour: null })) {
      await meet(watch, rows, mode);
      if (signal.aborted) return;
    }
  }
  if (isFirst) await memory.set('started', true);
}

/** Most studies that are looked into for a sign of an earlier gateway: one that worked here left its results in nearly all. */
const mostLooks = 50;

/** A store that is new although the archive holds results of ours was lost: what came meanwhile was not there before the start. */
async function followsLoss(watch: Watch, days: readonly string[]): Promise<boolean> {
  const { searchStudies, options, report, signal, showsLoss } = watch;
  let looks = 0;
  for (const modality of showsLoss ? modalities : []) {
    for await (const rows of allPages(
      { search: searchStudies, limit: options.pageSize, report },
      { modality, days, hour: null },
    )) {
      for (const row of rows.filter(holdsReport)) {
        if (signal.aborted || ++looks > mostLooks) return false;
        if (await showsLoss?.(row)) return true;
      }
    }
  }
  return false;
}

/** Some archives do not tell the modalities of a study. */
const holdsReport = ({ modalities: told }: ListedStudy): boolean => told.length === 0 || told.includes('SR');

/** One page, and as many as fit between two polls while the first walk only notes what is there. */
async function sweep(watch: Watch): Promise<void> {
  const { searchStudies, options, memory, now, signal } = watch;
  const untilMs = now() + options.everySeconds * 1000;
  for (let noting = true; noting && now() < untilMs && !signal.aborted; ) {
    const { pass, rows, next } = await sweepPage(searchStudies, memory, options.pageSize);
    noting = pass === 0 && options.startFrom !== 'everything';
    await meet(watch, noting ? withoutDaysOf(watch, rows) : rows, noting ? 'note' : 'announce');
    await next();
  }
}

/** What the poll by date asks for is left to it: a study that has just arrived must not be noted as an old one. */
function withoutDaysOf(watch: Watch, rows: readonly ListedStudy[]): readonly ListedStudy[] {
  const days = daysOf(watch);
  return rows.filter(({ studyDate }) => studyDate === null || !days.includes(studyDate));
}

async function meet({ seen, announce }: Watch, rows: readonly ListedStudy[], mode: Mode): Promise<void> {
  for (const { studyInstanceUid, instances, modalities: told } of rows) {
    const wanted = told.length === 0 || modalities.some((modality) => told.includes(modality));
    if (studyInstanceUid === null || !wanted) continue;
    const before = await seen.instances(studyInstanceUid);
    const unchanged = before !== undefined && (before === instances || instances === null);
    if (unchanged) continue;
    // Announced before it is noted: a crash between the two announces it twice, never not at all.
    if (mode === 'announce') await announce({ studyInstanceUid, source: name, priority: 'routine' });
    await seen.note(studyInstanceUid, instances);
  }
}

const dayMs = 86_400_000;

/** `YYYYMMDD` from `lookBackDays` before today to tomorrow, in the zone of the site. */
function daysOf({ now, timezoneOffset, options }: QidoPoll): readonly string[] {
  const today = now() + offsetMs(timezoneOffset);
  return Array.from({ length: options.lookBackDays + 2 }, (_, index) => {
    const day = new Date(today + (index - options.lookBackDays) * dayMs);
    return day.toISOString().slice(0, 10).replaceAll('-', '');
  });
}

function offsetMs(timezoneOffset: string | null): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(timezoneOffset ?? '') ?? [];
  const size = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === '-' ? -size : size;
}
