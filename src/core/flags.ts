import type { Memory } from './ports.ts';

/** What a later look found wrong with a study that was done: for a person, since nothing is rewritten silently (fault 6). */
export const flagCodes = ['patient-differs', 'result-missing', 'report-missing'] as const;
export type FlagCode = (typeof flagCodes)[number];

export interface Flag {
  readonly code: FlagCode;
  /** RFC 3339 UTC: when it was first seen. */
  readonly since: string;
}

export interface Flags {
  of(studyInstanceUid: string): Promise<readonly Flag[]>;
  /** Keeps what is wrong now, `since` of what was wrong before; gives what is new. */
  keep(studyInstanceUid: string, codes: readonly FlagCode[], now: number): Promise<readonly FlagCode[]>;
  /** Flagged studies, the newest last. */
  all(): Promise<Readonly<Record<string, readonly Flag[]>>>;
}

/** More than anybody looks through; the oldest go. */
const mostFlagged = 1_000;
const key = 'flags';

export function createFlags(memory: Memory): Flags {
  const all = async () => ((await memory.get(key)) ?? {}) as Readonly<Record<string, readonly Flag[]>>;
  return {
    all,
    of: async (studyInstanceUid) => (await all())[studyInstanceUid] ?? [],
    async keep(studyInstanceUid, codes, now) {
      const { [studyInstanceUid]: before = [], ...others } = await all();
      if (before.length === 0 && codes.length === 0) return [];
      const since = new Date(now).toISOString();
      const flags = codes.map((code) => before.find((flag) => flag.code === code) ?? { code, since });
      const kept = Object.entries(flags.length > 0 ? { ...others, [studyInstanceUid]: flags } : others);
      await memory.set(key, Object.fromEntries(kept.slice(-mostFlagged)));
      return codes.filter((code) => !before.some((flag) => flag.code === code));
    },
  };
}
