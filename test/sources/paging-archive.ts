import { afterEach } from '@jest/globals';
import type { Memory } from '../../src/core/ports.ts';
import type { ListedStudy, SearchStudies, StudySearch } from '../../src/core/search.ts';
import { sourcesOptionsSchema } from '../../src/sources/options.ts';
import { createQidoPoll, type QidoPoll } from '../../src/sources/qido-poll.ts';
import { makeMemory, type Rounds, runRounds } from './support.ts';

/** An archive of rows that pages as it is told, and a poll of it that goes on round by round. */

export interface Study {
  readonly uid: string;
  readonly date?: string | null;
  readonly time?: string;
  readonly instances?: number | null;
  readonly modalities?: readonly string[];
}

export interface Habits {
  readonly ignoresOffset?: boolean;
  readonly ignoresLimit?: boolean;
  readonly ignoresModality?: boolean;
  /** Cuts every page at so many rows without a word. */
  readonly cap?: number;
}

const inRange = (value: string | null | undefined, range: string | null): boolean => {
  if (range === null) return true;
  const [from, to = from] = range.split('-');
  return value != null && value >= from! && value <= to!;
};

export function archive(studies: () => readonly Study[], habits: Habits = {}) {
  const searches: StudySearch[] = [];
  const search: SearchStudies = async (asked) => {
    searches.push(asked);
    const { modality, studyDate, studyTime, limit, offset } = asked;
    const found = studies().filter(
      ({ date = '20260314', time = '101500', modalities = ['DX'] }) =>
        (habits.ignoresModality || modalities.includes(modality)) &&
        inRange(date, studyDate) &&
        inRange(time, studyTime),
    );
    const start = habits.ignoresOffset ? 0 : offset;
    const length = Math.min(habits.ignoresLimit ? found.length : limit, habits.cap ?? found.length);
    return found.slice(start, start + length).map(rowOf);
  };
  return { search, searches };
}

const rowOf = ({ uid, date = '20260314', instances = 1, modalities = ['DX'] }: Study): ListedStudy => ({
  studyInstanceUid: uid,
  studyDate: date,
  instances,
  modalities,
});

const defaults = sourcesOptionsSchema.parse({}).qidoPoll;
const open: Rounds[] = [];
afterEach(async () => {
  for (const rounds of open.splice(0)) await rounds.stop();
});

interface Setup {
  readonly options?: Partial<QidoPoll['options']>;
  readonly memory?: Memory;
  readonly now?: () => number;
  readonly timezoneOffset?: string | null;
  readonly onAnnounce?: () => Promise<void>;
  readonly showsLoss?: NonNullable<QidoPoll['showsLoss']>;
}

/** Noon of the day of the studies. */
export const noon = Date.UTC(2026, 2, 14, 12);

export function poll(
  searchStudies: SearchStudies,
  { options, memory = makeMemory(), now, timezoneOffset, onAnnounce, showsLoss }: Setup = {},
): Rounds {
  const build = (tools: Pick<QidoPoll, 'report'> & { wait: NonNullable<QidoPoll['wait']> }) =>
    createQidoPoll({
      searchStudies,
      options: { ...defaults, sweep: false, ...options },
      memory,
      now: now ?? (() => noon),
      timezoneOffset: timezoneOffset ?? null,
      ...(showsLoss && { showsLoss }),
      ...tools,
    });
  const rounds = runRounds(build, onAnnounce);
  open.push(rounds);
  return rounds;
}

export const many = (count: number, plan: (index: number) => Partial<Study> = () => ({})): Study[] =>
  Array.from({ length: count }, (_, index) => ({ uid: `2.25.${index + 1}`, ...plan(index) }));
