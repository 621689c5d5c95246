/**
 * Which job comes next out of a backlog, whatever engine holds it (fault 17). Of every twelve claims eight are for urgent studies,
 * three for the newest of the others, one for the oldest: a patient of today is not behind last week's, and last week's come.
 */

/**
 * `stat`: urgent, due longest first. `newest`: routine, announced last first. `oldest`: routine, due longest first. Only a job that
 * is due is in a lane.
 */
export type Lane = 'stat' | 'newest' | 'oldest';

/** A study that turns urgent waits for one claim of another lane at most. */
export const lanePattern: readonly Lane[] = [
  ...(['stat', 'stat', 'newest'] as const),
  ...(['stat', 'stat', 'newest'] as const),
  ...(['stat', 'stat', 'newest'] as const),
  ...(['stat', 'stat', 'oldest'] as const),
];

export interface Lanes {
  /** The first job that `take` finds in the lanes, in the order of their turns; a lane without one gives its turn on. */
  next<Claimed>(take: (lane: Lane) => Claimed | null): Claimed | null;
  /** The same where the lanes are asked over a network. */
  nextOf<Claimed>(take: (lane: Lane) => Promise<Claimed | null>): Promise<Claimed | null>;
}

/** The turn is kept in memory: a restart begins the pattern anew, with `stat`. */
export function createLanes(): Lanes {
  let turn = 0;
  return {
    next(take) {
      for (const { lane, after } of turnsFrom(turn)) {
        const claimed = take(lane);
        if (claimed === null) continue;
        turn = after;
        return claimed;
      }
      return null;
    },
    async nextOf(take) {
      for (const { lane, after } of turnsFrom(turn)) {
        const claimed = await take(lane);
        if (claimed === null) continue;
        turn = after;
        return claimed;
      }
      return null;
    },
  };
}

/** Each lane once, by its next turn; `after` is the turn that follows when it serves. */
function turnsFrom(turn: number): readonly { readonly lane: Lane; readonly after: number }[] {
  const ahead = lanePattern.map((_, step) => (turn + step) % lanePattern.length);
  const first = new Map<Lane, number>();
  for (const at of ahead) {
    const lane = lanePattern[at]!;
    if (!first.has(lane)) first.set(lane, (at + 1) % lanePattern.length);
  }
  return [...first].map(([lane, after]) => ({ lane, after }));
}
